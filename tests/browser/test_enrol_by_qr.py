"""Enrolling in a real browser: a QR code read off the screen, first without and then with JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.newcomer import Newcomer

pytestmark = pytest.mark.browser


def test_the_whole_way_to_a_token_needs_no_javascript(live: Live, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    newt = Newcomer(page, live)
    seen = []

    newt.open_sign_up()
    seen.append(page.title())
    newt.sign_up()
    seen.append(page.title())
    newt.open_mail()
    seen.append(page.title())
    newt.verify_address()
    newt.fill_token_form()
    seen.append(page.title())
    newt.be_stopped()
    seen.append(page.title())
    expect(page.locator("#stop")).to_be_focused()
    assert "You asked to create an API token." in page.get_by_role("alert").inner_text()
    newt.choose_app()
    seen.append(page.title())
    uri = newt.read_qr()
    newt.type_code()
    seen.append(page.title())
    codes = newt.note_codes()
    newt.prove_codes()
    seen.append(page.title())
    newt.go_on()
    seen.append(page.title())
    kept = newt.field("description").input_value(), newt.field("expires").input_value()
    newt.create_token()
    seen.append(page.title())

    assert uri.startswith("otpauth://totp/")
    assert len(set(codes)) == 10
    assert kept == ("laptop of Newt", "30")
    assert re.fullmatch(r"csn_[A-Za-z0-9_-]{49}", page.locator("#token").inner_text())
    assert [title.removesuffix(" – Countersign") for title in seen] == [
        "Create an account",
        "Account security",
        "Verify your email address",
        "Create an API token",
        "Action needed: Choose how to confirm it is you",
        "Connect your authenticator app",
        "Save your recovery codes",
        "Two-factor authentication is on",
        "Create an API token",
        "Copy your token now",
    ]


def test_the_qr_code_can_be_read_on_the_screen_of_a_phone(live: Live, open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 320, "height": 640}, color_scheme="dark")
    newt = Newcomer(page, live)
    newt.open_sign_up()
    newt.sign_up()
    newt.open_mail()
    newt.verify_address()
    newt.choose_app()

    uri = newt.read_qr()
    plate = page.locator(".scan__plate").evaluate("plate => getComputedStyle(plate).backgroundColor")

    assert uri == page.get_by_role("link", name="Open in an app on this device").get_attribute("href")
    assert plate == "rgb(255, 255, 255)"  # in the dark, too: many cameras read no code on a dark ground


def test_with_javascript_the_banner_is_focused_and_secrets_can_be_copied(live: Live, open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    newt = Newcomer(page, live)
    newt.open_sign_up()
    newt.sign_up()
    newt.open_mail()
    newt.verify_address()

    page.get_by_role("link", name="Publish").click()
    expect(page.locator("#stop")).to_be_focused()
    newt.choose_app()
    uri = newt.read_qr()
    page.wait_for_load_state("networkidle")  # the scripts are there
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    key = page.evaluate("navigator.clipboard.readText()")
    newt.type_code()
    codes = newt.note_codes()
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Copy the codes").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied_codes = page.evaluate("navigator.clipboard.readText()")

    assert f"secret={key.replace(' ', '')}&" in f"{uri}&"
    assert copied_codes.split() == codes


def test_a_wrong_code_moves_the_focus_to_what_is_wrong(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    newt = Newcomer(page, live)
    newt.open_sign_up()
    newt.sign_up()
    newt.open_mail()
    newt.verify_address()
    newt.choose_app()

    newt.field("totp_value").fill("12 34")
    newt.press("Turn on two-factor authentication")

    expect(page.locator("#errors")).to_be_focused()
    assert page.title().startswith("Error: ")


def test_the_colours_are_switched_at_once_and_kept(live: Live, open_page: OpenPage) -> None:
    page = open_page(color_scheme="light")
    page.goto("/help/")
    background = "getComputedStyle(document.body).backgroundColor"
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground), page.evaluate(background)

    with page.expect_response("**/account/theme/"):
        page.get_by_role("radio", name="Dark").check()
    dark = page.evaluate(ground), page.evaluate(background)
    page.reload()

    assert dark != light
    assert (page.evaluate(ground), page.evaluate(background)) == dark


def test_the_account_menu_closes_on_escape_and_gives_the_focus_back(live: Live, open_page: OpenPage) -> None:
    page = open_page()
    newt = Newcomer(page, live)
    newt.open_sign_up()
    newt.sign_up()
    summary = page.locator(".menu summary")

    summary.click()
    sign_out = page.get_by_role("button", name="Sign out")
    expect(sign_out).to_be_visible()
    sign_out.focus()
    page.keyboard.press("Escape")

    expect(sign_out).to_be_hidden()
    expect(summary).to_be_focused()
