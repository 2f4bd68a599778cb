"""What a cookie is worth, from the first visit to the end."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask, flash
from flask.typing import ResponseReturnValue

from adapters.clock import SettableClock
from domain.identity import sessions
from domain.identity.sessions import ABSOLUTE, HALF_LASTS, IDLE, Level
from domain.policy.principals import Origin
from models import BrowserSession, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.packages import a_wheel
from tests.requirements import requirement
from tests.uploading import upload

LOGIN, ACCOUNT = "/account/login/", "/manage/account/"


def handle(browser: Browser) -> str:
    cookie = browser.client.get_cookie("countersign")
    assert cookie is not None
    return cookie.value


def with_handle(app: Flask, value: str) -> Browser:
    """Another browser that holds a copy of the cookie."""
    browser = Browser(app)
    browser.client.set_cookie("countersign", value, domain="localhost")
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.get(ACCOUNT).status_code == 200


@pytest.fixture
def ana(people: People) -> User:
    """Somebody without a second factor."""
    return people.a_user("ana").verified().build()


def test_a_visitor_who_only_reads_is_given_no_cookie(browser: Browser) -> None:
    answer = browser.get("/help/")

    assert "Set-Cookie" not in answer.headers
    assert db.session.scalar(sa.select(BrowserSession.id)) is None


@requirement("R56", "R66")
def test_the_cookie_is_a_random_handle_that_stands_nowhere_else(browser: Browser, ana: User) -> None:
    answer = browser.post(LOGIN, username="ana", password=PASSWORD)

    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if each.startswith("countersign="))
    assert re.fullmatch(r"countersign=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax", cookie)
    row = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == ana.id)).one()
    assert handle(browser).encode() not in row.handle_hash


@requirement("R66")
def test_over_tls_it_is_secure_and_bound_to_the_host(make_app: MakeApp) -> None:
    app = make_app(public_url="https://index.example")
    with app.app_context():
        cookie = Browser(app).get(LOGIN).headers["Set-Cookie"]

        assert re.fullmatch(r"__Host-countersign=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Lax", cookie)
        db.session.remove()
        db.engine.dispose()


@requirement("R57", "R58")
def test_a_handle_from_before_the_sign_in_is_dead_after_it(app: Flask, browser: Browser, ana: User) -> None:
    browser.get(LOGIN)
    planted = handle(browser)

    browser.post(LOGIN, username="ana", password=PASSWORD)

    assert handle(browser) != planted
    assert is_signed_in(browser)
    assert not is_signed_in(with_handle(app, planted))


@requirement("R57")
def test_the_handle_of_half_a_sign_in_is_dead_after_the_second_step(
    app: Flask, browser: Browser, people: People, clock: SettableClock
) -> None:
    user = people.a_member("nora")
    browser.post(LOGIN, username="nora", password=PASSWORD)
    half = handle(browser)

    browser.post("/account/two-factor/", method="totp", totp_value=code_of(user, clock))

    assert is_signed_in(browser)
    assert not is_signed_in(with_handle(app, half))


@requirement("R57")
def test_a_form_token_from_before_the_sign_in_is_dead_after_it(browser: Browser, ana: User) -> None:
    before = browser.form_token()
    browser.post(LOGIN, username="ana", password=PASSWORD)

    assert browser.post("/account/logout/", csrf_token=before).status_code == 400
    assert is_signed_in(browser)


@requirement("R06")
def test_half_a_sign_in_counts_as_nobody(app: Flask, browser: Browser, people: People) -> None:
    people.a_member("nora")
    browser.post(LOGIN, username="nora", password=PASSWORD)

    for path in (ACCOUNT, "/manage/account/emails/", "/manage/account/password/", "/manage/account/two-factor/"):
        assert browser.get(path).headers["Location"].startswith(LOGIN), path
    assert "nora" not in browser.page("/help/").text
    with app.test_request_context(headers={"Cookie": f"countersign={handle(browser)}"}):
        from flask_login import current_user

        assert not current_user.is_authenticated


@requirement("R07")
def test_half_a_sign_in_ends_by_itself(browser: Browser, people: People, clock: SettableClock) -> None:
    user = people.a_member("nora")
    browser.post(LOGIN, username="nora", password=PASSWORD)
    clock.advance(HALF_LASTS + timedelta(seconds=1))

    browser.post("/account/two-factor/", method="totp", totp_value=code_of(user, clock))

    assert not is_signed_in(browser)


@requirement("R59")
def test_signing_out_kills_every_copy_of_the_cookie(app: Flask, browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    copy = with_handle(app, handle(browser))
    assert is_signed_in(copy)

    browser.post("/account/logout/")

    assert not is_signed_in(copy)
    assert not is_signed_in(browser)


def test_signing_out_here_leaves_other_browsers_alone(app: Flask, browser: Browser, ana: User) -> None:
    other = Browser(app).sign_in(ana)
    browser.sign_in(ana)

    browser.post("/account/logout/")

    assert is_signed_in(other)


@requirement("R60")
def test_a_session_ends_an_hour_after_it_was_last_seen(browser: Browser, ana: User, clock: SettableClock) -> None:
    browser.sign_in(ana)
    for _ in range(3):
        clock.advance(IDLE - timedelta(minutes=1))
        assert is_signed_in(browser)

    clock.advance(IDLE + timedelta(minutes=1))

    assert not is_signed_in(browser)


@requirement("R60")
def test_a_session_ends_a_day_after_the_sign_in_however_busy(browser: Browser, ana: User, clock: SettableClock) -> None:
    browser.sign_in(ana)
    half_an_hour = timedelta(minutes=30)
    for _ in range(ABSOLUTE // half_an_hour - 1):
        clock.advance(half_an_hour)
        assert is_signed_in(browser)

    clock.advance(half_an_hour)

    assert not is_signed_in(browser)


@requirement("R63")
def test_a_frozen_account_is_out_at_once(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    db.session.get_one(User, ana.id).is_active = False
    db.session.commit()

    assert not is_signed_in(browser)


@requirement("R63")
def test_a_deleted_account_is_out_at_once_and_so_are_its_tokens(app: Flask, browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    _, token = people.a_token(ana)
    browser.sign_in(ana)
    assert is_signed_in(browser)

    db.session.execute(sa.delete(User).where(User.id == ana.id))
    db.session.commit()

    assert not is_signed_in(browser)
    assert upload(app, token, a_wheel()).status_code == 403


@requirement("R68")
def test_flask_logins_remember_cookie_is_never_set_nor_honoured(app: Flask, browser: Browser, ana: User) -> None:
    from flask_login.utils import encode_cookie

    answer = browser.post(LOGIN, username="ana", password=PASSWORD, remember="true")
    assert "remember_token" not in str(answer.headers)

    for user_id in (ana.id, "ana"):
        with app.test_request_context():
            forged = encode_cookie(str(user_id))
        stranger = Browser(app)
        stranger.client.set_cookie("remember_token", forged, domain="localhost")
        assert not is_signed_in(stranger)
        assert "remember_token" not in str(stranger.get(LOGIN).headers)


@requirement("R58")
@pytest.mark.parametrize("value", ["", "x", "a" * 43, "ä" * 43, "a" * 4000])
def test_a_cookie_that_was_made_up_is_nobody(app: Flask, value: str) -> None:
    assert not is_signed_in(with_handle(app, value))


@pytest.mark.parametrize("wait", [timedelta(), timedelta(minutes=5)])
@pytest.mark.parametrize("writes", [True, False])
def test_a_session_that_ends_while_a_page_is_made_makes_no_error(
    app: Flask, browser: Browser, ana: User, clock: SettableClock, wait: timedelta, writes: bool
) -> None:
    browser.sign_in(ana)
    clock.advance(wait)
    original: Callable[[], ResponseReturnValue] = app.view_functions["site.help"]  # type: ignore[assignment]

    def overtaken() -> ResponseReturnValue:
        page = original()
        db.session.rollback()
        with db.engine.begin() as somebody_else:
            somebody_else.execute(sa.delete(BrowserSession))
        if writes:
            flash("Too late.")
        return page

    app.view_functions["site.help"] = overtaken

    assert browser.get("/help/").status_code == 200
    assert not is_signed_in(browser)


def test_the_session_of_a_builder_and_of_the_pages_are_alike(browser: Browser, ana: User) -> None:
    browser.sign_in(ana, level=Level.HALF)

    assert not is_signed_in(browser)


def test_of_two_sign_ins_through_one_cookie_one_wins_whole(app: Flask, people: People, clock: SettableClock) -> None:
    ana, bo = people.a_member("ana"), people.a_user("bo").verified().build()
    origin, now = Origin("203.0.113.7", "test"), clock.now()
    row, handle = sessions.start(db.session(), origin=origin, now=now)
    db.session.commit()
    first = sessions.find(db.session(), handle, now=now)
    second = sessions.find(db.session(), handle, now=now)
    assert first is not None
    assert second is not None
    sessions.step_up(db.session(), first, user_id=bo.id, level=Level.FULL, method="password", origin=origin, now=now)

    with pytest.raises(sessions.SessionOver):
        sessions.step_up(
            db.session(), second, user_id=ana.id, level=Level.HALF, method="password", origin=origin, now=now
        )

    kept = db.session.get_one(BrowserSession, row.id)
    assert (kept.user_id, kept.level) == (bo.id, "full")
