"""Confirming that it is you, and coming back to what was asked for."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import BrowserSession, Event, RecoveryCode, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.requirements import requirement

CONFIRM, CODES = "/account/reauthenticate/", "/manage/account/recovery-codes/"
MAKE = f"{CODES}generate"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def confirmed_at(user: User) -> object:
    db.session.rollback()
    return db.session.scalars(sa.select(BrowserSession.confirmed_at).where(BrowserSession.user_id == user.id)).one()


def test_what_was_asked_stands_on_the_page_and_opens_afterwards(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=15))

    asked = browser.submit(MAKE)
    answer = browser.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    assert asked.h1 == "Confirm it is you"
    assert "Make new recovery codes" in asked.text
    assert answer.headers["Location"] == CODES
    assert browser.post(MAKE).headers["Location"] == CODES
    assert confirmed_at(ana) == clock.now()


def test_a_button_that_was_pressed_before_is_said_to_have_done_nothing(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=15))

    browser.submit(MAKE)
    page = browser.submit(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    assert "Confirmed. You asked to make new recovery codes: that is not done yet. Go on here." in page.text


def test_of_a_page_that_was_only_opened_nothing_is_said(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=15))

    browser.page("/manage/account/totp-provision")
    page = browser.submit(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    assert page.h1 == "Connect another authenticator app"
    assert "not done yet" not in page.text


def test_with_nothing_kept_it_leads_to_the_account(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)

    answer = browser.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    assert answer.headers["Location"] == "/manage/account/"


@requirement("R57")
def test_a_form_token_from_before_is_dead_afterwards(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    before = browser.form_token()

    browser.post(CONFIRM, csrf_token=before, password=PASSWORD, totp_value=code_of(ana, clock))

    assert browser.post(MAKE, csrf_token=before).status_code == 400
    assert browser.post(MAKE).status_code == 303


@requirement("R65")
def test_confirming_counts_for_the_session_whatever_its_address_and_for_no_other(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    other = Browser(app).sign_in(ana)
    clock.advance(timedelta(minutes=20))

    browser.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    browser.environ["REMOTE_ADDR"] = "198.51.100.77"
    assert other.post(MAKE).headers["Location"] == CONFIRM
    assert browser.post(MAKE).headers["Location"] == CODES


@requirement("R33")
def test_a_recovery_code_confirms_nobody_who_has_an_app(browser: Browser, clock: SettableClock, ana: User) -> None:
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=20))

    for fields in ({"totp_value": code}, {"recovery_code_value": code}):
        browser.post(CONFIRM, {"password": PASSWORD, **fields})

    assert browser.post(MAKE).headers["Location"] == CONFIRM
    unused = sa.select(sa.func.count()).where(RecoveryCode.used_at.is_(None))
    assert db.session.scalar(unused) == 10


@requirement("R57")
def test_the_session_gets_a_new_handle(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    before = browser.client.get_cookie("countersign")

    browser.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    after = browser.client.get_cookie("countersign")
    assert before is not None
    assert after is not None
    assert before.value != after.value


@pytest.mark.parametrize(
    ("password", "code", "words"),
    [
        ("", "right", "Type your password."),
        ("wrong horse battery staple 9", "right", "This is not your password."),
        (PASSWORD, "", "Type the six digits that your app shows."),
        (PASSWORD, "000000", "That code does not match."),
        ("x" * 100_000, "right", "This is not your password."),
    ],
)
def test_both_must_be_right(
    browser: Browser, clock: SettableClock, ana: User, password: str, code: str, words: str
) -> None:
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=20))
    code = code_of(ana, clock) if code == "right" else code

    page = browser.submit(CONFIRM, password=password, totp_value=code, status=422)

    assert words in page.text
    assert page.value("totp_value") == ""
    assert not page.value("password")
    assert browser.post(MAKE).headers["Location"] == CONFIRM


def test_without_an_app_the_password_is_enough(browser: Browser, clock: SettableClock, people: People) -> None:
    browser.sign_in(people.a_user("newt").verified().build())
    clock.advance(timedelta(minutes=20))

    asked = browser.page("/manage/account/totp-provision")
    page = browser.submit(CONFIRM, password=PASSWORD)

    assert asked.value("totp_value") is None
    assert page.h1 == "Connect your authenticator app"


def test_a_code_that_confirmed_does_not_sign_in_as_well(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    code = code_of(ana, clock)
    browser.sign_in(ana)
    browser.post(CONFIRM, password=PASSWORD, totp_value=code)
    thief = Browser(app)
    thief.submit("/account/login/", username="ana", password=PASSWORD)

    page = thief.submit("/account/two-factor/", totp_value=code, status=422)

    assert "This code was already used." in page.text


@requirement("R105")
def test_codes_are_guessed_here_out_of_the_budget_of_signing_in(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    for _ in range(5):
        browser.submit(CONFIRM, password=PASSWORD, totp_value="000000", status=422)

    page = browser.submit(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock), status=429)
    other = Browser(app)
    other.submit("/account/login/", username="ana", password=PASSWORD)
    at_sign_in = other.submit("/account/two-factor/", totp_value=code_of(ana, clock), status=429)

    assert "Too many wrong codes. Try again after 14:10 UTC" in page.text
    assert page.response.headers["Retry-After"] == "300"
    assert "Too many wrong codes." in at_sign_in.text


@requirement("R105")
def test_passwords_are_guessed_here_out_of_a_budget(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    for _ in range(10):
        browser.submit(CONFIRM, password="wrong horse battery staple", totp_value="", status=422)

    page = browser.submit(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock), status=429)

    assert "Too many wrong passwords." in page.text


@requirement("R28")
def test_a_stranger_who_guesses_at_the_sign_in_does_not_stand_in_the_way(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    stranger = Browser(app, address="198.51.100.9")
    wrong = {"username": "ana", "password": "wrong horse battery staple"}
    answers = [stranger.post("/account/login/", wrong).status_code for _ in range(11)]

    assert answers[-1] == 429
    assert browser.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock)).status_code == 303


def test_a_wrong_password_spends_no_code(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    code = code_of(ana, clock)
    browser.submit(CONFIRM, password="wrong horse battery staple", totp_value=code, status=422)

    assert browser.post(CONFIRM, password=PASSWORD, totp_value=code).status_code == 303


@requirement("R100")
def test_it_is_noted_in_the_journal(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)

    browser.submit(CONFIRM, password="wrong horse battery staple", totp_value="", status=422)
    browser.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    events = list(db.session.scalars(sa.select(Event).where(Event.tag.like("account:presence:%")).order_by(Event.id)))
    assert [event.tag for event in events] == ["account:presence:refused", "account:presence:confirmed"]
    assert [event.details for event in events] == [{"reason": "wrong password"}, {"by": "password and code"}]


def test_nobody_else_may_confirm(browser: Browser, ana: User) -> None:
    assert browser.get(CONFIRM).headers["Location"].startswith("/account/login/")
