"""Somebody who has an account already, with passkeys and security keys that a test's authenticators hold."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page
from sqlalchemy import delete, select, update

from adapters.clock import SettableClock
from models import BrowserSession, Passkey, db
from tests.browser.live import Live
from tests.browser.phone import Phone
from tests.browser.visitor import ADD_KEY, Visitor
from tests.browsing import Browser
from tests.builders import PASSWORD, People

KEYS, FACTORS = "/manage/account/webauthn-provision", "/manage/account/two-factor/"
SESSIONS, TOKENS = "/manage/account/sessions/", "/manage/account/token/"
HISTORY, SECOND_STEP = "/manage/account/history/", "/account/two-factor/"
SIGN_IN, CONFIRM = "/account/login/", "/account/reauthenticate/"


class Resident(Visitor):
    """Ana, verified, with an authenticator app and recovery codes, or with recovery codes alone."""

    def __init__(self, page: Page, live: Live, *, has_app: bool = True) -> None:
        super().__init__(page)
        self._live = live
        with live.app.app_context():
            builder = People(live.app, SettableClock(datetime.now(UTC))).a_user("ana").verified().with_recovery_codes()
            user = (builder.with_totp("Phone") if has_app else builder).build()
            self._user_id = user.id
            self.phone = Phone(*user.test_secrets) if has_app else None  # type: ignore[attr-defined]
            self.codes: list[str] = user.test_codes  # type: ignore[attr-defined]
            self._cookie = Browser(live.app).sign_in(user).client.get_cookie("countersign", domain="localhost")

    def be_signed_in(self) -> None:
        """As somebody who has just proved to be there."""
        assert self._cookie is not None
        self.page.context.add_cookies([{"name": "countersign", "value": self._cookie.value, "url": self._live.url}])

    def sit_down_at(self, page: Page) -> None:
        """Go on in another window, which knows nobody."""
        self.page = page

    def take_session_to(self, page: Page) -> None:
        """Go on in another window, with the session of this one."""
        page.context.add_cookies(self.page.context.cookies())  # type: ignore[arg-type]
        self.page = page

    def be_forgotten(self) -> None:
        """The browser keeps nothing of the site."""
        self.page.context.clear_cookies()

    def add_key(self, label: str = "") -> None:
        """Add whatever the page's authenticator makes."""
        self.page.goto(KEYS)
        self.field("label").fill(label)
        self.press(ADD_KEY)
        self.arrives_at("Two-factor authentication is on")

    def give_password(self) -> None:
        """Come as far as the second step."""
        self.page.goto(SIGN_IN)
        self.field("username").fill("ana")
        self.field("password").fill(PASSWORD)
        self.press("Sign in")

    def code(self) -> str:
        """What the app shows; a new one each time."""
        assert self.phone, "Ana has no app"
        return self.phone.code()

    def registered_keys(self) -> list[Passkey]:
        """What the index has of the keys, oldest first."""
        with self._live.app.app_context():
            return list(db.session.scalars(select(Passkey).where(Passkey.user_id == self._user_id)))

    def remove_keys(self) -> None:
        """Somewhere else, all of them are removed from the account."""
        with self._live.app.app_context():
            db.session.execute(delete(Passkey).where(Passkey.user_id == self._user_id))
            db.session.commit()

    def let_an_hour_pass(self) -> None:
        """It is long ago that Ana proved to be there."""
        with self._live.app.app_context():
            mine = update(BrowserSession).where(BrowserSession.user_id == self._user_id)
            db.session.execute(mine.values(confirmed_at=datetime.now(UTC) - timedelta(hours=1)))
            db.session.commit()

    def be_signed_out_elsewhere(self) -> None:
        """In another browser, all sessions are ended."""
        with self._live.app.app_context():
            db.session.execute(delete(BrowserSession).where(BrowserSession.user_id == self._user_id))
            db.session.commit()
