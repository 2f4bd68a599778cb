"""Replacing a password: at once, by two, and never without the permit."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import password_changes
from domain.identity.password_changes import LinkOver
from domain.policy.actions import Action
from domain.policy.decision import PermitMismatch
from models import Ceremony, Mail, User, db
from tests.browsing import wiring_of
from tests.builders import PASSWORD, People
from tests.letters import letters, link_to
from tests.permits import ORIGIN, permit_for
from tests.races import at_once
from tests.requirements import requirement

NEW = ("quiet lantern over seven harbours", "violet engine under nine bridges")


def request_reset(app: Flask, clock: SettableClock, identifier: str = "ana") -> None:
    found = wiring_of(app)
    password_changes.request_reset(
        db.session(), found.box, found.notices, identifier=identifier, origin=ORIGIN, now=clock.now()
    )
    db.session.commit()


def reset(app: Flask, clock: SettableClock, token: str, new: str) -> None:
    found = wiring_of(app)
    password_changes.reset_password(
        db.session(),
        found.hasher,
        found.breaches,
        found.box,
        found.notices,
        token=token,
        new=new,
        origin=ORIGIN,
        now=clock.now(),
    )


def test_of_two_links_used_at_once_one_sets_the_password(either_app: Flask, clock: SettableClock) -> None:
    People(either_app, clock).a_user("ana").verified().build()
    tokens = []
    for _ in range(2):
        request_reset(either_app, clock)
        tokens.append(link_to("ana@mail.example").partition("=")[2])
    db.session.remove()

    refusals = at_once(
        either_app, *(partial(reset, either_app, clock, token, new) for token, new in zip(tokens, NEW, strict=True))
    )

    assert refusals.count(None) == 1
    assert [type(refusal) for refusal in refusals if refusal is not None] == [LinkOver]
    kept = db.session.scalars(sa.select(User.password_hash)).one()
    assert sum(wiring_of(either_app).hasher.verify(kept, new) for new in NEW) == 1
    assert [letter.notice for letter in letters()].count("password-changed") == 1


@requirement("R74")
def test_one_link_used_many_times_at_once_works_once(either_app: Flask, clock: SettableClock) -> None:
    People(either_app, clock).a_user("ana").verified().build()
    request_reset(either_app, clock)
    token = link_to("ana@mail.example").partition("=")[2]
    db.session.remove()

    refusals = at_once(either_app, *[partial(reset, either_app, clock, token, NEW[0])] * 10)

    assert refusals.count(None) == 1


def test_for_nobody_nothing_is_left_behind(either_app: Flask, clock: SettableClock) -> None:
    request_reset(either_app, clock, "nobody")
    request_reset(either_app, clock, "nobody@mail.example")
    request_reset(either_app, clock, "\x00")

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Mail)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Ceremony)) == 0


def test_a_verified_address_comes_before_a_claim_to_it(app: Flask, clock: SettableClock, people: People) -> None:
    mallory, ana = people.a_user("mallory").build(), people.a_user("ana").verified().build()
    mallory.emails[0].address, mallory.emails[0].address_key = "ANA@mail.example", "ana@mail.example"
    db.session.commit()

    request_reset(app, clock, "ana@mail.example")

    letter = letters()[0]
    assert (letter.to, letter.notice) == ("ana@mail.example", "password-reset")
    assert db.session.scalars(sa.select(Ceremony.user_id)).all() == [ana.id]


def test_another_permit_changes_no_password(app: Flask, clock: SettableClock, people: People) -> None:
    ana, found = people.a_user("ana").verified().build(), wiring_of(app)
    permit = permit_for(ana, Action.VIEW_ACCOUNT, now=clock.now())

    with pytest.raises(PermitMismatch):
        password_changes.change_password(
            db.session(),
            permit,
            found.hasher,
            found.breaches,
            found.notices,
            current=PASSWORD,
            new=NEW[0],
            now=clock.now(),
        )
