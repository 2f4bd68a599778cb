"""Where one is signed in: seen in one list, and ended from there at once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import sessions
from domain.identity.sessions import ABSOLUTE, HALF_LASTS, IDLE
from models import BrowserSession, Event, User, db
from tests.browsing import Browser, Page
from tests.builders import PASSWORD, People, code_of
from tests.requirements import requirement
from tests.signing_in import (
    RECOVERY_STEP,
    give_code,
    give_password,
    is_signed_in,
    recovery_code_of,
    sign_in,
    sign_out,
)

SESSIONS, CONFIRM = "/manage/account/sessions/", "/account/reauthenticate/"
END_OTHERS = f"{SESSIONS}end-others"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def here(browser: Browser, clock: SettableClock, ana: User) -> Browser:
    """The browser in which ana has just signed in."""
    sign_in(browser, ana, clock)
    return browser


@pytest.fixture
def there(app: Flask, clock: SettableClock, ana: User) -> Browser:
    """Another one: a phone, from another address."""
    browser = Browser(app, address="198.51.100.9")
    browser.environ["HTTP_USER_AGENT"] = PHONE
    sign_in(browser, ana, clock)
    return browser


def rows(page: Page) -> list[str]:
    """The words of each row about a session, the heads of the columns aside."""
    table = next(iter(page.root.iter("table")))
    return [" ".join("".join(row.itertext()).split()) for row in table.iter("tr")][1:]


def session_ids(user_id: int) -> list[int]:
    """The account's full sessions, in the order in which they began."""
    db.session.rollback()
    full = (BrowserSession.user_id == user_id) & (BrowserSession.level == "full")
    return list(db.session.scalars(sa.select(BrowserSession.id).where(full).order_by(BrowserSession.stepped_up_at)))


def end(session_id: int) -> str:
    return f"{SESSIONS}{session_id}/end"


def tags() -> list[str]:
    db.session.rollback()
    ended = sa.select(Event.tag).where(Event.tag.startswith("account:session")).order_by(Event.id)
    return list(db.session.scalars(ended))


# --- the list ---------------------------------------------------------------------------------------------------------


@requirement("R61")
def test_each_session_is_listed_with_browser_address_method_and_times(
    here: Browser, there: Browser, clock: SettableClock
) -> None:
    clock.advance(timedelta(minutes=30))
    here.get("/manage/account/")

    newest, other = rows(here.page(SESSIONS))

    for words in (
        "Firefox on Linux",
        "This one",
        "by authenticator app",
        "203.0.113.7",
        "22 Nov 2026, 14:05 UTC",
        "Now",
    ):
        assert words in newest
    for words in ("Safari on iPhone", "by authenticator app", "198.51.100.9", "22 Nov 2026, 14:06 UTC", "End"):
        assert words in other
    assert "This one" not in other


def test_how_one_came_in_is_said(app: Flask, browser: Browser, people: People, ana: User) -> None:
    give_password(browser)
    browser.post(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana))
    newt = Browser(app).sign_in(people.a_user("newt").build())
    sign_out(newt)
    give_password(newt, "newt")

    assert "by recovery code" in rows(browser.page(SESSIONS))[0]
    assert "by password" in rows(newt.page(SESSIONS))[0]


