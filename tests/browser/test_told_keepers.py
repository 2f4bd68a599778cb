"""Password managers learn from the page of second factors which passkeys still sign in (WebAuthn Level 3 §5.1.10)."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.authenticators import Authenticators, in_json
from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.newcomer import LATER
from tests.browser.resident import FACTORS, Resident

pytestmark = pytest.mark.browser

Told = list[dict[str, Any]]  # Any: what pages pass on


def listen(page: Page) -> Told:
    """What pages tell password managers from now on."""
    told: Told = []
    page.expose_function("note", lambda what: told.append(what))
    page.add_init_script("PublicKeyCredential.signalAllAcceptedCredentials = async (all) => note(all);")
    return told


def test_after_a_removal_the_page_names_those_that_are_left(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    told = listen(page)
    ana, plugged_in = Resident(page, live), Authenticators(page)
    ana.be_signed_in()
    laptop = plugged_in.add_passkey_keeper()
    ana.add_key("Laptop")
    [gone] = laptop.credentials()
    laptop.unplug()
    phone = plugged_in.add_passkey_keeper(is_synced=True)
    ana.add_key("Phone with a passkey")
    [kept] = phone.credentials()

    page.goto(FACTORS)
    page.get_by_role("link", name="Remove Laptop").click()
    ana.press("Remove Laptop")
    ana.arrives_at("Second factors")
    page.wait_for_load_state("networkidle")

    before, after = told
    handle = in_json(kept["userHandle"])
    assert before == {"rpId": "localhost", "userId": handle, "allAcceptedCredentialIds": ids(gone, kept)}
    assert after == {"rpId": "localhost", "userId": handle, "allAcceptedCredentialIds": ids(kept)}


def test_a_keeper_drops_a_passkey_that_was_removed(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    ana, laptop = Resident(page, live), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")
    assert len(laptop.credentials()) == 1

    page.goto(FACTORS)
    page.get_by_role("link", name="Remove Laptop").click()
    ana.press("Remove Laptop")
    ana.arrives_at("Second factors")
    page.wait_for_load_state("networkidle")

    assert laptop.credentials() == []


def test_where_no_factor_is_required_the_last_passkey_is_dropped_too(live: Live, open_page: OpenPage) -> None:
    live.restart(require_2fa_new_users_from=LATER)
    page = open_page()
    ana, laptop = Resident(page, live, has_app=False), Authenticators(page).add_passkey_keeper()
    ana.be_signed_in()
    ana.add_key("Laptop")

    page.goto(FACTORS)
    page.get_by_role("link", name="Remove Laptop").click()
    ana.press("Remove Laptop")
    ana.arrives_at("Choose how to confirm it is you")
    page.wait_for_load_state("networkidle")

    assert laptop.credentials() == []


def ids(*credentials: dict[str, Any]) -> list[str]:
    """Their ids as pages write them."""
    return [in_json(each["credentialId"]) for each in credentials]
