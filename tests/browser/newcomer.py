"""Somebody new, on the way from signing up to an API token: each step ends on the page that it leads to."""

import io
from datetime import date

import pyotp
import zxingcpp
from PIL import Image
from playwright.sync_api import Page

from tests.browser.live import Live
from tests.browser.visitor import ADD_KEY, Visitor
from tests.builders import PASSWORD

LATER = date(9999, 12, 31)


class Newcomer(Visitor):
    """Newt, who can see `page` and read mail."""

    address = "newt@mail.example"

    def __init__(self, page: Page, live: Live) -> None:
        super().__init__(page)
        self._live = live
        self._totp: pyotp.TOTP | None = None
        self._code = ""

    def open_front_page(self) -> None:
        self.page.goto("/")

    def open_sign_up(self) -> None:
        self.page.goto("/account/register/")

    def sign_up(self) -> None:
        self.field("username").fill("newt")
        self.field("email").fill(self.address)
        self.field("new_password").fill(PASSWORD)
        self.field("password_confirm").fill(PASSWORD)
        self.press("Create account")

    def open_mail(self) -> None:
        self.page.goto(self._live.link_mailed_to(self.address))

    def verify_address(self) -> None:
        self.press("Verify this address")

    def fill_token_form(self) -> None:
        """Fill the form in while nothing is asked for yet, and leave it open."""
        self._live.restart(require_2fa_new_users_from=LATER)
        self.page.goto("/manage/account/token/")
        self.field("description").fill("laptop of Newt")
        self.field("expires").select_option("30")

    def be_stopped(self) -> None:
        """Send the form once a second factor is asked for."""
        self._live.restart()
        self.press("Create token")

    def choose_app(self) -> None:
        self.page.get_by_role("radio", name="Authenticator app").check()
        self.press("Continue")

    def choose_key(self) -> None:
        self.page.get_by_role("radio", name="Passkey or security key").check()
        self.press("Continue")

    def add_key(self) -> None:
        self.press(ADD_KEY)
        self.arrives_at("Save your recovery codes")

    def read_qr(self) -> str:
        """Point a camera at the screen: the text of the one code that can be seen on it."""
        picture = Image.open(io.BytesIO(self.page.screenshot(full_page=True)))
        [code] = zxingcpp.read_barcodes(picture)
        totp = pyotp.parse_uri(code.text)
        assert isinstance(totp, pyotp.TOTP)
        self._totp = totp
        return code.text

    def type_code(self) -> None:
        assert self._totp, "read the QR code first"
        self.field("totp_value").fill(self._totp.now())
        self.press("Turn on two-factor authentication")

    def note_codes(self) -> list[str]:
        codes = self.page.locator("#codes li").all_inner_texts()
        self._code = codes[6]
        return codes

    def prove_codes(self) -> None:
        assert self._code, "note the codes first"
        self.field("recovery_code_value").fill(self._code)
        self.press("Finish")

    def go_on(self) -> None:
        self.press("Continue: Create an API token")

    def create_token(self) -> None:
        self.press("Create token")

    def press(self, text: str) -> None:
        with self.page.expect_navigation():
            super().press(text)
