"""A permit to end one session, or to distrust one browser, is none for another."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import browsers, sessions
from domain.identity.sessions import Level
from domain.policy.actions import Action
from domain.policy.decision import Permit, PermitMismatch
from models import BrowserSession, KnownBrowser, User, db
from tests.builders import People
from tests.permits import ORIGIN, permit_for


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def a_session(user: User, *, now: datetime) -> BrowserSession:
    row, _ = sessions.start(db.session(), origin=ORIGIN, now=now)
    sessions.step_up(db.session(), row, user_id=user.id, level=Level.FULL, method="passkey", origin=ORIGIN, now=now)
    return db.session.get_one(BrowserSession, row.id)


def a_browser(user: User, *, now: datetime) -> KnownBrowser:
    return browsers.meet(db.session(), user.id, None, origin=ORIGIN, now=now).row


Call = Callable[[Permit, User, datetime], None]


def revoke(permit: Permit, user: User, now: datetime) -> None:
    sessions.revoke(db.session(), permit, a_session(user, now=now), now=now)


def end_others(permit: Permit, user: User, now: datetime) -> None:
    browsers.end_others(db.session(), permit, now=now)


def distrust(permit: Permit, user: User, now: datetime) -> None:
    browsers.distrust(db.session(), permit, a_browser(user, now=now), now=now)


@pytest.mark.parametrize("call", [revoke, end_others, distrust])
def test_the_permit_of_another_action_is_refused(app: Flask, clock: SettableClock, ana: User, call: Call) -> None:
    of_another = permit_for(ana, Action.VIEW_SESSIONS, now=clock.now())

    with pytest.raises(PermitMismatch):
        call(of_another, ana, clock.now())


def test_the_permit_for_another_session_is_refused(app: Flask, clock: SettableClock, ana: User) -> None:
    now = clock.now()
    permit = permit_for(ana, Action.END_SESSION, a_session(ana, now=now), now=now)

    with pytest.raises(PermitMismatch):
        revoke(permit, ana, now)


def test_the_permit_for_another_browser_is_refused(app: Flask, clock: SettableClock, ana: User) -> None:
    now = clock.now()
    permit = permit_for(ana, Action.DISTRUST_BROWSER, a_browser(ana, now=now), now=now)

    with pytest.raises(PermitMismatch):
        distrust(permit, ana, now)
