"""What a passkey may do once, it does once, however many requests come at the same time: on both databases, over
HTTP."""

import json
import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import Base, BrowserSession, Mail, Passkey, TotpApp, db
from tests.authenticator import Authenticator, Json, a_password_manager, a_security_key
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.ceremonies import ADD, AUTHENTICATE, CONFIRM, SECOND_STEP, SIGN_IN, ask, second_step
from tests.requirements import requirement

MANY = 20
# Whoever comes too late finds the challenge answered (422), or the session risen: its form token void (400), nobody
# there any more (403), or another handle (409).
REFUSED = {400, 403, 409, 422}
LIST = "/manage/account/two-factor/"


@dataclass(frozen=True)
class Ready:
    """A window that waits to send a form."""

    browser: Browser
    path: str
    fields: dict[str, str] = field(default_factory=dict)

    def post(self) -> int:
        with self.browser.app.app_context():
            return self.browser.client.post(
                self.path,
                data=self.fields,
                headers={"Accept": "application/json"},
                base_url=self.browser.base_url,
                environ_overrides=self.browser.environ,
            ).status_code


def answering(browser: Browser, path: str, credential: Json, fields: dict[str, str] | None = None) -> Ready:
    """A window in which a key has answered."""
    sent = {"csrf_token": browser.form_token(), **(fields or {}), "credential": json.dumps(credential)}
    return Ready(browser, f"{path}validate", sent)


def window_of(ready: Ready, number: int = 1) -> Ready:
    """Another window that shares the session and sends the same, from a network of its own: what stands between many
    of them must not be a budget."""
    cookie = ready.browser.client.get_cookie("countersign")
    assert cookie is not None
    browser = Browser(ready.browser.app, address=f"198.51.100.{number}")
    browser.client.set_cookie("countersign", cookie.value)
    return Ready(browser, ready.path, ready.fields)


def at_once(windows: list[Ready]) -> Counter[int]:
    """Send from all windows in the same moment, each in a thread of its own; the statuses that came back."""
    together, statuses = threading.Barrier(len(windows)), Counter[int]()

    def run(window: Ready) -> None:
        together.wait()
        status = window.post()
        statuses[status] += 1

    db.session.rollback()  # this thread holds no lock meanwhile
    threads = [threading.Thread(target=run, args=[window]) for window in windows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.total() == len(windows), "a request ended in an exception"
    return statuses


def count(entity: type[Base], *conditions: sa.ColumnElement[bool]) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(entity).where(*conditions)) or 0


def full_sessions() -> int:
    return count(BrowserSession, BrowserSession.level == "full")


@requirement("R42")
def test_one_answer_sent_twenty_times_gives_one_session(either_app: Flask, clock: SettableClock) -> None:
    laptop, browser = Authenticator(), Browser(either_app)
    People(either_app, clock).a_user("ana").verified().with_passkey(laptop).build()
    first = answering(browser, AUTHENTICATE, laptop.get(ask(browser, AUTHENTICATE, SIGN_IN)), SIGN_IN)

    statuses = at_once([window_of(first, number) for number in range(MANY)])

    assert statuses[200] == 1
    assert statuses.keys() <= REFUSED | {200}
    assert full_sessions() == 1
    assert count(Passkey, Passkey.sign_count == 2, Passkey.refused_since.is_(None)) == 1


@requirement("R42")
def test_one_challenge_answered_twenty_times_gives_one_session(either_app: Flask, clock: SettableClock) -> None:
    """Each answer is another one, and each is true."""
    laptop, browser = Authenticator(), Browser(either_app)
    People(either_app, clock).a_user("ana").verified().with_passkey(laptop).build()
    options = ask(browser, AUTHENTICATE, SIGN_IN)
    windows = [
        window_of(answering(browser, AUTHENTICATE, laptop.get(options), SIGN_IN), number) for number in range(MANY)
    ]

    statuses = at_once(windows)

    assert statuses[200] == 1
    assert statuses.keys() <= REFUSED | {200}
    assert full_sessions() == 1