@requirement("R61")
def test_only_ones_own_whole_and_living_sessions_are_listed(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    asleep = Browser(app, address="198.51.100.1")
    sign_in(asleep, ana, clock)
    clock.advance(IDLE + timedelta(seconds=1))
    half = Browser(app, address="198.51.100.2")
    give_password(half)
    sign_in(Browser(app, address="198.51.100.3"), people.a_member("bo"), clock)
    Browser(app, address="198.51.100.4").get("/account/login/")
    here = Browser(app)
    sign_in(here, ana, clock)

    page = here.page(SESSIONS)

    assert len(rows(page)) == 1
    assert "198.51.100." not in page.text


def test_what_a_browser_calls_itself_is_repeated_nowhere(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    browser.environ["HTTP_USER_AGENT"] = "<b>Your bank</b> \u00e9"
    sign_in(browser, ana, clock)

    page = browser.page(SESSIONS)

    assert "an unknown program" in page.text
    assert "Your bank" not in page.html


def test_it_is_there_without_a_second_factor_and_for_nobody_else(app: Flask, browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("newt").build())

    assert browser.page(SESSIONS).h1 == "Where you are signed in"
    assert Browser(app).get(SESSIONS).headers["Location"].startswith("/account/login/")


# --- ending them ------------------------------------------------------------------------------------------------------


@requirement("R61")
def test_one_is_ended_at_once_and_the_others_go_on(
    app: Flask, here: Browser, there: Browser, clock: SettableClock, ana: User
) -> None:
    third = Browser(app)
    sign_in(third, ana, clock)
    _, phone, _ = session_ids(ana.id)

    page = here.submit(end(phone))

    assert "That session is over." in page.text
    assert len(rows(page)) == 2
    assert not is_signed_in(there)
    assert is_signed_in(here)
    assert is_signed_in(third)


def test_it_stands_in_the_journal(here: Browser, there: Browser, ana: User) -> None:
    user_id = ana.id
    here.submit(end(session_ids(user_id)[1]))

    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:session:revoked")).one()

    assert (event.actor_id, event.user_id, event.address) == (user_id, user_id, "203.0.113.7")
    assert event.details == {"method": "authenticator app", "address": "198.51.100.9"}
    assert "Session from 198.51.100.9 ended" in here.page("/manage/account/history/").text


def test_one_that_was_ended_already_is_not_there_any_more(here: Browser, there: Browser, ana: User) -> None:
    phone = session_ids(ana.id)[1]
    here.submit(end(phone))

    assert here.post(end(phone)).status_code == 404
    assert tags() == ["account:session:revoked"]


@requirement("R61")
def test_a_session_that_somebody_else_has_is_none(
    app: Flask, here: Browser, clock: SettableClock, people: People, ana: User
) -> None:
    bo = people.a_member("bo")
    bos = Browser(app)
    sign_in(bos, bo, clock)
    theirs = session_ids(bo.id)[0]

    for session_id in (theirs, theirs + 100, 0, 10**30):
        assert here.post(end(session_id)).status_code == 404
    assert is_signed_in(bos)


def test_this_one_is_ended_by_signing_out(here: Browser, ana: User) -> None:
    answer = here.post(end(session_ids(ana.id)[0]))

    assert answer.headers["Location"] == "/account/logout/"
    assert is_signed_in(here)
    assert tags() == []


@requirement("R61")
def test_all_others_are_ended_at_once_those_half_way_too(
    app: Flask, here: Browser, there: Browser, clock: SettableClock, people: People, ana: User
) -> None:
    bos, half = Browser(app), Browser(app)
    sign_in(bos, people.a_member("bo"), clock)
    give_password(half)

    page = here.submit(END_OTHERS)

    assert "All other sessions are over" in page.text
    assert len(rows(page)) == 1
    assert is_signed_in(here)
    assert is_signed_in(bos)
    give_code(half, ana, clock)
    assert not is_signed_in(half)
    assert not is_signed_in(there)
    assert tags() == ["account:sessions:ended"]


@requirement("R61")
def test_ending_wants_to_know_who_one_is_and_leads_back(
    here: Browser, there: Browser, clock: SettableClock, ana: User
) -> None:
    phone = session_ids(ana.id)[1]
    clock.advance(timedelta(minutes=15))

    asked = [here.post(path).headers["Location"] for path in (end(phone), END_OTHERS)]
    here.post(end(phone))
    confirming = here.page(CONFIRM)
    answer = here.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    assert asked == [CONFIRM, CONFIRM]
    assert "End a session “Safari on iPhone”" in confirming.text
    assert is_signed_in(there)
    assert answer.headers["Location"] == SESSIONS


def test_it_is_possible_without_a_second_factor_and_before_the_address_is_verified(app: Flask, people: People) -> None:
    people.a_user("newt").build()
    first, second = Browser(app), Browser(app)
    for browser in (first, second):
        give_password(browser, "newt")

    second.submit(END_OTHERS)

    assert not is_signed_in(first)
    assert is_signed_in(second)


def test_opening_its_addresses_ends_nothing(here: Browser, there: Browser, ana: User) -> None:
    phone = session_ids(ana.id)[1]

    assert [here.get(path).status_code for path in (end(phone), END_OTHERS)] == [405, 405]
    assert is_signed_in(there)


# --- how long they last -----------------------------------------------------------------------------------------------


@requirement("R60")
@pytest.mark.parametrize(("is_admin", "lasts"), [(False, timedelta(hours=24)), (True, timedelta(hours=12))])
def test_an_administrators_session_ends_sooner_however_busy(
    browser: Browser, clock: SettableClock, ana: User, is_admin: bool, lasts: timedelta
) -> None:
    db.session.execute(sa.update(User).values(is_admin=is_admin))
    db.session.commit()
    sign_in(browser, ana, clock)
    began = clock.now()
    while clock.now() - began < lasts - IDLE:
        clock.advance(IDLE)
        assert is_signed_in(browser)
    clock.set(began + lasts - timedelta(seconds=1))
    page = browser.page(SESSIONS)

    clock.set(began + lasts)

    assert f"after {lasts // timedelta(hours=1)} hours at the latest" in page.text
    assert not is_signed_in(browser)


@requirement("R60")
def test_confirming_that_it_is_you_makes_none_last_longer(browser: Browser, clock: SettableClock, ana: User) -> None:
    sign_in(browser, ana, clock)
    began = clock.now()
    for _ in range(23):
        clock.advance(timedelta(hours=1))
        assert is_signed_in(browser)
    browser.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    clock.set(began + ABSOLUTE)

    assert not is_signed_in(browser)


@requirement("R60")
def test_an_hour_without_use_ends_one_on_the_next_request(browser: Browser, clock: SettableClock, ana: User) -> None:
    sign_in(browser, ana, clock)
    clock.advance(timedelta(hours=1))
    assert is_signed_in(browser)

    clock.advance(timedelta(hours=1, seconds=1))

    assert not is_signed_in(browser)


def test_the_sweep_removes_those_that_are_over_and_no_others(app: Flask, clock: SettableClock, ana: User) -> None:
    asleep, here = Browser(app), Browser(app)
    sign_in(asleep, ana, clock)
    clock.advance(HALF_LASTS)
    sign_in(here, ana, clock)
    db.session.rollback()
    clock.advance(IDLE - timedelta(minutes=5))

    sessions.sweep(db.session(), now=clock.now())
    db.session.commit()

    assert len(session_ids(ana.id)) == 1
    assert is_signed_in(here)
