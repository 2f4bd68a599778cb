"""Somebody knew the password and gave no second factor: its owner is told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from blueprints import wiring
from domain import upkeep
from domain.identity.sessions import HALF_LASTS
from models import Ceremony, Event, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.letters import letters, notices_to
from tests.races import at_once
from tests.requirements import requirement
from tests.signing_in import (
    RECOVERY_STEP,
    SECOND_STEP,
    give_code,
    give_password,
    is_signed_in,
    recovery_code_of,
    sign_in,
    sign_out,
)

ADDRESS, UNFINISHED = "ana@mail.example", "sign-in-unfinished"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def sweep(clock: SettableClock) -> None:
    found = wiring.services()
    upkeep.sweep(db.session(), found.store, found.box, found.notices, now=clock.now())
    db.session.commit()


def after_a_while(clock: SettableClock, wait: timedelta = HALF_LASTS) -> None:
    """Time passes, and the sweep comes by."""
    db.session.rollback()
    clock.advance(wait)
    sweep(clock)


def told(address: str = ADDRESS) -> int:
    """How many mails tell of an unfinished sign-in."""
    return notices_to(address).count(UNFINISHED)


def noted(user_id: int | None = None) -> int:
    """How many of them stand in the journal, of one account or of all."""
    db.session.rollback()
    events = sa.select(sa.func.count()).select_from(Event).where(Event.tag == "account:sign_in:unfinished")
    return db.session.scalar(events if user_id is None else events.where(Event.user_id == user_id)) or 0


@requirement("R15")
def test_whoever_stops_after_the_password_is_told_of_by_mail_and_in_the_journal(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    user_id, typed_at = ana.id, clock.now()
    give_password(Browser(app, address="198.51.100.9"))

    after_a_while(clock)

    letter = letters(ADDRESS)[-1]
    assert letter.notice == UNFINISHED
    assert "Somebody typed the right password" in " ".join(letter.text.split())
    for words in (f"{typed_at:%H:%M} UTC", "198.51.100.9", "Firefox on Linux", "/account/request-password-reset/"):
        assert words in letter.text
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:sign_in:unfinished")).one()
    assert (event.user_id, event.actor_id, event.address) == (user_id, None, "198.51.100.9")


def test_within_the_ten_minutes_nobody_is_told(app: Flask, clock: SettableClock, ana: User) -> None:
    give_password(Browser(app))

    after_a_while(clock, HALF_LASTS - timedelta(seconds=1))

    assert (told(), noted()) == (0, 0)


def test_every_verified_address_is_told(app: Flask, clock: SettableClock, people: People) -> None:
    people.a_user("ana").verified().also("second@mail.example", verified=True).with_totp().build()
    give_password(Browser(app))

    after_a_while(clock)

    assert (told(), told("second@mail.example")) == (1, 1)


def test_a_code_finishes_it(app: Flask, clock: SettableClock, ana: User) -> None:
    sign_in(Browser(app), ana, clock)

    after_a_while(clock)

    assert (told(), noted()) == (0, 0)


def test_a_recovery_code_finishes_it(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    give_password(browser)
    browser.post(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana))

    after_a_while(clock)

    assert is_signed_in(browser)
    assert (told(), noted()) == (0, 0)


def test_without_a_second_factor_there_is_nothing_to_finish(app: Flask, clock: SettableClock, people: People) -> None:
    people.a_user("ana").verified().build()
    give_password(Browser(app))

    after_a_while(clock)

    assert (told(), noted()) == (0, 0)


def test_in_a_browser_that_the_account_knows_it_was_the_owner(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    sign_in(browser, ana, clock)
    sign_out(browser)
    give_password(browser)

    after_a_while(clock)

    assert (told(), noted()) == (0, 0)


def test_a_browser_that_another_account_knows_is_as_good_as_any(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    browser = Browser(app)
    sign_in(browser, people.a_member("bo"), clock)
    sign_out(browser)
    give_password(browser)

    after_a_while(clock)

    assert told() == 1


def test_signing_out_half_way_hides_nothing(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    give_password(browser)
    browser.post("/account/logout/")

    after_a_while(clock)

    assert told() == 1


@requirement("R15")
def test_five_wrong_codes_hide_nothing(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    give_password(browser)
    statuses = [browser.post(SECOND_STEP, totp_value="000000").status_code for _ in range(5)]

    after_a_while(clock)

    assert statuses == [422, 422, 422, 422, 429]
    assert told() == 1


@requirement("R15")
@pytest.mark.parametrize("has_factor", [True, False])
def test_signing_in_to_an_account_of_ones_own_in_the_same_browser_hides_nothing(
    app: Flask, clock: SettableClock, people: People, ana: User, has_factor: bool
) -> None:
    builder = people.a_user("eve").verified()
    eve = builder.with_totp().build() if has_factor else builder.build()
    browser = Browser(app)
    give_password(browser)

    give_password(browser, "eve")
    if has_factor:
        give_code(browser, eve, clock)
    after_a_while(clock)

    assert is_signed_in(browser)
    assert (told(), told("eve@mail.example")) == (1, 0)


def test_the_owners_own_sign_in_meanwhile_hides_nothing(app: Flask, clock: SettableClock, ana: User) -> None:
    give_password(Browser(app, address="198.51.100.9"))

    sign_in(Browser(app), ana, clock)
    after_a_while(clock)

    assert told() == 1


def test_a_second_factor_that_comes_too_late_does_not_count(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    give_password(browser)
    clock.advance(HALF_LASTS)

    give_code(browser, ana, clock)
    after_a_while(clock, timedelta())

    assert not is_signed_in(browser)
    assert told() == 1


@requirement("R15")
def test_there_is_one_mail_a_day_and_an_event_each(app: Flask, clock: SettableClock, ana: User) -> None:
    user_id = ana.id
    for _ in range(3):
        give_password(Browser(app))
        after_a_while(clock)
    assert (told(), noted(user_id)) == (1, 3)

    give_password(Browser(app))
    after_a_while(clock, timedelta(days=1))

    assert (told(), noted(user_id)) == (2, 4)


def test_each_account_has_its_own_mail(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    people.a_member("bo")
    browser = Browser(app)
    give_password(browser)
    give_password(browser, "bo")

    after_a_while(clock)

    assert (told(), told("bo@mail.example")) == (1, 1)
    assert noted() == 2


def test_the_sweep_leaves_nothing_behind(app: Flask, clock: SettableClock, ana: User) -> None:
    give_password(Browser(app))

    after_a_while(clock)
    after_a_while(clock, timedelta())

    assert (told(), noted()) == (1, 1)
    assert db.session.scalars(sa.select(Ceremony)).all() == []


def test_it_is_kept_without_the_password(app: Flask, ana: User) -> None:
    give_password(Browser(app))

    row = db.session.scalars(sa.select(Ceremony)).one()

    assert row.session_id is None
    assert PASSWORD.encode() not in row.payload_sealed


@requirement("R15")
def test_two_sweeps_at_once_write_one_mail_and_one_event_each(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    people.a_member("ana")
    people.a_member("bo")
    for username in ("ana", "ana", "bo"):
        give_password(Browser(either_app), username)
    db.session.rollback()
    clock.advance(HALF_LASTS)

    refusals = at_once(either_app, *(lambda: sweep(clock) for _ in range(4)))

    assert refusals == [None] * 4
    assert (told(), told("bo@mail.example")) == (1, 1)
    assert noted() == 3
