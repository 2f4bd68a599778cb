"""With JavaScript off everything but keys works, and where a key is offered the page says why there is none."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.authenticators import Authenticators
from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.resident import CONFIRM, FACTORS, HISTORY, KEYS, SECOND_STEP, SESSIONS, SIGN_IN, TOKENS, Resident
from tests.browser.visitor import USE_KEY
from tests.builders import PASSWORD

pytestmark = pytest.mark.browser

OFF = "Passkeys and security keys need JavaScript, which is off in this browser."


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A window in which no script runs."""
    return open_page(java_script_enabled=False)


def test_password_and_code_sign_in_and_a_browser_can_be_trusted(live: Live, page: Page) -> None:
    ana = Resident(page, live)

    ana.give_password()
    ana.field("totp_value").fill(ana.code())
    ana.field("remember_browser").check()
    ana.press("Sign in")
    ana.arrives_at("Your projects")
    page.context.clear_cookies(name="countersign")
    ana.give_password()
    ana.arrives_at("Your projects")
    page.goto(SESSIONS)
    distrust = page.get_by_role("table", name="Trusted browsers").get_by_role("button", name="Ask it again")
    distrust.click()
    ana.arrives_at("Confirm it is you")  # the trust that signed in proves nothing here
    ana.field("password").fill(PASSWORD)
    ana.field("totp_value").fill(ana.code())
    ana.press("Confirm")
    distrust.click()
    expect(page.get_by_text("That browser is asked for the second factor again.")).to_be_visible()
    page.context.clear_cookies(name="countersign")
    ana.give_password()

    ana.arrives_at("Confirm it is you")


def test_confirming_by_password_and_code_leads_back_to_the_filled_form(live: Live, page: Page) -> None:
    ana = Resident(page, live)
    ana.be_signed_in()
    page.goto(TOKENS)
    ana.field("description").fill("laptop of Ana")
    ana.let_an_hour_pass()

    ana.press("Create token")
    ana.arrives_at("Confirm it is you")
    ana.field("password").fill(PASSWORD)
    ana.field("totp_value").fill(ana.code())
    ana.press("Confirm")

    ana.arrives_at("Create an API token")
    expect(ana.field("description")).to_have_value("laptop of Ana")


def test_a_session_elsewhere_is_ended(live: Live, open_page: OpenPage, page: Page) -> None:
    elsewhere = open_page()
    ana = Resident(elsewhere, live)
    ana.give_password()
    ana.field("totp_value").fill(ana.code())
    ana.press("Sign in")
    ana.arrives_at("Your projects")
    ana.sit_down_at(page)
    ana.be_signed_in()

    page.goto(SESSIONS)
    other = page.get_by_role("row").filter(has_text="by authenticator app")
    other.get_by_role("button", name="End").click()
    expect(page.get_by_text("That session is over.")).to_be_visible()
    elsewhere.goto(TOKENS)

    expect(other).to_have_count(0)
    expect(elsewhere).to_have_title("Sign in – Countersign")


def test_history_is_read_part_by_part(live: Live, page: Page) -> None:
    ana = Resident(page, live)
    ana.give_password()
    ana.field("totp_value").fill(ana.code())
    ana.press("Sign in")

    page.goto(HISTORY)
    expect(page.get_by_role("row").filter(has_text="Signed in (authenticator app)")).to_have_count(1)
    page.get_by_role("link", name="Projects", exact=True).last.click()

    expect(page.get_by_role("heading", name="Nothing of this kind")).to_be_visible()


def test_an_app_is_renamed_and_removed(live: Live, open_page: OpenPage, page: Page) -> None:
    ana = Resident(open_page(), live)
    Authenticators(ana.page).add_security_key()
    ana.be_signed_in()
    ana.add_key("Blue key")
    ana.take_session_to(page)

    page.goto(FACTORS)
    page.get_by_role("link", name="Rename Phone").click()
    ana.field("label").fill("Old phone")
    ana.press("Rename")
    ana.arrives_at("Second factors")
    page.get_by_role("link", name="Remove Old phone").click()
    ana.press("Remove Old phone")

    ana.arrives_at("Second factors")
    expect(page.get_by_role("row").filter(has_text="Authenticator app")).to_have_count(0)
    expect(page.get_by_text("Your only one: add another before you remove it.")).to_be_visible()


def test_each_page_that_offers_a_key_says_that_it_needs_javascript(live: Live, open_page: OpenPage, page: Page) -> None:
    ana = Resident(open_page(), live)
    Authenticators(ana.page).add_security_key()
    ana.be_signed_in()
    ana.add_key("Blue key")
    ana.take_session_to(page)
    said = {}

    for path in (KEYS, CONFIRM):
        page.goto(path)
        said[path] = page.locator("main .without-script").inner_text()
        expect(page.locator("[data-passkey=start]")).to_be_hidden()
    ana.be_forgotten()
    ana.give_password()
    said[SECOND_STEP] = page.locator("main .without-script").inner_text()
    page.goto(SIGN_IN)
    said[SIGN_IN] = page.locator("main .without-script").inner_text()

    assert said == {
        KEYS: f"{OFF} Turn it on, or open this page in another browser.",
        CONFIRM: f"{OFF} Use your password and a code instead.",
        SECOND_STEP: f"{OFF} Use your authenticator app instead.",
        SIGN_IN: f"{OFF} Sign in with your password instead.",
    }


def test_whoever_has_keys_alone_is_told_what_to_do(live: Live, open_page: OpenPage, page: Page) -> None:
    ana = Resident(open_page(), live, has_app=False)
    Authenticators(ana.page).add_security_key()
    ana.be_signed_in()
    ana.add_key("Blue key")
    ana.take_session_to(page)

    page.goto(CONFIRM)
    expect(page.get_by_text(f"{OFF} Turn JavaScript on, or sign out and sign in with a recovery code.")).to_be_visible()
    ana.be_forgotten()
    ana.give_password()
    expect(page.get_by_text(f"{OFF} Use a recovery code, or turn JavaScript on.")).to_be_visible()
    expect(page.get_by_role("button", name=USE_KEY)).to_be_hidden()
    page.get_by_text("No key at hand?").click()
    page.get_by_role("link", name="Use a recovery code").click()
    ana.field("recovery_code_value").fill(ana.codes[0])
    ana.press("Sign in")

    ana.arrives_at("Replace the lost device")


def test_where_no_key_can_be_added_there_is_nothing_to_fill_in_and_send(live: Live, page: Page) -> None:
    ana = Resident(page, live)
    ana.be_signed_in()

    page.goto(KEYS)

    expect(page.locator("main .without-script")).to_be_visible()
    expect(page.get_by_text("Press the button.")).to_be_hidden()
    expect(ana.field("label")).to_be_hidden()  # Enter in it would put a form token into an address, and so into logs
