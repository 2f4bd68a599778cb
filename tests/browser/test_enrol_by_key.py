"""Adding passkeys and security keys in a real browser, whose authenticators are made of nothing."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.authenticators import Authenticators
from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.newcomer import Newcomer
from tests.browser.resident import FACTORS, KEYS, Resident
from tests.browser.visitor import ADD_KEY, USE_KEY
from tests.builders import PASSWORD
from tests.requirements import requirement

pytestmark = pytest.mark.browser

OLD_BROWSER = """
    delete PublicKeyCredential.parseCreationOptionsFromJSON;
    delete PublicKeyCredential.parseRequestOptionsFromJSON;
    delete PublicKeyCredential.prototype.toJSON;
    delete PublicKeyCredential.isConditionalMediationAvailable;
"""


@requirement("R38")
def test_a_passkey_leads_from_the_red_banner_to_the_token(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    newt, laptop = Newcomer(page, live), Authenticators(page).add_passkey_keeper(is_synced=True)
    newt.open_sign_up()
    newt.sign_up()
    newt.open_mail()
    newt.verify_address()
    newt.fill_token_form()
    newt.be_stopped()
    expect(page.locator("#stop")).to_be_focused()

    newt.choose_key()
    newt.add_key()
    said = page.get_by_role("status").all_inner_texts()
    newt.note_codes()
    newt.prove_codes()
    newt.go_on()
    kept = newt.field("description").input_value(), newt.field("expires").input_value()
    newt.create_token()

    [credential] = laptop.credentials()
    assert credential["rpId"] == "localhost"
    assert credential["isResidentCredential"]
    assert any("Passkey saved as “Passkey”, synced to your other devices." in each for each in said)
    assert kept == ("laptop of Newt", "30")
    assert re.fullmatch(r"csn_[A-Za-z0-9_-]{49}", page.locator("#token").inner_text())


@pytest.mark.parametrize("protocol", ["ctap2", "u2f"])
def test_a_security_key_is_added_under_its_name(live: Live, open_page: OpenPage, protocol: str) -> None:
    page = open_page()
    ana, key = Resident(page, live), Authenticators(page).add_security_key(protocol=protocol)
    ana.be_signed_in()

    ana.add_key("Blue key")

    assert "Security key saved as “Blue key”, on this device only." in page.get_by_role("main").inner_text()
    assert len(key.credentials()) == 1
    assert [(row.label, row.transports) for row in ana.registered_keys()] == [("Blue key", "usb")]


@requirement("R53")
def test_a_device_that_is_registered_says_so(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")

    page.goto(KEYS)
    ana.press(ADD_KEY)

    ana.is_told("This device or key is registered for your account already. Use another one.")
    assert len(laptop.credentials()) == len(ana.registered_keys()) == 1


@requirement("R54")
def test_after_a_cancelled_try_the_same_page_tries_again(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    page.goto(KEYS)
    laptop.recognise(False)

    ana.press(ADD_KEY)
    ana.is_told("It was cancelled, or took too long. Nothing was changed. Try again, or choose another way.")
    expect(page.locator("[data-passkey=problem]")).to_be_focused()
    laptop.recognise(True)
    ana.press(ADD_KEY)

    ana.arrives_at("Two-factor authentication is on")
    assert len(ana.registered_keys()) == 1


def test_a_waiting_browser_is_told_of_and_asked_once(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    page.goto(KEYS)
    laptop.be_touched(False)

    ana.press(ADD_KEY)

    expect(page.get_by_text("Your browser asks for it now …")).to_be_visible()
    expect(page.get_by_role("button", name=ADD_KEY)).to_be_disabled()


def test_a_name_that_is_taken_is_said_at_its_field(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_security_key()
    ana.be_signed_in()
    page.goto(KEYS)
    ana.field("label").fill("Phone")

    ana.press(ADD_KEY)

    ana.is_told("You have a second factor named “Phone” already. Choose another name.")
    expect(ana.field("label")).to_be_focused()
    assert ana.registered_keys() == []


def test_a_browser_without_webauthn_says_so(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script("delete window.PublicKeyCredential;")
    ana = Resident(page, live)
    ana.be_signed_in()

    page.goto(KEYS)

    expect(page.get_by_text("This browser knows no passkeys, or the page was not opened by https.")).to_be_visible()
    expect(page.get_by_role("button", name=ADD_KEY)).to_be_disabled()
    expect(page.locator("[data-passkey=problem]")).to_be_hidden()


def test_an_older_browser_adds_a_passkey_and_signs_in(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(OLD_BROWSER)
    ana, _ = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()

    ana.add_key("Laptop")
    modern = page.evaluate(
        "'parseCreationOptionsFromJSON' in PublicKeyCredential || 'toJSON' in PublicKeyCredential.prototype"
    )
    ana.be_forgotten()
    ana.give_password()
    ana.press(USE_KEY)

    ana.arrives_at("Your projects")
    [key] = ana.registered_keys()
    assert not modern
    assert key.transports == "internal"
    assert key.sign_count > 1


def test_confirming_who_one_is_leads_back_to_the_name_that_was_typed(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_security_key()
    ana.be_signed_in()
    page.goto(KEYS)
    ana.field("label").fill("Blue key")
    ana.let_an_hour_pass()

    ana.press(ADD_KEY)
    ana.arrives_at("Confirm it is you")
    ana.field("password").fill(PASSWORD)
    ana.field("totp_value").fill(ana.code())
    ana.press("Confirm")
    ana.arrives_at("Add a passkey or security key")
    expect(ana.field("label")).to_have_value("Blue key")
    ana.press(ADD_KEY)

    ana.arrives_at("Two-factor authentication is on")
    assert [key.label for key in ana.registered_keys()] == ["Blue key"]


def test_whoever_was_signed_out_meanwhile_is_led_to_sign_in(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_security_key()
    ana.be_signed_in()
    page.goto(KEYS)
    ana.be_signed_out_elsewhere()

    ana.press(ADD_KEY)

    ana.arrives_at("Sign in")
    expect(page.get_by_text("Sign in to add a passkey or security key.")).to_be_visible()
    assert ana.registered_keys() == []


def test_the_list_tells_keys_apart(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, plugged_in = Resident(page, live), Authenticators(page)
    ana.be_signed_in()
    laptop = plugged_in.add_passkey_keeper(is_synced=True)
    ana.add_key("Laptop")
    laptop.unplug()
    plugged_in.add_security_key()
    ana.add_key("Blue key")

    page.goto(FACTORS)
    rows = page.get_by_role("table").get_by_role("row")

    expect(rows.filter(has_text="Laptop")).to_contain_text("Passkeysynced")
    expect(rows.filter(has_text="Blue key")).to_contain_text("Security keythis device only")
