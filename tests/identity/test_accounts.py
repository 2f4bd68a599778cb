"""Accounts in the tables: made once, found by either name, told apart by nothing but the password."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import accounts
from domain.identity.accounts import AccountFrozen, NotRegistered, Registration, WrongCredentials
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import PermitMismatch
from domain.policy.principals import Operator
from domain.problems import Problem
from models import Email, Event, User, db
from tests.browsing import wiring_of
from tests.builders import PASSWORD, People
from tests.permits import ORIGIN, permit_for, permit_of
from tests.races import at_once
from tests.requirements import requirement


def registration(
    username: str = "Nora", address: str = "Nora@Mail.Example", full_name: str = " Nora  Fields"
) -> Registration:
    return Registration(username=username, address=address, password=PASSWORD, full_name=full_name)


def register(app: Flask, clock: SettableClock, what: Registration) -> User:
    found = wiring_of(app)
    return accounts.register(
        db.session(), found.hasher, found.breaches, found.box, found.notices, what, origin=ORIGIN, now=clock.now()
    )


def authenticate(app: Flask, clock: SettableClock, identifier: str, password: str = PASSWORD) -> User:
    hasher = wiring_of(app).hasher
    return accounts.authenticate(
        db.session(), hasher, identifier=identifier, password=password, origin=ORIGIN, now=clock.now()
    )


def test_a_registration_becomes_an_account_with_one_unverified_primary_address(
    either_app: Flask, clock: SettableClock
) -> None:
    user = register(either_app, clock, registration())

    assert (user.username, user.username_key, user.full_name) == ("Nora", "nora", "Nora Fields")
    assert (user.registered_at, user.is_active, user.is_admin) == (clock.now(), True, False)
    email = user.emails[0]
    assert (email.address, email.address_key, email.is_primary) == ("Nora@mail.example", "nora@mail.example", True)
    assert email.verified_at is None


def test_of_several_who_choose_one_username_at_once_one_gets_it(either_app: Flask, clock: SettableClock) -> None:
    spellings = ["nora", "Nora", "NORA", "nOrA"]

    refusals = at_once(
        either_app,
        *(
            partial(register, either_app, clock, registration(name, f"{number}@mail.example"))
            for number, name in enumerate(spellings)
        ),
    )

    assert sorted(type(refusal).__name__ for refusal in refusals) == ["NoneType"] + ["NotRegistered"] * 3
    assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Email)) == 1


def test_all_that_is_at_fault_is_said_together(app: Flask, clock: SettableClock, people: People) -> None:
    people.a_user("ana").build()

    with pytest.raises(NotRegistered) as refused:
        register(app, clock, Registration(username="ANA", address="x", password="short", full_name="a\nb"))

    assert {problem.field for problem in refused.value.problems} == {"username", "email", "new_password", "full_name"}


def test_the_password_of_a_registration_stands_in_no_repr() -> None:
    assert PASSWORD not in repr(registration())


def test_nonsense_finds_nobody(either_app: Flask, clock: SettableClock) -> None:
    People(either_app, clock).a_user("ana").verified().build()
    People(either_app, clock).a_user("kk").verified().build()
    kelvin = "\u212a\u212a"  # in lower case it reads kk

    for nonsense in ("", "\x00", "ana\x00", "x" * 1_000_000, "\ud800", "ana@mail.example\x00", kelvin, "ana\nkk"):
        assert accounts.find(db.session(), nonsense) is None, nonsense


def test_the_right_password_is_the_only_way_in(either_app: Flask, clock: SettableClock) -> None:
    ana = People(either_app, clock).a_user("ana").verified().build()
    People(either_app, clock).a_user("cold").verified().frozen().build()

    assert authenticate(either_app, clock, "ana@mail.example").id == ana.id
    for identifier, password in (
        ("ana", "wrong"),
        ("ana", ""),
        ("nobody", PASSWORD),
        ("cold", "wrong"),
        ("\x00", "\x00"),
    ):
        with pytest.raises(WrongCredentials):
            authenticate(either_app, clock, identifier, password)
    with pytest.raises(AccountFrozen):
        authenticate(either_app, clock, "cold")


@requirement("R10")
def test_an_administrator_is_made_without_a_password_and_with_a_link(app: Flask, clock: SettableClock) -> None:
    permit, box = permit_of(Operator(), Action.CREATE_ADMINISTRATOR, now=clock.now()), wiring_of(app).box

    handle = accounts.create_administrator(
        db.session(), permit, box, username="Root2", address="root@mail.example", now=clock.now()
    )

    user = db.session.scalars(sa.select(User)).one()
    assert (user.is_admin, user.password_hash, user.has_verified_email) == (True, None, True)
    assert len(handle) == 43
    assert db.session.scalars(sa.select(Event.tag)).all() == ["operator:administrator:created"]


@pytest.mark.parametrize(
    ("username", "address", "words"),
    [
        ("ana", "new@mail.example", "taken"),
        ("new", "ana@mail.example", "another account"),
        ("admin", "x@mail.example", "reserved"),
    ],
)
def test_an_administrator_takes_nothing_from_anybody(
    app: Flask, clock: SettableClock, people: People, username: str, address: str, words: str
) -> None:
    people.a_user("ana").verified().build()
    permit, box = permit_of(Operator(), Action.CREATE_ADMINISTRATOR, now=clock.now()), wiring_of(app).box

    with pytest.raises(Problem, match=words):
        accounts.create_administrator(db.session(), permit, box, username=username, address=address, now=clock.now())


def test_another_permit_edits_no_profile(clock: SettableClock, people: People, notices: Notices) -> None:
    ana = people.a_user("ana").build()

    with pytest.raises(PermitMismatch):
        accounts.edit_profile(
            db.session(),
            permit_for(ana, Action.VIEW_ACCOUNT, now=clock.now()),
            public_email="",
            full_name="Eve",
            now=clock.now(),
        )
