"""The one address that somebody chose to show on their page."""

from flask import Flask

from tests.browsing import Browser
from tests.builders import People

ACCOUNT, PAGE = "/manage/account/", "/user/ana/"


def test_a_proved_address_is_shown_once_it_is_chosen_and_no_other(app: Flask, browser: Browser, people: People) -> None:
    builder = people.a_user("ana").verified().with_totp().also("ana@second.example", verified=True)
    browser.sign_in(builder.also("ana@third.example").build())
    assert "@" not in Browser(app).page(PAGE).text

    browser.submit(ACCOUNT, full_name="Ana", public_email="ana@second.example")
    assert "ana@second.example" in Browser(app).page(PAGE).text
    assert "ana@mail.example" not in Browser(app).page(PAGE).html

    browser.submit(ACCOUNT, full_name="Ana")  # says nothing of an address
    assert "ana@second.example" in Browser(app).page(PAGE).text

    for wrong in ("ana@third.example", "bo@mail.example"):
        page = browser.submit(ACCOUNT, full_name="Ana", public_email=wrong, status=422)
        assert "Choose one of your verified addresses, or none." in page.text
    browser.submit(ACCOUNT, full_name="Ana", public_email="")
    assert "@" not in Browser(app).page(PAGE).text
