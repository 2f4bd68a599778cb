"""Email addresses: their form, and to whom they belong when several reach for them at once."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain import addresses
from domain.identity import emails
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import PermitMismatch
from domain.problems import Problem
from models import Email, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.letters import link_to
from tests.permits import permit_for
from tests.races import at_once

SHARED = "shared@mail.example"


@pytest.mark.parametrize(
    ("typed", "text", "key"),
    [
        ("ana@mail.example", "ana@mail.example", "ana@mail.example"),
        (" Ana.B+pypi@Mail.Example\n", "Ana.B+pypi@mail.example", "ana.b+pypi@mail.example"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_kept_in_the_form_that_every_server_takes(typed: str, text: str, key: str) -> None:
    assert addresses.parse(typed, field="email") == addresses.Address(text, key)


NO_ADDRESS = (
    *(
        "",
        "ana",
        "ana@",
        "@mail.example",
        "a@b@c.example",
        "ana@localhost",
        "ana mail@mail.example",
        "ana@mail..example",
    ),
    *("ana@[127.0.0.1]", '"ana"@mail.example', "Ana <ana@mail.example>", "ana@mail.example\nBcc: x@y.example"),
    *("ana\x00@mail.example", "änna@mail.example", "ana@mail.example\u202e"),
    *("x" * 65 + "@mail.example", "ana@" + "x" * 300 + ".example", "x" * 1_000_000),
)


@pytest.mark.parametrize("typed", NO_ADDRESS)
def test_what_is_no_address_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(Problem) as refused:
        addresses.parse(typed, field="email")

    assert refused.value.field == "email"


def claim(people: People, username: str) -> User:
    """Somebody who says that the shared address is theirs."""
    user = people.a_user(username).build()
    user.emails[0].address = user.emails[0].address_key = SHARED
    db.session.commit()
    return user


def a_link(app: Flask, user: User, clock: SettableClock) -> str:
    """The token that is mailed to the user's primary address."""
    found = wiring_of(app)
    emails.send_verification(db.session(), found.box, found.notices, user.emails[0], now=clock.now())
    db.session.commit()
    return link_to(user.emails[0].address).partition("=")[2]


def test_an_address_that_several_prove_at_once_belongs_to_one(either_app: Flask, clock: SettableClock) -> None:
    people, box, now = People(either_app, clock), wiring_of(either_app).box, clock.now()
    claims = [claim(people, username) for username in ("ana", "bo", "cleo")]
    links = [a_link(either_app, user, clock) for user in claims]
    permits = [permit_for(user, Action.VERIFY_EMAIL, now=now) for user in claims]
    db.session.remove()

    def prove(number: int) -> None:
        emails.verify(db.session(), permits[number], box, links[number], now=now)

    refusals = at_once(either_app, *(partial(prove, number) for number in range(3)))

    assert [str(refusal)[:27] for refusal in refusals if refusal] == ["This address was verified f"] * 2
    assert db.session.scalar(sa.select(sa.func.count()).where(Email.verified_at.is_not(None))) == 1


def test_one_link_used_many_times_at_once_works_once(either_app: Flask, clock: SettableClock) -> None:
    nora, now, box = claim(People(either_app, clock), "nora"), clock.now(), wiring_of(either_app).box
    link, permit = a_link(either_app, nora, clock), permit_for(nora, Action.VERIFY_EMAIL, now=now)
    db.session.remove()

    def prove() -> None:
        emails.verify(db.session(), permit, box, link, now=now)

    refusals = at_once(either_app, *[prove] * 20)

    assert refusals.count(None) == 1


def test_two_addresses_made_primary_at_once_leave_one_primary(either_app: Flask, clock: SettableClock) -> None:
    ana, now, notices = People(either_app, clock).a_member("ana"), clock.now(), wiring_of(either_app).notices
    for text in ("one@mail.example", "two@mail.example"):
        ana.emails.append(Email(address=text, address_key=text, is_primary=False, added_at=now, verified_at=now))
    db.session.commit()
    ids = [email.id for email in ana.emails[1:]]
    permits = [permit_for(ana, Action.CHANGE_PRIMARY_EMAIL, email, now=now) for email in ana.emails[1:]]
    db.session.remove()

    def choose(number: int) -> None:
        emails.make_primary(db.session(), permits[number], notices, db.session.get_one(Email, ids[number]), now=now)

    assert at_once(either_app, partial(choose, 0), partial(choose, 1)) == [None, None]
    primary = db.session.scalars(sa.select(Email.id).where(Email.is_primary)).all()
    assert len(primary) == 1
    assert primary[0] in ids


def test_a_permit_for_one_address_covers_no_other(people: People, clock: SettableClock, notices: Notices) -> None:
    ana, now = people.a_member("ana"), clock.now()
    ana.emails.append(Email(address=SHARED, address_key=SHARED, is_primary=False, added_at=now, verified_at=now))
    db.session.commit()
    first, second = ana.emails

    with pytest.raises(PermitMismatch):
        emails.remove(db.session(), permit_for(ana, Action.REMOVE_EMAIL, first, now=now), notices, second, now=now)
    with pytest.raises(PermitMismatch):
        emails.make_primary(
            db.session(), permit_for(ana, Action.REMOVE_EMAIL, second, now=now), notices, second, now=now
        )

    assert len(ana.emails) == 2


def test_a_link_does_not_prove_another_address_that_was_given_its_number(
    app: Flask, people: People, clock: SettableClock
) -> None:
    nora, now, box = claim(people, "nora"), clock.now(), wiring_of(app).box
    link = a_link(app, nora, clock)
    nora.emails[0].address = nora.emails[0].address_key = "victim@mail.example"  # as if the row's id were used again
    db.session.commit()

    with pytest.raises(Problem, match="no longer on your account"):
        emails.verify(db.session(), permit_for(nora, Action.VERIFY_EMAIL, now=now), box, link, now=now)
