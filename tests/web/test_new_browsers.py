"""A sign-in from a browser that the account has not seen is told to its owner, if a fake page could have led to it."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import browsers, sign_ins
from domain.identity.browsers import KNOWN_FOR
from domain.identity.sign_ins import Method
from models import Email, KnownBrowser, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People
from tests.letters import letters, link_to, notices_to
from tests.permits import ORIGIN
from tests.signing_in import (
    RECOVERY_STEP,
    give_code,
    give_password,
    is_signed_in,
    kept_cookie,
    recovery_code_of,
    sign_in,
    sign_out,
    with_copied_cookie,
)

ADDRESS, SECOND, NEW_BROWSER = "ana@mail.example", "second@mail.example", "sign-in-from-new-browser"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_user("ana").verified().also(SECOND, verified=True).with_totp().with_recovery_codes().build()


def told(address: str = ADDRESS) -> int:
    """How many mails tell an address of a new browser."""
    return notices_to(address).count(NEW_BROWSER)


def test_every_verified_address_is_told_with_what_where_and_how_to_undo_it(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    sign_in(Browser(app, address="198.51.100.9"), ana, clock)

    assert (told(), told(SECOND)) == (1, 1)
    letter = letters(SECOND)[-1]
    for words in (
        f"{clock.now():%H:%M} UTC",
        "198.51.100.9",
        "Firefox on Linux",
        "http://localhost:8000/manage/account/sessions/",
        "http://localhost:8000/account/request-password-reset/",
    ):
        assert words in letter.text
    assert "with password and authenticator app" in " ".join(letter.text.split())


def test_an_address_that_is_not_verified_is_not_told(app: Flask, clock: SettableClock, ana: User) -> None:
    db.session.execute(sa.update(Email).where(Email.address == SECOND).values(verified_at=None))
    db.session.commit()

    sign_in(Browser(app), ana, clock)

    assert (told(), told(SECOND)) == (1, 0)


def test_a_recovery_code_and_a_password_alone_are_told_too(app: Flask, people: People, ana: User) -> None:
    people.a_user("newt").verified().build()
    by_code, by_password = Browser(app), Browser(app)

    give_password(by_code)
    by_code.post(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana))
    give_password(by_password, "newt")

    assert "with password and recovery code" in " ".join(letters(ADDRESS)[-1].text.split())
    assert "with password, from a browser" in " ".join(letters("newt@mail.example")[-1].text.split())


def test_the_second_time_the_browser_is_known(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    sign_in(browser, ana, clock)
    sign_out(browser)

    sign_in(browser, ana, clock)

    assert told() == 1
    row = db.session.scalars(sa.select(KnownBrowser)).one()
    assert (row.first_seen_at, row.last_seen_at) == (clock.now() - timedelta(seconds=30), clock.now())


def test_another_address_is_the_same_browser(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    sign_in(browser, ana, clock)
    sign_out(browser)
    browser.environ["REMOTE_ADDR"] = "198.51.100.77"

    sign_in(browser, ana, clock)

    assert told() == 1
    assert db.session.scalars(sa.select(KnownBrowser.address)).one() == "198.51.100.77"


def test_the_same_address_is_another_browser(app: Flask, clock: SettableClock, ana: User) -> None:
    for _ in range(2):
        sign_in(Browser(app), ana, clock)

    assert told() == 2


def test_half_a_sign_in_makes_no_browser_known(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    give_password(browser)
    assert kept_cookie(browser) is None

    give_code(browser, ana, clock)

    assert told() == 1


def test_each_account_knows_its_own_browsers(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    browser = Browser(app)
    sign_in(browser, ana, clock)
    sign_out(browser)

    sign_in(browser, people.a_member("bo"), clock)

    assert told("bo@mail.example") == 1
    handles = db.session.scalars(sa.select(KnownBrowser.handle_hash)).all()
    assert (len(handles), len(set(handles))) == (2, 1)


def test_whoever_registers_is_not_told_then_nor_later(app: Flask, browser: Browser) -> None:
    fields = {"new_password": PASSWORD, "password_confirm": PASSWORD}
    browser.submit("/account/register/", {"username": "newt", "email": "newt@mail.example", **fields})
    sign_out(browser)

    give_password(browser, "newt")

    assert is_signed_in(browser)
    assert notices_to("newt@mail.example") == ["verify-email"]


@pytest.mark.parametrize("method", list(Method))
def test_what_no_fake_page_can_have_is_not_told_but_makes_the_browser_known(
    app: Flask, clock: SettableClock, ana: User, method: Method
) -> None:
    arrival = sign_ins.complete(
        db.session(), wiring_of(app).notices, ana, method=method, handle=None, origin=ORIGIN, now=clock.now()
    )
    handle, user_id = arrival.browser.handle, ana.id
    db.session.commit()

    assert told() == (1 if method in (Method.PASSWORD, Method.APP, Method.RECOVERY_CODE) else 0)
    assert browsers.find(db.session(), user_id, handle, now=clock.now()) is not None


def test_a_change_of_the_password_leaves_the_browser_that_made_it_known(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    here, there = Browser(app), Browser(app)
    for browser in (there, here):
        sign_in(browser, ana, clock)
    new = "a wholly different horse 7"
    here.submit("/manage/account/password/", password=PASSWORD, new_password=new, password_confirm=new)

    assert not is_signed_in(there)
    sign_out(here)
    for browser in (here, there):
        browser.post("/account/login/", username="ana", password=new)
        give_code(browser, ana, clock)
        assert is_signed_in(browser)

    assert told() == 3


def test_a_reset_of_the_password_leaves_no_browser_known(app: Flask, clock: SettableClock, ana: User) -> None:
    browser, new = Browser(app), "a wholly different horse 7"
    sign_in(browser, ana, clock)
    browser.submit("/account/request-password-reset/", username_or_email="ana")
    browser.submit(link_to(ADDRESS), new_password=new, password_confirm=new)

    browser.post("/account/login/", username="ana", password=new)
    give_code(browser, ana, clock)

    assert is_signed_in(browser)
    assert told() == 2


def test_a_browser_that_stayed_away_for_long_is_new_again(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    sign_in(browser, ana, clock)
    clock.advance(KNOWN_FOR)

    sign_in(browser, ana, clock)

    assert told() == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(KnownBrowser)) == 1


@pytest.mark.parametrize(("later", "left"), [(KNOWN_FOR, 1), (KNOWN_FOR + timedelta(seconds=1), 0)])
def test_the_sweep_forgets_browsers_that_never_came_back(
    app: Flask, clock: SettableClock, ana: User, later: timedelta, left: int
) -> None:
    sign_in(Browser(app), ana, clock)
    db.session.rollback()

    browsers.sweep(db.session(), now=clock.now() + later)
    db.session.commit()

    assert db.session.scalar(sa.select(sa.func.count()).select_from(KnownBrowser)) == left


@pytest.mark.parametrize("value", ["", "x", "a" * 44, "ä" * 43, "a" * 4000])
def test_what_cannot_be_our_cookie_is_a_new_browser_and_replaced(
    app: Flask, clock: SettableClock, ana: User, value: str
) -> None:
    browser = with_copied_cookie(app, value)

    sign_in(browser, ana, clock)

    handle = kept_cookie(browser)
    assert told() == 1
    assert handle is not None
    assert re.fullmatch(r"[\w-]{43}", handle, re.ASCII)
    assert handle != value
