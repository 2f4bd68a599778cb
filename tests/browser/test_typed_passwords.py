"""What was typed as a password can be looked at, and is hidden again before it is sent."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.requirements import requirement

SCRIPTS = Path(__file__).parents[2] / "static/js"

pytestmark = pytest.mark.browser


@requirement("R73")
def test_a_password_is_shown_and_hidden_by_a_button(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/account/login/")
    password = page.get_by_label("Password", exact=True)
    password.fill("correct horse")

    page.get_by_role("button", name="Show Password").click()
    expect(password).to_have_attribute("type", "text")
    expect(password).to_have_value("correct horse")
    expect(password).to_have_attribute("autocomplete", "current-password")

    page.get_by_role("button", name="Hide Password").click()
    expect(password).to_have_attribute("type", "password")
    expect(password).to_have_value("correct horse")


@requirement("R73")
def test_each_of_several_is_shown_alone_and_sending_hides_them(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/account/register/")
    first, second = page.locator("#new_password"), page.locator("#password_confirm")

    page.get_by_role("button", name="Show The same password again").click()
    expect(second).to_have_attribute("type", "text")
    expect(first).to_have_attribute("type", "password")

    page.evaluate("document.querySelector('#new_password').form.addEventListener('submit', e => e.preventDefault())")
    page.get_by_role("button", name="Create account").click()
    expect(second).to_have_attribute("type", "password")


@requirement("R73")
def test_no_script_meddles_with_pasting() -> None:
    scripts = [path.read_text() for path in SCRIPTS.glob("*.js")]

    assert len(scripts) > 5
    assert not [script for script in scripts if "paste" in script]
