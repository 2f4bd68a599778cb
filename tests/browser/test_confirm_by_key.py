"""Confirming that it is you by a key in a real browser, and coming back to what was begun."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.authenticators import Authenticators
from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.resident import CONFIRM, TOKENS, Resident
from tests.browser.visitor import USE_KEY
from tests.builders import PASSWORD

pytestmark = pytest.mark.browser


def test_a_passkey_leads_back_to_the_filled_form(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    page.goto(TOKENS)
    ana.field("description").fill("laptop of Ana")
    ana.field("expires").select_option("30")
    ana.let_an_hour_pass()

    ana.press("Create token")
    ana.arrives_at("Confirm it is you")
    ana.press(USE_KEY)
    ana.arrives_at("Create an API token")
    kept = ana.field("description").input_value(), ana.field("expires").input_value()
    ana.press("Create token")

    ana.arrives_at("Copy your token now")
    assert kept == ("laptop of Ana", "30")


def test_a_key_that_does_not_check_its_owner_needs_the_password_beside_it(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live, has_app=False), Authenticators(page).add_security_key()
    ana.be_signed_in()
    ana.add_key("Blue key")
    ana.let_an_hour_pass()

    page.goto(TOKENS)
    ana.press(USE_KEY)
    ana.is_told("This key has not shown that it checks who you are. Type your password, then use it again.")
    expect(ana.field("password")).to_be_focused()
    ana.field("password").fill("not the password")
    ana.press(USE_KEY)
    ana.is_told("This is not your password.")
    ana.field("password").fill(PASSWORD)
    ana.press(USE_KEY)

    ana.arrives_at("Create an API token")


def test_enter_in_the_password_field_asks_the_key(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live, has_app=False), Authenticators(page).add_security_key()
    ana.be_signed_in()
    ana.add_key("Blue key")
    ana.let_an_hour_pass()

    page.goto(TOKENS)
    ana.field("password").fill(PASSWORD)
    expect(page.get_by_role("button", name=USE_KEY)).to_be_enabled()  # its script is there
    ana.field("password").press("Enter")

    ana.arrives_at("Create an API token")


def test_after_a_typed_error_the_key_still_leads_on(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    ana.let_an_hour_pass()
    page.goto(TOKENS)
    ana.field("password").fill("not the password")
    ana.press("Confirm")
    expect(page.locator("#errors")).to_be_focused()

    ana.press(USE_KEY)

    ana.arrives_at("Create an API token")


def test_whoever_was_signed_out_meanwhile_is_led_to_sign_in(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_security_key()
    ana.be_signed_in()
    ana.add_key("Blue key")
    page.goto(CONFIRM)
    ana.field("password").fill("not the password")
    ana.press("Confirm")
    expect(page.locator("#errors")).to_be_focused()
    ana.be_signed_out_elsewhere()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {urlsplit(request.url).path}"))

    ana.press(USE_KEY)

    ana.arrives_at("Sign in")
    assert f"POST {CONFIRM}" not in sent  # what was typed is not sent again behind one's back


def test_a_key_of_somebody_else_confirms_nobody(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, plugged_in = Resident(page, live), Authenticators(page)
    ana.be_signed_in()
    key = plugged_in.add_security_key()
    ana.add_key("Blue key")
    key.unplug()
    plugged_in.add_security_key()

    page.goto(CONFIRM)
    ana.press(USE_KEY)

    ana.is_told("It was cancelled, or took too long. Nothing was changed. Try again, or choose another way.")
