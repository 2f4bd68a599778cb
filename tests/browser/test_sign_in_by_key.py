"""Signing in with passkeys and security keys in a real browser: by the button, by autofill, as the second step."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.authenticators import Authenticators, in_json
from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.resident import FACTORS, SESSIONS, SIGN_IN, Resident
from tests.browser.visitor import SIGN_IN_BY_PASSKEY, USE_KEY
from tests.builders import PASSWORD
from tests.requirements import requirement

pytestmark = pytest.mark.browser

NO_AUTOFILL = "delete PublicKeyCredential.isConditionalMediationAvailable;"
SAYS_NO = """
    navigator.credentials.get = ({ mediation, signal }) => {
        const { dataset } = document.documentElement;
        dataset.asked = `${dataset.asked ?? ""} ${mediation ?? "now"}`;
        return new Promise((_, reject) => {
            const no = () => reject(new DOMException("", "NotAllowedError"));
            mediation ? signal.addEventListener("abort", no) : no();
        });
    };
"""


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A browser that offers no passkey by itself, so that it is the button that signs in."""
    page = open_page()
    page.add_init_script(NO_AUTOFILL)
    return page


def test_the_button_signs_in_and_leads_where_one_wanted_to_go(live: Live, page: Page) -> None:
    ana, _ = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    ana.be_forgotten()

    page.goto(FACTORS)
    ana.arrives_at("Sign in")
    ana.press(SIGN_IN_BY_PASSKEY)

    ana.arrives_at("Second factors")
    expect(page.get_by_role("row").filter(has_text="Laptop")).to_contain_text("Chrome on Linux")


def test_autofill_signs_in_without_a_press(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_passkey_keeper(is_synced=True)
    ana.be_signed_in()
    ana.add_key("Laptop")
    ana.be_forgotten()

    page.goto(SIGN_IN)

    ana.arrives_at("Your projects")
    page.goto(SESSIONS)
    expect(page.get_by_role("row").filter(has_text="This one")).to_contain_text("by passkey")


def test_what_autofill_offers_is_renewed_before_it_is_too_old(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    ana.be_forgotten()
    laptop.be_touched(False)
    page.clock.install()

    with page.expect_request("**/options"):
        page.goto(SIGN_IN)
    with page.expect_request("**/options"):
        page.clock.fast_forward("04:31")

    expect(ana.field("username")).to_have_attribute("autocomplete", "username webauthn")


def test_autofill_is_offered_again_after_a_try_by_the_button(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(SAYS_NO)
    page.goto(SIGN_IN)
    expect(page.locator("html")).to_have_attribute("data-asked", " conditional")

    page.get_by_role("button", name=SIGN_IN_BY_PASSKEY).click()

    expect(page.locator("html")).to_have_attribute("data-asked", " conditional now conditional")
    expect(page.locator("[data-passkey=problem]")).to_contain_text("It was cancelled, or took too long.")


def test_a_passkey_whose_owner_is_not_recognised_signs_nobody_in(live: Live, page: Page) -> None:
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    ana.be_forgotten()
    laptop.recognise(False)

    page.goto(SIGN_IN)
    ana.press(SIGN_IN_BY_PASSKEY)
    ana.is_told("It was cancelled, or took too long. Nothing was changed. Try again, or choose another way.")
    laptop.recognise(True)
    ana.press(SIGN_IN_BY_PASSKEY)

    ana.arrives_at("Your projects")


@requirement("R37")
def test_a_key_that_does_not_check_its_owner_has_the_password_asked_for(live: Live, page: Page) -> None:
    ana, key = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Blue key")
    ana.be_forgotten()
    key.stop_checking()

    page.goto(FACTORS)
    ana.press(SIGN_IN_BY_PASSKEY)
    ana.arrives_at("Type your password")
    page.goto(FACTORS)
    ana.arrives_at("Sign in")
    ana.press(SIGN_IN_BY_PASSKEY)
    ana.arrives_at("Type your password")
    ana.field("password").fill("not the password")
    ana.press("Sign in")
    expect(page.locator("#errors")).to_contain_text("Password: This is not your password.")
    ana.field("password").fill(PASSWORD)
    ana.press("Sign in")

    ana.arrives_at("Second factors")


@pytest.mark.parametrize("protocol", ["ctap2", "u2f"])
def test_a_security_key_is_the_second_step(live: Live, page: Page, protocol: str) -> None:
    ana, _ = Resident(page, live), Authenticators(page).add_security_key(protocol=protocol)
    ana.be_signed_in()
    ana.add_key("Blue key")
    ana.be_forgotten()

    ana.give_password()
    ana.arrives_at("Confirm it is you")
    ana.press(USE_KEY)

    ana.arrives_at("Your projects")


def test_a_browser_can_be_trusted_with_a_key(live: Live, page: Page) -> None:
    ana, key = Resident(page, live, has_app=False), Authenticators(page).add_security_key()
    ana.be_signed_in()
    ana.add_key("Blue key")
    page.context.clear_cookies(name="countersign")

    ana.give_password()
    ana.field("remember_browser").check()
    ana.press(USE_KEY)
    ana.arrives_at("Your projects")
    page.context.clear_cookies(name="countersign")
    key.unplug()
    ana.give_password()

    ana.arrives_at("Your projects")


@requirement("R50")
def test_a_copied_key_is_refused_for_good_and_shown_as_such(live: Live, page: Page) -> None:
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    [copy] = laptop.credentials()
    ana.be_forgotten()
    page.goto(SIGN_IN)
    ana.press(SIGN_IN_BY_PASSKEY)
    ana.arrives_at("Your projects")
    ana.be_forgotten()

    laptop.forget(copy)
    laptop.take(copy)
    page.goto(SIGN_IN)
    ana.press(SIGN_IN_BY_PASSKEY)
    ana.is_told("“Laptop” may have been copied: it counted backwards. It is refused from now on.")
    ana.give_password()
    ana.field("totp_value").fill(ana.code())
    ana.press("Sign in")
    ana.arrives_at("Your projects")
    page.goto(FACTORS)

    row = page.get_by_role("row").filter(has_text="Laptop")
    expect(row).to_contain_text("Refused")
    expect(row).to_contain_text("It may have been copied: it counted backwards")


def test_a_passkey_that_was_removed_is_told_to_its_keeper(live: Live, page: Page) -> None:
    told: list[Any] = []  # Any: what the page passes on
    page.expose_function("note", lambda what: told.append(what))
    page.add_init_script("PublicKeyCredential.signalUnknownCredential = async (unknown) => note(unknown);")
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    [credential] = laptop.credentials()
    ana.be_forgotten()
    ana.remove_keys()

    page.goto(SIGN_IN)
    ana.press(SIGN_IN_BY_PASSKEY)

    ana.is_told("This passkey is not registered here, or not any more. Use another one, or sign in with your password.")
    assert told == [{"rpId": "localhost", "credentialId": in_json(credential["credentialId"])}]


def test_a_browser_without_webauthn_signs_in_with_a_password(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script("delete window.PublicKeyCredential;")
    ana = Resident(page, live)

    page.goto(SIGN_IN)
    expect(page.get_by_role("button", name=SIGN_IN_BY_PASSKEY)).to_be_disabled()
    expect(page.get_by_text("This browser knows no passkeys, or the page was not opened by https.")).to_be_visible()
    ana.give_password()
    ana.field("totp_value").fill(ana.code())
    ana.press("Sign in")

    ana.arrives_at("Your projects")
