"""What may happen once happens once, however many requests come at the same time: on both databases, over HTTP."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.sessions import Level
from models import Base, BrowserSession, Event, RecoveryCode, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import People, code_of
from tests.conftest import MakeApp
from tests.requirements import requirement

STEP, RECOVERY, PROVISION = "/account/two-factor/", "/account/recovery-code/", "/manage/account/totp-provision"
MANY = 20


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def racing_app(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """The application on a SQLite file, and on PostgreSQL."""
    if request.param == "sqlite":
        application = make_app()
    else:
        application = make_app(database_url=request.getfixturevalue("postgres_url"))
    with application.app_context():
        Base.metadata.create_all(db.engine)
        yield application
        db.session.remove()
        db.engine.dispose()


@dataclass(frozen=True)
class Ready:
    """A browser that waits to send a form."""

    browser: Browser
    token: str

    def post(self, path: str, **fields: str) -> int:
        data = {"csrf_token": self.token, **fields}
        with self.browser.app.app_context():
            return self.browser.client.post(
                path, data=data, base_url=self.browser.base_url, environ_overrides=self.browser.environ
            ).status_code


def browsers(app: Flask, user: User, *, level: Level, how_many: int = MANY) -> list[Ready]:
    """Browsers in sessions of their own."""
    found = [Browser(app).sign_in(user, level=level) for _ in range(how_many)]
    return [Ready(browser, browser.form_token()) for browser in found]


def tabs(app: Flask, user: User, how_many: int) -> list[Ready]:
    """Windows of one browser: they share a session."""
    first = Browser(app).sign_in(user)
    token = first.form_token()
    cookie = first.client.get_cookie("countersign")
    assert cookie is not None
    found = [Browser(app) for _ in range(how_many)]
    for tab in found:
        tab.client.set_cookie("countersign", cookie.value)
    return [Ready(tab, token) for tab in found]


def at_once(calls: list[Callable[[], int]]) -> Counter[int]:
    """Make all calls in the same moment, each in a thread of its own; the statuses that came back."""
    together, statuses = threading.Barrier(len(calls)), Counter[int]()

    def run(call: Callable[[], int]) -> None:
        together.wait()
        status = call()
        statuses[status] += 1

    db.session.rollback()  # this thread holds no lock meanwhile
    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.total() == len(calls), "a request ended in an exception"
    return statuses


def count(entity: type[Base], *conditions: sa.ColumnElement[bool]) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(entity).where(*conditions)) or 0


@requirement("R17")
def test_twenty_uses_of_one_code_give_one_session(racing_app: Flask, clock: SettableClock) -> None:
    ana = People(racing_app, clock).a_member("ana")
    waiting, code = browsers(racing_app, ana, level=Level.HALF), code_of(ana, clock)

    statuses = at_once([lambda one=one: one.post(STEP, totp_value=code) for one in waiting])  # type: ignore[misc]

    assert statuses[303] == 1
    assert statuses.keys() <= {303, 422, 429}
    assert count(BrowserSession, BrowserSession.level == "full") == 1


@requirement("R30")
def test_twenty_uses_of_one_recovery_code_give_one_session(racing_app: Flask, clock: SettableClock) -> None:
    ana = People(racing_app, clock).a_member("ana")
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    waiting = browsers(racing_app, ana, level=Level.HALF)

    statuses = at_once(
        [lambda one=one: one.post(RECOVERY, recovery_code_value=code) for one in waiting]  # type: ignore[misc]
    )

    assert statuses[303] == 1
    assert statuses.keys() <= {303, 422, 429}
    assert count(BrowserSession, BrowserSession.level == "full") == 1
    assert count(RecoveryCode, RecoveryCode.used_at.is_not(None)) == 1


@requirement("R27")
def test_twenty_wrong_guesses_are_no_more_than_the_budget(racing_app: Flask, clock: SettableClock) -> None:
    ana = People(racing_app, clock).a_member("ana")
    waiting = browsers(racing_app, ana, level=Level.HALF)

    statuses = at_once([lambda one=one: one.post(STEP, totp_value="000000") for one in waiting])  # type: ignore[misc]

    assert statuses == {422: 5, 429: 15}
    assert count(Event, Event.details["reason"].as_string() == "wrong code") == 5


@requirement("R35")
@pytest.mark.parametrize("attempt", range(3))
def test_two_removals_at_once_leave_one_app(racing_app: Flask, clock: SettableClock, attempt: int) -> None:
    ana = People(racing_app, clock).a_user("ana").verified().with_totp("One").with_totp("Two").build()
    ids = list(db.session.scalars(sa.select(TotpApp.public_id).order_by(TotpApp.id)))
    windows = tabs(racing_app, ana, 2)

    statuses = at_once(
        [
            lambda tab=tab, id=id: tab.post(f"/manage/account/two-factor/{id}/remove/")  # type: ignore[misc]
            for tab, id in zip(windows, ids, strict=True)
        ]
    )

    assert statuses == {303: 1, 422: 1}
    assert count(TotpApp, TotpApp.user_id == ana.id) == 1


def test_one_set_up_confirmed_in_several_tabs_gives_one_app(racing_app: Flask, clock: SettableClock) -> None:
    ana = People(racing_app, clock).a_user("ana").verified().build()
    windows = tabs(racing_app, ana, 4)
    page = windows[0].browser.page(PROVISION)
    key = page.root.find(".//*[@id='key']")
    assert key is not None
    code = pyotp.TOTP("".join("".join(key.itertext()).split())).at(clock.now())

    statuses = at_once(
        [lambda tab=tab: tab.post(PROVISION, totp_value=code, label="") for tab in windows]  # type: ignore[misc]
    )

    assert statuses.keys() <= {303, 400, 422}
    assert count(TotpApp, TotpApp.user_id == ana.id) == 1
    assert count(RecoveryCode, RecoveryCode.user_id == ana.id) == 10


@requirement("R25")
def test_tabs_opened_at_once_show_one_secret(racing_app: Flask, clock: SettableClock) -> None:
    ana = People(racing_app, clock).a_user("ana").verified().build()
    keys: set[str] = set()

    def look(tab: Ready) -> int:
        response = tab.browser.get(PROVISION)
        keys.add(response.text.partition('id="key">')[2].partition("</p>")[0])
        return response.status_code

    statuses = at_once([lambda tab=tab: look(tab) for tab in tabs(racing_app, ana, 4)])  # type: ignore[misc]

    assert statuses == {200: 4}
    assert len(keys) == 1
