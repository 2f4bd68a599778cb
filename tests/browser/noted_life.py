"""Newt, who does all that one can do with an account, and whose every secret is noted: typed, shown, mailed or kept."""

import re
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pyotp
from playwright.sync_api import Page, Request, expect

from tests.browser.authenticators import Authenticators
from tests.browser.phone import Phone
from tests.browser.visitor import ADD_KEY, USE_KEY, Visitor
from tests.builders import PASSWORD
from tests.clients.installation import Installation

ADDRESS, NEW_PASSWORD = "newt@mail.example", "eleven lighthouses & one lamp"
FIELDS = ("csrf_token", "password", "new_password", "password_confirm", "totp_value", "recovery_code_value")


class NotedLife(Visitor):
    """The steps are in the order in which they are lived."""

    _phone: Phone  # from `enrol` on
    _codes: list[str]

    def __init__(self, page: Page, index: Installation) -> None:
        super().__init__(page)
        self.secrets: dict[str, set[str]] = {}
        self._index = index
        self._laptop = Authenticators(page).add_passkey_keeper()
        self._laptop.be_touched(False)
        page.on("request", self._note_request)

    def sign_up(self) -> None:
        self.page.goto("/account/register/")
        for name, text in (("username", "newt"), ("email", ADDRESS), ("new_password", PASSWORD)):
            self.field(name).fill(text)
        self.field("password_confirm").fill(PASSWORD)
        self.press("Create account")
        self.arrives_at("Account security")
        self._open_mail()
        self.press("Verify this address")
        self.arrives_at("Choose how to confirm it is you")

    def enrol(self) -> None:
        """An app, recovery codes, and a passkey."""
        self.page.goto("/manage/account/totp-provision")
        link = self.page.get_by_role("link", name="Open in an app on this device").get_attribute("href") or ""
        secret = pyotp.parse_uri(link).secret
        self._note("secret", secret, " ".join(re.findall("....", secret)))
        self._phone = Phone(secret)
        self.field("totp_value").fill(self._phone.code())
        self.press("Turn on two-factor authentication")
        self.arrives_at("Save your recovery codes")
        self._codes = self.page.locator("#codes li").all_inner_texts()
        self._note("code", *self._codes, *(code.replace("-", "") for code in self._codes))
        self.field("recovery_code_value").fill(self._codes[0])
        self.press("Finish")
        self.arrives_at("Two-factor authentication is on")
        self.page.goto("/manage/account/webauthn-provision")
        with self._touching():
            self.press(ADD_KEY)
            self.arrives_at("Two-factor authentication is on")

    def make_token(self) -> str:
        self.page.goto("/manage/account/token/")
        self.field("description").fill("laptop")
        self.press("Create token")
        self.arrives_at("Copy your token now")
        token = self.page.locator("#token").inner_text()
        self._note("token", token)
        return token

    def sign_in_in_all_ways(self) -> None:
        """By password and code, by passkey alone, by password and key, by password and recovery code; and wrongly."""
        self._sign_out()
        self._give_password("not the password")
        self._give_password(PASSWORD)
        self._type("totp_value", "123321", "Sign in")
        self.field("remember_browser").check()
        self._type("totp_value", self._phone.code(), "Sign in")
        self.arrives_at("Your projects")
        self._sign_out()
        with self._touching():
            self.page.goto("/account/login/")
            self.arrives_at("Your projects")
        self._sign_out()
        self._give_password(PASSWORD)
        with self._touching():
            self.press(USE_KEY)
            self.arrives_at("Your projects")
        self._sign_out()
        self._give_password(PASSWORD)
        self.page.goto("/account/recovery-code/")
        self._type("recovery_code_value", "AAAA-BBBB-CCCC-DDDD", "Sign in")
        self._type("recovery_code_value", self._codes[1], "Sign in")
        self.arrives_at("Replace the lost device")

    def confirm_in_all_ways(self) -> None:
        """By password and code, and by passkey."""
        self._change_database("UPDATE session SET confirmed_at = NULL")
        self.page.goto("/manage/account/token/")
        self.arrives_at("Confirm it is you")
        self.field("password").fill(PASSWORD)
        self._type("totp_value", self._phone.code(), "Confirm")
        self.arrives_at("Create an API token")
        self._change_database("UPDATE session SET confirmed_at = NULL")
        self.page.goto("/manage/account/token/")
        with self._touching():
            self.press(USE_KEY)
            self.arrives_at("Create an API token")

    def reset_password(self) -> None:
        self._sign_out()
        self.page.goto("/account/request-password-reset/")
        self.field("username_or_email").fill(ADDRESS)
        self.press("Send the link")
        self.arrives_at("Check your mail")
        self._open_mail()
        self.field("new_password").fill(NEW_PASSWORD)
        self.field("password_confirm").fill(NEW_PASSWORD)
        self.press("Set the password")
        self.arrives_at("Your new password is set")

    def meet_a_broken_index(self) -> None:
        """The journal is gone from the database, so that whatever would be written down there ends in a traceback."""
        self._give_password(NEW_PASSWORD)
        self._change_database("ALTER TABLE event RENAME TO event_elsewhere")
        self._type("totp_value", self._phone.code(), "Sign in")
        self.arrives_at("Our mistake")
        self.page.goto("/account/recovery-code/")
        self._type("recovery_code_value", self._codes[2], "Sign in")
        self.arrives_at("Our mistake")
        self.page.goto("/account/two-factor/")
        with self._touching():
            self.press(USE_KEY)
            self.is_told("The index made a mistake; nothing was stored.")
        self._give_password("not the new password")
        self.arrives_at("Our mistake")

    def arrives_at(self, title: str) -> None:
        super().arrives_at(title)
        self._note("cookie", *(cookie["value"] for cookie in self.page.context.cookies()))

    def _open_mail(self) -> None:
        link = self._index.link_mailed_to(ADDRESS)
        self._note("link", dict(parse_qsl(urlsplit(link).query))["token"])
        self.page.goto(link)

    def _sign_out(self) -> None:
        self.page.goto("/account/logout/")
        self.page.get_by_role("main").get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_text("You are signed out.")).to_be_visible()
        self.page.context.clear_cookies(name="countersign-browser")  # a trusted one would be asked for nothing more

    def _give_password(self, password: str) -> None:
        self.page.goto("/account/login/")
        self.field("username").fill("newt")
        self._type("password", password, "Sign in")

    @contextmanager
    def _touching(self) -> Iterator[None]:
        """A finger on the laptop; without it, autofill would sign in on every page that asks for a password."""
        self._laptop.be_touched(True)
        yield
        self._laptop.be_touched(False)

    def _type(self, field: str, text: str, button: str) -> None:
        self.field(field).fill(text)
        self.press(button)

    def _change_database(self, statement: str) -> None:
        with sqlite3.connect(self._index.database, timeout=10) as connection:
            connection.execute(statement)
        connection.close()

    def _note(self, kind: str, *secrets: str) -> None:
        self.secrets.setdefault(kind, set()).update(secrets)

    def _note_request(self, request: Request) -> None:
        for name, value in parse_qsl(request.post_data or ""):
            if name == "credential":
                self._note_credential(orjson.loads(value))
            elif name in FIELDS:
                self._note(name, value)

    def _note_credential(self, credential: dict[str, Any]) -> None:  # Any: JSON as WebAuthn has it
        client_data = credential["response"]["clientDataJSON"]
        self._note("answer", client_data)
        self._note("challenge", orjson.loads(urlsafe_b64decode(client_data + "=="))["challenge"])