def test_one_answer_after_the_password_sent_twenty_times_gives_one_session(
    either_app: Flask, clock: SettableClock
) -> None:
    stick, browser = a_security_key(), Browser(either_app)
    People(either_app, clock).a_user("ana").verified().with_passkey(stick).build()
    browser.post("/account/login/", username="ana", password=PASSWORD)
    first = answering(browser, AUTHENTICATE, stick.get(ask(browser, AUTHENTICATE, SECOND_STEP)), SECOND_STEP)

    statuses = at_once([window_of(first, number) for number in range(MANY)])

    assert statuses[200] == 1
    assert statuses.keys() <= REFUSED | {200, 429}
    assert full_sessions() == 1


def test_one_answer_confirms_once(either_app: Flask, clock: SettableClock) -> None:
    laptop = Authenticator()
    ana = People(either_app, clock).a_user("ana").verified().with_passkey(laptop).build()
    browser = Browser(either_app).sign_in(ana)
    first = answering(browser, CONFIRM, laptop.get(ask(browser, CONFIRM)))

    statuses = at_once([window_of(first, number) for number in range(MANY)])

    assert statuses[200] == 1
    assert statuses.keys() <= REFUSED | {200, 429}


@pytest.mark.parametrize("attempt", range(3))
def test_of_a_key_and_its_copy_at_once_one_gets_in_and_the_key_is_refused(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    laptop = Authenticator()
    People(either_app, clock).a_user("ana").verified().with_passkey(laptop).build()
    windows = []
    for number in range(2):
        browser = Browser(either_app, address=f"198.51.100.{number}")
        credential = laptop.get(ask(browser, AUTHENTICATE, SIGN_IN), count=7)
        windows.append(answering(browser, AUTHENTICATE, credential, SIGN_IN))

    statuses = at_once(windows)

    assert statuses == {200: 1, 422: 1}
    assert full_sessions() == 1
    assert count(Passkey, Passkey.refused_since.is_not(None)) == 1
    assert count(Mail, Mail.notice == "key-refused") == 1


@requirement("R46")
@pytest.mark.parametrize("attempt", range(3))
def test_one_key_registered_by_two_people_at_once_gives_one_row(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    stick, people = a_security_key(), People(either_app, clock)
    held, windows = stick.hold(b"somebody"), []
    for username in ("ana", "newt"):
        browser = Browser(either_app).sign_in(people.a_user(username).verified().build())
        windows.append(answering(browser, ADD, stick.create(ask(browser, ADD), key=held), {"label": "Stick"}))

    statuses = at_once(windows)

    assert statuses == {200: 1, 422: 1}
    assert count(Passkey) == 1


@pytest.mark.parametrize("attempt", range(3))
def test_one_key_registered_in_two_windows_at_once_gives_one_row(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    ana, stick = People(either_app, clock).a_user("ana").verified().build(), a_security_key()
    browser, held = Browser(either_app).sign_in(ana), stick.hold(b"ana")
    credentials = [stick.create(ask(browser, ADD), key=held) for _ in range(2)]
    windows = [window_of(answering(browser, ADD, credential, {"label": ""})) for credential in credentials]

    statuses = at_once(windows)

    assert statuses[200] == 1
    assert statuses.keys() <= REFUSED | {200}
    assert count(Passkey) == 1


def test_fifty_keys_are_the_most_also_at_once(either_app: Flask, clock: SettableClock) -> None:
    builder = People(either_app, clock).a_user("ana").verified()
    for number in range(48):
        builder.with_passkey(a_security_key(), f"Key {number}")
    browser = Browser(either_app).sign_in(builder.build())
    windows = [window_of(answering(browser, ADD, a_security_key().create(ask(browser, ADD)))) for _ in range(4)]

    statuses = at_once(windows)

    assert statuses.keys() <= REFUSED | {200}
    assert count(Passkey) == 48 + statuses[200] <= 50
    assert statuses[200] >= 1


@requirement("R35")
@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("with_app", [True, False])
def test_of_the_last_two_factors_removed_at_once_one_stays(
    either_app: Flask, clock: SettableClock, attempt: int, with_app: bool
) -> None:
    builder = People(either_app, clock).a_user("ana").verified().with_passkey(Authenticator(), "Laptop")
    ana = (builder.with_totp() if with_app else builder.with_passkey(a_security_key(), "Stick")).build()
    ids = [
        *db.session.scalars(sa.select(Passkey.public_id)),
        *db.session.scalars(sa.select(TotpApp.public_id)),
    ]
    browser = Browser(either_app).sign_in(ana)
    token = {"csrf_token": browser.form_token()}
    windows = [window_of(Ready(browser, f"{LIST}{id}/remove/", token)) for id in ids]

    statuses = at_once(windows)

    assert len(ids) == 2
    assert statuses == {303: 1, 422: 1}
    assert count(Passkey) + count(TotpApp) == 1


@pytest.mark.parametrize("attempt", range(3))
def test_one_key_removed_in_two_windows_at_once_is_told_once(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    builder = People(either_app, clock).a_user("ana").verified().with_passkey(Authenticator(), "Laptop")
    browser = Browser(either_app).sign_in(builder.with_totp().build())
    remove = Ready(browser, f"{ADD}delete", {"csrf_token": browser.form_token(), "label": "Laptop"})

    statuses = at_once([window_of(remove) for _ in range(4)])

    assert statuses[303] == 1
    assert statuses.keys() <= {303, 404, 422}
    assert (count(Passkey), count(Mail, Mail.notice == "factor-removed")) == (0, 1)


@pytest.mark.parametrize("attempt", range(5))
def test_a_sign_in_and_the_removal_of_its_key_at_once_leave_the_owner_alone(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    """Neither does the thief stay in, nor do the two wait for each other for ever."""
    stolen = Authenticator()
    ana = People(either_app, clock).a_user("ana").verified().with_passkey(stolen, "Stolen").with_totp().build()
    owner, thieves = (
        Browser(either_app).sign_in(ana),
        [Browser(either_app, address=f"198.51.100.{n}") for n in range(4)],
    )
    windows = [Ready(owner, f"{ADD}delete", {"csrf_token": owner.form_token(), "label": "Stolen"})]
    for thief in thieves:
        options = ask(thief, AUTHENTICATE, SIGN_IN)
        windows.append(answering(thief, AUTHENTICATE, stolen.get(options), SIGN_IN))

    statuses = at_once(windows)

    assert statuses.keys() <= {200, 303, 409, 422}
    assert statuses[303] == 1
    assert full_sessions() == 1
    assert count(BrowserSession, BrowserSession.user_id == ana.id) == 1


@pytest.mark.parametrize("attempt", range(3))
def test_sign_ins_in_known_browsers_and_a_removal_at_once_do_not_wait_for_each_other(
    either_app: Flask, clock: SettableClock, attempt: int
) -> None:
    manager = a_password_manager()
    ana = People(either_app, clock).a_user("ana").verified().with_passkey(manager).with_totp().build()
    windows = []
    for number in range(4):
        browser = Browser(either_app, address=f"198.51.100.{number}")
        browser.post("/account/login/", username="ana", password=PASSWORD)
        second_step(browser, manager)
        browser.post("/account/logout/")
        browser.post("/account/login/", username="ana", password=PASSWORD)
        options = ask(browser, AUTHENTICATE, SECOND_STEP)
        windows.append(answering(browser, AUTHENTICATE, manager.get(options), SECOND_STEP))
    owner = Browser(either_app).sign_in(ana)
    app_id = db.session.scalars(sa.select(TotpApp.public_id)).one()
    windows.append(Ready(owner, f"{LIST}{app_id}/remove/", {"csrf_token": owner.form_token()}))

    statuses = at_once(windows)

    assert statuses.keys() <= {200, 303, 400, 403, 409, 422}
    assert statuses[303] == 1
    assert full_sessions() == 1
