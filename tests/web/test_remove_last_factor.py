"""Removing and renaming authenticator apps: the last one stays while a rule asks for one."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import BrowserSession, Event, Mail, RecoveryCode, TotpApp, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.requirements import requirement

LIST = "/manage/account/two-factor/"


def app_of(user: User, label: str = "My phone") -> str:
    """The start of the addresses of one of the user's apps."""
    public_id = db.session.scalars(
        sa.select(TotpApp.public_id).where(TotpApp.user_id == user.id, TotpApp.label == label)
    ).one()
    return f"{LIST}{public_id}/"


def labels(user: User) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(TotpApp.label).where(TotpApp.user_id == user.id).order_by(TotpApp.id)))


@pytest.fixture
def two_apps(people: People) -> User:
    return people.a_user("ana").verified().with_totp().with_totp("Tablet").with_recovery_codes().build()


@requirement("R35")
def test_the_last_app_stays_and_the_page_says_why(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    browser.sign_in(ana)
    remove = f"{app_of(ana)}remove/"

    listed = browser.page(LIST)
    asked = browser.page(remove)
    refused = browser.submit(remove, status=422)

    assert "Your only one: add another before you remove it." in listed.text
    assert remove not in listed.links()
    assert "This is your only second factor, and this index requires one." in asked.text
    assert "Add another first, then remove this one." in refused.text
    assert labels(ana) == ["My phone"]


@requirement("R36", "R62")
def test_one_of_two_can_be_removed_and_its_codes_stop_working(
    app: Flask, browser: Browser, clock: SettableClock, two_apps: User
) -> None:
    elsewhere = Browser(app).sign_in(two_apps)
    browser.sign_in(two_apps)

    page = browser.submit(f"{app_of(two_apps)}remove/")

    assert page.h1 == "Second factors"
    assert "“My phone” was removed. Delete its entry from the app, too" in page.text
    assert labels(two_apps) == ["Tablet"]
    assert db.session.scalar(sa.select(sa.func.count()).where(BrowserSession.user_id == two_apps.id)) == 1
    assert elsewhere.get(LIST).headers["Location"].startswith("/account/login/")
    stranger = Browser(app)
    stranger.submit("/account/login/", username="ana", password=PASSWORD)
    stranger.submit("/account/two-factor/", totp_value=code_of(two_apps, clock, 0), status=422)
    assert stranger.post("/account/two-factor/", totp_value=code_of(two_apps, clock, 1)).status_code == 303


def test_a_removal_asks_first_and_get_removes_nothing(browser: Browser, two_apps: User) -> None:
    browser.sign_in(two_apps)

    page = browser.page(f"{app_of(two_apps)}remove/")

    assert page.h1 == "Remove “My phone”?"
    assert labels(two_apps) == ["My phone", "Tablet"]


def test_a_removal_needs_a_fresh_proof_of_who_one_is(browser: Browser, clock: SettableClock, two_apps: User) -> None:
    browser.sign_in(two_apps)
    remove = f"{app_of(two_apps)}remove/"
    clock.advance(timedelta(minutes=16))

    answer = browser.post(remove)

    assert answer.headers["Location"] == "/account/reauthenticate/"
    assert labels(two_apps) == ["My phone", "Tablet"]


def test_a_removal_is_told_by_mail_and_in_the_journal(app: Flask, browser: Browser, two_apps: User) -> None:
    browser.sign_in(two_apps)

    browser.submit(f"{app_of(two_apps)}remove/")

    mail = db.session.scalars(sa.select(Mail).where(Mail.notice == "factor-removed")).one()
    letter = wiring_of(app).notices.read(mail)
    assert letter.subject == "An authenticator app was removed from your account ana"
    assert "“My phone”" in letter.text
    assert "203.0.113.7" in letter.text
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:totp:removed")).one()
    assert (event.user_id, event.details) == (two_apps.id, {"label": "My phone", "kind": "authenticator app"})


def test_a_removal_twice_is_no_error_of_ours(browser: Browser, two_apps: User) -> None:
    browser.sign_in(two_apps)
    remove = f"{app_of(two_apps)}remove/"
    browser.submit(remove)

    assert browser.post(remove).status_code == 404
    assert labels(two_apps) == ["Tablet"]


def test_where_no_rule_asks_for_one_the_last_app_goes_and_takes_the_codes_along(
    make_app: MakeApp, clock: SettableClock
) -> None:
    application = make_app(require_2fa_new_users_from=date(2027, 1, 1))
    with application.app_context():
        ana = People(application, clock).a_member("ana")
        browser = Browser(application).sign_in(ana)

        page = browser.submit(f"{app_of(ana)}remove/")

        assert page.h1 == "Choose how to confirm it is you"
        assert labels(ana) == []
        assert db.session.scalar(sa.select(sa.func.count()).select_from(RecoveryCode)) == 0
        assert db.session.get_one(User, ana.id).recovery_codes_confirmed_at is None
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("what", ["rename/", "remove/"])
def test_nobody_learns_of_somebody_elses_app(browser: Browser, people: People, two_apps: User, what: str) -> None:
    browser.sign_in(people.a_member("eve"))
    address = app_of(two_apps) + what

    assert browser.get(address).status_code == 404
    assert browser.post(address, label="Mine").status_code == 404
    assert browser.get(f"{LIST}0123456789abcdef/{what}").status_code == 404
    assert labels(two_apps) == ["My phone", "Tablet"]


def test_an_app_can_be_renamed(browser: Browser, two_apps: User) -> None:
    browser.sign_in(two_apps)
    rename = f"{app_of(two_apps)}rename/"

    shown = browser.page(rename)
    page = browser.submit(rename, label="  Old   phone ")

    assert shown.value("label") == "My phone"
    assert "Renamed." in page.text
    assert labels(two_apps) == ["Old phone", "Tablet"]
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:totp:renamed")).one()
    assert event.details == {"label": "Old phone", "kind": "authenticator app", "was": "My phone"}


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Tablet", "You have a second factor named “Tablet” already. Choose another name."),
        ("", "Type a name."),
        ("x" * 65, "Use at most 64 characters."),
        ("a\nb", "Leave out line breaks and control characters."),
    ],
)
def test_a_name_that_does_not_serve_is_refused(browser: Browser, two_apps: User, label: str, words: str) -> None:
    browser.sign_in(two_apps)

    page = browser.submit(f"{app_of(two_apps)}rename/", label=label, status=422)

    assert words in page.text
    assert labels(two_apps) == ["My phone", "Tablet"]
