"""Changing the password while signed in."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.throttle import PASSWORD_OF_ACCOUNT, PRESENCE
from models import Event, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.letters import letters, notices_to
from tests.requirements import requirement

PAGE, LOGIN = "/manage/account/password/", "/account/login/"
NEW = "quiet lantern over seven harbours"


def change(browser: Browser, current: str = PASSWORD, new: str = NEW) -> int:
    return browser.post(PAGE, password=current, new_password=new, password_confirm=new).status_code


@requirement("R73")
def test_the_form_helps_password_managers(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    page = browser.page(PAGE)

    tokens = {field.get("name"): field.get("autocomplete") for field in page.root.iter("input")}
    assert (tokens["username"], tokens["password"]) == ("username", "current-password")
    assert tokens["new_password"] == tokens["password_confirm"] == "new-password"
    assert page.value("username") == "ana"


def test_the_new_password_counts_and_the_old_one_does_not(app: Flask, browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    page = browser.submit(PAGE, password=PASSWORD, new_password=NEW, password_confirm=NEW)

    assert page.response.request.path == "/manage/account/"
    assert "Your password is changed" in page.text
    assert Browser(app).post(LOGIN, username="ana", password=PASSWORD).status_code == 422
    assert Browser(app).post(LOGIN, username="ana", password=NEW).status_code == 303


@requirement("R57", "R62")
def test_other_browsers_are_signed_out_and_this_one_gets_a_new_handle(
    app: Flask, browser: Browser, people: People
) -> None:
    ana = people.a_user("ana").verified().build()
    other = Browser(app).sign_in(ana)
    browser.sign_in(ana)
    copied = Browser(app)
    copied.client.set_cookie("countersign", browser.client.get_cookie("countersign").value, domain="localhost")  # type: ignore[union-attr]

    change(browser)

    assert browser.get("/manage/account/").status_code == 200
    assert other.get("/manage/account/").status_code == 303
    assert copied.get("/manage/account/").status_code == 303


def test_the_owner_is_told_when_from_where_and_with_what(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    change(browser)

    assert notices_to("ana@mail.example") == ["password-changed"]
    for words in ("22 Nov 2026, 14:05 UTC", "203.0.113.7", "Firefox on Linux", "If this was not you"):
        assert words in letters("ana@mail.example")[0].text


def test_a_wrong_current_password_changes_nothing_and_is_written_down(
    app: Flask, browser: Browser, people: People
) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    page = browser.submit(PAGE, status=422, password="wrong horse", new_password=NEW, password_confirm=NEW)

    assert "This is not your current password" in page.text
    assert NEW not in page.html
    assert db.session.scalars(sa.select(Event.tag)).all() == ["account:password:change_refused"]
    assert letters() == []
    assert Browser(app).post(LOGIN, username="ana", password=PASSWORD).status_code == 303


@requirement("R105")
def test_wrong_ones_spend_a_budget(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    for _ in range(PRESENCE.limits[0].most):
        assert change(browser, current="wrong horse") == 422

    assert change(browser) == 429


@requirement("R28")
def test_a_stranger_who_guesses_at_the_sign_in_stops_nobody_who_is_signed_in(
    app: Flask, browser: Browser, people: People
) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    stranger, tries = Browser(app, address="198.51.100.9"), PASSWORD_OF_ACCOUNT.limits[0].most + 1
    answers = [stranger.post(LOGIN, username="ana", password="wrong horse").status_code for _ in range(tries)]

    assert answers[-1] == 429
    assert change(browser) == 303


@pytest.mark.parametrize(
    "weak", ["short", "password1234", "ana@mail.example", "anaanaanaana", "", " " * 20, "a" * 5000]
)
def test_a_weak_new_password_is_refused(browser: Browser, people: People, weak: str) -> None:
    ana = people.a_user("ana").verified().build()
    kept = ana.password_hash
    browser.sign_in(ana)

    assert change(browser, new=weak) == 422

    db.session.rollback()
    assert db.session.get_one(User, ana.id).password_hash == kept


def test_two_that_differ_are_refused(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    page = browser.submit(PAGE, status=422, password=PASSWORD, new_password=NEW, password_confirm=NEW + ".")

    assert "The two passwords are not the same" in page.text


def test_second_factors_stay(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member("ana"))

    change(browser)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(TotpApp)) == 1


@requirement("R65")
def test_an_open_browser_has_to_confirm_after_a_while(browser: Browser, people: People, clock: SettableClock) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    clock.advance(timedelta(minutes=16))

    assert browser.get(PAGE).headers["Location"].startswith("/account/reauthenticate/")
    assert browser.post(PAGE).headers["Location"].startswith("/account/reauthenticate/")
