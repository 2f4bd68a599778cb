"""Tokens that are made, replaced or found in public in the very moment in which something else happens to them."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import token_leaks, token_rotation, tokens
from domain.identity.tokens import Wanted
from domain.index import collaborators, projects
from domain.policy.actions import Action
from domain.policy.principals import Origin
from models import ApiToken, Mail, Project, User, db, token_project
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import permit_for
from tests.races import at_once


@pytest.mark.parametrize("attempt", range(3))
def test_no_token_reaches_a_project_whose_role_goes_meanwhile(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    people, now, notices = People(either_app, clock), clock.now(), wiring_of(either_app).notices
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))
    ana_id, bo_id, acme_id = ana.id, bo.id, acme.id
    db.session.remove()

    def mint() -> None:
        permit = permit_for(db.session.get_one(User, bo_id), Action.CREATE_TOKEN, now=now)
        wanted = Wanted("ci", expires_at=None, projects=frozenset({"acme-utils"}))
        tokens.mint(db.session(), permit, notices, wanted, held=projects.held, longest=None, now=now)

    def remove() -> None:
        project = db.session.get_one(Project, acme_id)
        permit = permit_for(db.session.get_one(User, ana_id), Action.REMOVE_COLLABORATOR, project, now=now)
        collaborators.remove(db.session(), permit, notices, project, username="bo", now=now)

    at_once(either_app, mint, remove)

    assert db.session.execute(sa.select(token_project)).all() == []


@pytest.mark.parametrize("attempt", range(3))
def test_a_secret_that_was_found_works_no_more_whatever_its_owner_does_meanwhile(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    people, now, notices = People(either_app, clock), clock.now(), wiring_of(either_app).notices
    ana = people.a_member("ana")
    token, text = people.a_token(ana)
    ana_id, token_id = ana.id, token.id
    db.session.remove()

    def void() -> None:
        token_leaks.void_leaked(db.session(), notices, [token_leaks.Found(text)], origin=Origin(), now=now)

    def rotate() -> None:
        row = db.session.get(ApiToken, token_id)
        if row is None:
            return
        permit = permit_for(db.session.get_one(User, ana_id), Action.ROTATE_TOKEN, row, now=now)
        token_rotation.rotate(
            db.session(),
            permit,
            notices,
            row,
            replaces="",
            overlap=token_rotation.LONGEST_OVERLAP,
            longest=None,
            now=now,
        )

    at_once(either_app, void, void, rotate)

    assert tokens.find(db.session(), text, origin=Origin()) is None


def test_a_secret_that_is_replaced_while_it_is_found_leaves_its_token(either_app: Flask, clock: SettableClock) -> None:
    people, now, notices = People(either_app, clock), clock.now(), wiring_of(either_app).notices
    ana = people.a_member("ana")
    token, text = people.a_token(ana)
    ana_id, token_id, new = ana.id, token.id, []
    db.session.remove()
    is_replaced = threading.Event()

    def rotate() -> None:
        row = db.session.get_one(ApiToken, token_id)
        permit = permit_for(db.session.get_one(User, ana_id), Action.ROTATE_TOKEN, row, now=now)
        values: dict[str, Any] = {"replaces": "", "overlap": timedelta(0), "longest": None, "now": now}
        new.append(token_rotation.rotate(db.session(), permit, notices, row, **values))
        is_replaced.set()
        time.sleep(0.5)  # not committed yet: on PostgreSQL the other still sees the former secret

    def void() -> None:
        is_replaced.wait(5)
        token_leaks.void_leaked(db.session(), notices, [token_leaks.Found(text)], origin=Origin(), now=now)

    at_once(either_app, rotate, void)

    assert tokens.find(db.session(), text, origin=Origin()) is None
    assert tokens.find(db.session(), new[0], origin=Origin()) is not None
    assert db.session.scalars(sa.select(Mail.notice)).all() == ["token-rotated"]
