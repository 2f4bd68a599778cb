"""Signing in through the pages, as people do."""

from datetime import timedelta

from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from models import User
from tests.browsing import Browser
from tests.builders import PASSWORD, code_of

SIGN_IN, SECOND_STEP, RECOVERY_STEP = "/account/login/", "/account/two-factor/", "/account/recovery-code/"
KEPT_COOKIE = "countersign-browser"
NEXT_CODE = timedelta(seconds=30)


def give_password(browser: Browser, username: str = "ana", *, next_page: str = "") -> TestResponse:
    """The first step."""
    address = f"{SIGN_IN}?next={next_page}" if next_page else SIGN_IN
    return browser.post(address, username=username, password=PASSWORD)


def give_code(browser: Browser, user: User, clock: SettableClock, *, trust: bool = False) -> TestResponse:
    """The second step, with a code that was not used before. trust: with the box ticked."""
    clock.advance(NEXT_CODE)
    ticked = {"remember_browser": "y"} if trust else {}
    return browser.post(SECOND_STEP, {"method": "totp", "totp_value": code_of(user, clock), **ticked})


def sign_in(browser: Browser, user: User, clock: SettableClock, *, trust: bool = False, next_page: str = "") -> None:
    """Both steps; the browser ends up signed in."""
    give_password(browser, user.username, next_page=next_page)
    give_code(browser, user, clock, trust=trust)
    assert is_signed_in(browser)


def sign_out(browser: Browser) -> None:
    browser.post("/account/logout/")
    assert not is_signed_in(browser)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/manage/account/").status_code == 200


def recovery_code_of(user: User, which: int = 0) -> str:
    """One of the codes that the user has on paper."""
    code: str = user.test_codes[which]  # type: ignore[attr-defined]
    return code


def kept_cookie(browser: Browser) -> str | None:
    """By what the browser is known again."""
    cookie = browser.client.get_cookie(KEPT_COOKIE)
    return None if cookie is None else cookie.value


def with_copied_cookie(app: Flask, value: str) -> Browser:
    """Another browser that holds a copy of that cookie."""
    browser = Browser(app)
    browser.client.set_cookie(KEPT_COOKIE, value)
    return browser
