"""A sign-in, and a change of credentials while it is under way: on both databases nothing outlives the change."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import accounts, browsers, password_changes, sessions, sign_ins, totp_enrolment
from domain.identity.accounts import WrongCredentials
from domain.identity.handles import new_handle
from domain.identity.passwords import HashCost, PasswordHasher
from domain.identity.sessions import Level
from domain.identity.sign_ins import Method
from domain.policy.actions import Action
from models import BrowserSession, User, db
from tests.browsing import wiring_of
from tests.builders import PASSWORD, People
from tests.permits import ORIGIN, permit_for

HANDLE = new_handle()
NEW = "quiet lantern over seven harbours"
A_WHILE = 1.0  # seconds: longer than what does not have to wait takes


class Elsewhere(threading.Thread):
    """Something that another request does meanwhile, committed by itself."""

    def __init__(self, app: Flask, action: Callable[[], object]) -> None:
        super().__init__()
        self._app, self._action = app, action
        self.fault: BaseException | None = None

    def run(self) -> None:
        with self._app.app_context():
            try:
                self._action()
                db.session.commit()
            except BaseException as fault:  # noqa: BLE001 - told to the test below, whatever it is
                self.fault = fault

    def begin(self) -> "Elsewhere":
        """Start it, and give it the time to end, unless it has to wait for us."""
        self.start()
        self.join(A_WHILE)
        return self

    def finish(self) -> None:
        """Wait for its end, which must be a good one."""
        self.join()
        assert self.fault is None, self.fault


class Interrupted(PasswordHasher):
    """A comparison during which something else happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(HashCost(time_cost=1, memory_kib=8))
        self._meanwhile = meanwhile

    def verify(self, kept_hash: str | None, password: str) -> bool:
        meanwhile, self._meanwhile = self._meanwhile, int  # once
        meanwhile()
        return super().verify(kept_hash, password)


@pytest.fixture
def ana(either_app: Flask, clock: SettableClock) -> User:
    """Somebody without a second factor, signed in elsewhere already."""
    user = People(either_app, clock).a_user("ana").verified().build()
    half_signed_in(user.id, clock)  # of the number that `permit_for` names
    db.session.commit()
    return user


def half_signed_in(user_id: int, clock: SettableClock) -> BrowserSession:
    row, _ = sessions.start(db.session(), origin=ORIGIN, now=clock.now())
    sessions.step_up(
        db.session(), row, user_id=user_id, level=Level.HALF, method="password", origin=ORIGIN, now=clock.now()
    )
    return row


def rise(app: Flask, user_id: int, row: BrowserSession, clock: SettableClock, method: Method) -> None:
    """The rest of a sign-in, committed."""
    user, notices, now = db.session.get_one(User, user_id), wiring_of(app).notices, clock.now()
    arrival = sign_ins.complete(db.session(), notices, user, method=method, handle=HANDLE, origin=ORIGIN, now=now)
    sessions.step_up(
        db.session(),
        row,
        user_id=user_id,
        level=Level.FULL,
        method=method.words,
        origin=ORIGIN,
        now=now,
        browser_id=arrival.browser.row.id,
        confirmed_at=now,
    )
    db.session.commit()


def authenticate(hasher: PasswordHasher, clock: SettableClock) -> User:
    return accounts.authenticate(
        db.session(), hasher, identifier="ana", password=PASSWORD, origin=ORIGIN, now=clock.now()
    )


def change_password(app: Flask, user_id: int, clock: SettableClock) -> None:
    found, now = wiring_of(app), clock.now()
    permit = permit_for(db.session.get_one(User, user_id), Action.CHANGE_PASSWORD, now=now)
    password_changes.change_password(
        db.session(), permit, found.hasher, found.breaches, found.notices, current=PASSWORD, new=NEW, now=now
    )


def add_app(app: Flask, user_id: int, clock: SettableClock) -> None:
    found, now = wiring_of(app), clock.now()
    permit = permit_for(db.session.get_one(User, user_id), Action.ENROL_TOTP, now=now)
    waiting = totp_enrolment.begin_totp(db.session(), permit, found.box, now=now)
    code = pyotp.TOTP(waiting.payload["secret"]).at(now)
    db.session.commit()
    totp_enrolment.confirm_totp(db.session(), permit, found.box, found.notices, code=code, label="", now=now)


def full_sessions() -> int:
    db.session.rollback()
    full = sa.select(sa.func.count()).select_from(BrowserSession).where(BrowserSession.level == Level.FULL.value)
    return db.session.scalar(full) or 0


def test_a_password_that_is_replaced_while_it_is_compared_is_wrong(
    either_app: Flask, clock: SettableClock, ana: User
) -> None:
    """Whoever knew the old one would be in afterwards, with a session that no change has ended."""
    change = Elsewhere(either_app, partial(change_password, either_app, ana.id, clock))

    with pytest.raises(WrongCredentials):
        authenticate(Interrupted(change.begin), clock)

    change.finish()


def test_a_hash_that_is_renewed_while_the_password_is_compared_is_no_obstacle(
    either_app: Flask, clock: SettableClock, ana: User
) -> None:
    """Another sign-in does that where the cost of a hash was raised."""
    user_id, hasher = ana.id, wiring_of(either_app).hasher

    def renew() -> None:
        db.session.get_one(User, user_id).password_hash = hasher.hash(PASSWORD)

    renewal = Elsewhere(either_app, renew)

    assert authenticate(Interrupted(renewal.begin), clock).id == user_id

    renewal.finish()


def test_a_new_password_ends_the_session_that_begins_in_the_same_moment(
    either_app: Flask, clock: SettableClock, ana: User
) -> None:
    user_id = ana.id
    authenticate(wiring_of(either_app).hasher, clock)
    row, _ = sessions.start(db.session(), origin=ORIGIN, now=clock.now())

    change = Elsewhere(either_app, partial(change_password, either_app, user_id, clock)).begin()
    rise(either_app, user_id, row, clock, Method.PASSWORD)
    change.finish()

    assert full_sessions() == 0


def test_a_new_second_factor_ends_the_session_that_begins_in_the_same_moment(
    either_app: Flask, clock: SettableClock, ana: User
) -> None:
    """The password was enough when it was asked for; its session could remove the factor again."""
    user_id = ana.id
    authenticate(wiring_of(either_app).hasher, clock)
    row, _ = sessions.start(db.session(), origin=ORIGIN, now=clock.now())

    addition = Elsewhere(either_app, partial(add_app, either_app, user_id, clock)).begin()
    rise(either_app, user_id, row, clock, Method.PASSWORD)
    addition.finish()

    assert full_sessions() == 0


def test_a_sign_in_and_a_new_password_never_wait_for_each_other(
    either_app: Flask, clock: SettableClock, ana: User
) -> None:
    user_id = ana.id
    browsers.meet(db.session(), user_id, HANDLE, origin=ORIGIN, now=clock.now())
    row = half_signed_in(user_id, clock)
    db.session.commit()
    clock.advance(timedelta(minutes=1))
    browsers.meet(db.session(), user_id, HANDLE, origin=ORIGIN, now=clock.now())  # the first thing on arrival

    change = Elsewhere(either_app, partial(change_password, either_app, user_id, clock)).begin()
    rise(either_app, user_id, row, clock, Method.APP)
    change.finish()

    assert full_sessions() == 0
