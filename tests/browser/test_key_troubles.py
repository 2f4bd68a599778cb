"""What people are told when a browser gets no answer from a passkey or security key."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.authenticators import Authenticators
from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.resident import KEYS, SIGN_IN, Resident
from tests.browser.visitor import ADD_KEY, SIGN_IN_BY_PASSKEY

pytestmark = pytest.mark.browser

# What `create` and `get` reject with (WebAuthn Level 3 §5.1.3 and §5.1.4, Credential Management §2.5), and what else
# browsers were seen to reject with.
NAMES = (
    "NotAllowedError",
    "AbortError",
    "InvalidStateError",
    "NotSupportedError",
    "SecurityError",
    "ConstraintError",
    "NotReadableError",
    "TimeoutError",
    "UnknownError",
    "OperationError",
    "EncodingError",
    "DataError",
    "TypeError",
)
IN_WORDS = """async ([names, options]) => {
    const { inWords } = await import("/static/js/passkey-troubles.js");
    return names.map((name) => inWords({ name }, options));
}"""
ADVICE = re.compile(r"Try again, or choose another way|Use another one|or use another one|try once more|Open it there")


@pytest.mark.parametrize("options", [{"rp": {"id": "index.example"}}, {"rpId": "index.example"}], ids=["new", "known"])
def test_every_error_has_a_sentence_that_says_what_to_do(open_page: OpenPage, options: dict[str, Any]) -> None:
    page = open_page()
    page.goto("/help/")

    sentences = dict(zip(NAMES, page.evaluate(IN_WORDS, [list(NAMES), options]), strict=True))

    assert {name: words for name, words in sentences.items() if not ADVICE.search(words)} == {}
    assert "index is set up for index.example" in sentences["SecurityError"]
    assert "(OperationError)" in sentences["OperationError"]
    assert len(set(sentences.values())) > 8


def test_an_index_under_a_number_says_that_passkeys_need_a_name(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/help/")

    [words] = page.evaluate(IN_WORDS, [["SecurityError"], {"rpId": "localhost"}])

    assert words.startswith("Browsers keep passkeys for names and https only.")


def test_under_another_name_of_the_machine_the_right_one_is_told(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    Authenticators(page).add_passkey_keeper()
    page.goto(live.url.replace("localhost", "127.0.0.1") + SIGN_IN)
    host = page.evaluate("location.host")

    page.get_by_role("button", name=SIGN_IN_BY_PASSKEY).click()

    expect(page.locator("[data-passkey=problem]")).to_contain_text(
        f"Passkeys do not work at {host}, for this index is set up for localhost. Open it there."
    )
    assert host.startswith("127.0.0.1:")


def test_an_answer_of_something_else_than_the_index_is_told(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    page.goto(KEYS)
    page.route("**/webauthn-provision/options", lambda route: route.fulfill(body="<h1>Hotel</h1>"))

    ana.press(ADD_KEY)

    ana.is_told("The index did not answer as it should. Try again.")
    expect(page.get_by_role("button", name=ADD_KEY)).to_be_enabled()


def test_a_form_that_went_stale_says_so(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, _ = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    page.goto(KEYS)
    page.locator("main [name=csrf_token]").evaluate("field => { field.value = 'of another session'; }")

    ana.press(ADD_KEY)

    ana.is_told("This form has gone stale.")


def test_only_one_page_at_a_time_asks(open_page: OpenPage) -> None:
    page = open_page()
    keeper = Authenticators(page).add_passkey_keeper()
    keeper.be_touched(False)
    page.goto(SIGN_IN)

    press_twice(page)

    expect(page.get_by_text("Your browser asks for it now …")).to_be_visible()
    expect(page.locator("[data-passkey=problem]")).to_be_hidden()


def press_twice(page: Page) -> None:
    """As a hand does that is used to doubling clicks."""
    button = page.get_by_role("button", name=SIGN_IN_BY_PASSKEY)
    expect(button).to_be_enabled()  # its script is there
    button.dblclick(force=True)  # forced, for the first click disables it
