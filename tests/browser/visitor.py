"""Somebody in front of a page: finds what has a name, and presses it."""

import re

from playwright.sync_api import Locator, Page, expect

SIGN_IN_BY_PASSKEY = "Sign in with a passkey"
USE_KEY = "Use your passkey or security key"
ADD_KEY = "Add it now"


class Visitor:
    """Whoever can see `page`."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def field(self, name: str) -> Locator:
        return self.page.locator(f"main [name={name}]:not([type=hidden])")

    def press(self, text: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"^{re.escape(text)}$")).click()

    def is_told(self, words: str) -> None:
        """The box above the button of a passkey says so, and has the focus or gave it to the field in question."""
        expect(self.page.locator("[data-passkey=problem]")).to_contain_text(words)

    def arrives_at(self, title: str) -> None:
        """The page of this heading is there."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
