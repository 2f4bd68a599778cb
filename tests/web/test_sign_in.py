"""Signing in and out with a password."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import accounts, sign_ins
from domain.identity.passwords import HashCost, PasswordHasher
from domain.identity.throttle import PASSWORD_FROM_ADDRESS, PASSWORD_OF_ACCOUNT
from models import BrowserSession, Email, Event, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.conftest import MakeApp
from tests.letters import letters, notices_to
from tests.requirements import requirement

LOGIN, LOGOUT = "/account/login/", "/account/logout/"


def tags() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))


def sign_in(browser: Browser, username: str = "ana", password: str = PASSWORD) -> int:
    return browser.post(LOGIN, username=username, password=password).status_code


@requirement("R73")
def test_the_form_helps_password_managers(browser: Browser) -> None:
    page = browser.page(LOGIN)

    tokens = {field.get("name"): field.get("autocomplete") for field in page.root.iter("input")}
    assert (tokens["username"], tokens["password"]) == ("username webauthn", "current-password")


@pytest.mark.parametrize("typed", ["ana", "ANA", " ana ", "ana@mail.example", "Ana@Mail.Example"])
def test_username_or_address_and_the_password_sign_in(browser: Browser, people: People, typed: str) -> None:
    people.a_user("ana").verified().build()

    answer = browser.post(LOGIN, username=typed, password=PASSWORD)

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/manage/projects/"
    assert browser.page("/manage/account/").text.count("ana")
    session = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id.is_not(None))).one()
    assert (session.level, session.method) == ("full", "password")
    assert tags() == ["account:sign_in:succeeded"]


def test_an_address_of_one_account_signs_in_before_it_is_verified(browser: Browser, people: People) -> None:
    people.a_user("ana").build()

    assert sign_in(browser, "ana@mail.example") == 303


def test_an_address_that_two_accounts_claim_signs_in_to_neither_until_one_has_verified_it(
    app: Flask, people: People
) -> None:
    people.a_user("ana").build()
    nora = people.a_user("nora").build()
    nora.emails[0].address = nora.emails[0].address_key = "ana@mail.example"
    db.session.commit()

    assert sign_in(Browser(app), "ana@mail.example") == 422

    email = db.session.scalars(sa.select(Email).where(Email.user_id == nora.id)).one()
    email.verified_at = email.added_at
    db.session.commit()
    browser = Browser(app)
    assert sign_in(browser, "ana@mail.example") == 303
    assert "nora" in browser.page("/manage/account/").text


def test_a_wrong_password_keeps_what_was_typed_but_never_the_password(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()

    page = browser.submit(LOGIN, status=422, username="ana", password="wrong horse battery")

    assert "Username or password is wrong" in page.text
    assert page.title.startswith("Error: ")
    assert page.value("username") == "ana"
    assert "wrong horse" not in page.html
    assert browser.get("/manage/account/").status_code == 303


@requirement("R100")
def test_the_failure_is_written_down_without_what_was_typed(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()

    sign_in(browser, "ana", "wrong horse battery")
    sign_in(browser, "my secret passphrase", "ana")

    known, unknown = db.session.scalars(sa.select(Event).order_by(Event.id))
    assert (known.tag, known.actor_id, known.user_id) == ("account:sign_in:failed", None, ana.id)
    assert (unknown.tag, unknown.actor_id, unknown.user_id) == ("account:sign_in:failed", None, None)
    assert known.details == unknown.details == {"reason": "wrong password"}


@requirement("R95")
def test_next_survives_and_leads_home_only(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()

    good = browser.post(f"{LOGIN}?next=/help/policy/", username="ana", password=PASSWORD)

    assert good.headers["Location"] == "/help/policy/"


@requirement("R95")
@pytest.mark.parametrize(
    "evil",
    ["//evil.example", "https:evil.example", "/\\evil.example", "/%0d%0aSet-Cookie:a=b", "\x00", "/" + "a" * 3000],
)
def test_never_to_another_site(browser: Browser, people: People, evil: str) -> None:
    people.a_user("ana").verified().build()

    answer = browser.post(f"{LOGIN}?{urlencode({'next': evil})}", username="ana", password=PASSWORD)

    assert answer.headers["Location"] == "/manage/projects/"


def test_whoever_is_signed_in_is_led_on(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    assert browser.get(f"{LOGIN}?next=/help/").headers["Location"] == "/help/"


def test_with_a_second_factor_the_password_is_only_half_of_it(browser: Browser, people: People) -> None:
    people.a_member("ana")

    answer = browser.post(f"{LOGIN}?next=/help/policy/", username="ana", password=PASSWORD)

    assert answer.headers["Location"] == "/account/two-factor/"
    session = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id.is_not(None))).one()
    assert session.level == "half"
    assert session.data["next"] == "/help/policy/"
    assert tags() == []


def test_a_half_sign_in_can_be_begun_anew_as_somebody_else(browser: Browser, people: People) -> None:
    people.a_member("ana")
    people.a_user("nora").verified().build()
    sign_in(browser, "ana")

    assert sign_in(browser, "nora") == 303

    assert "nora" in browser.page("/manage/account/").text


def test_a_frozen_account_is_told_so_only_with_the_right_password(app: Flask, people: People) -> None:
    people.a_user("ana").verified().frozen().build()

    wrong = Browser(app).submit(LOGIN, status=422, username="ana", password="wrong horse battery")
    right = Browser(app).submit(LOGIN, status=422, username="ana", password=PASSWORD)

    assert "Username or password is wrong" in wrong.text
    assert "This account is frozen" in right.text
    assert db.session.scalar(sa.select(BrowserSession.id).where(BrowserSession.user_id.is_not(None))) is None


def test_an_account_without_a_password_cannot_be_entered(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    ana.password_hash = None
    db.session.commit()

    assert sign_in(browser, "ana", "") == 422
    assert sign_in(browser, "ana", "None") == 422


@requirement("R13", "R105")
def test_username_and_address_share_one_budget_that_survives_a_restart(
    app: Flask, make_app: MakeApp, people: People, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.a_user("ana").verified().build()
    limit = PASSWORD_OF_ACCOUNT.limits[0]
    for number in range(limit.most):
        browser = Browser(app, address=f"198.51.100.{number}")
        assert sign_in(browser, ("ana", "ana@mail.example")[number % 2], "wrong horse battery") == 422

    refused = Browser(app).post(LOGIN, username="Ana", password=PASSWORD)
    monkeypatch.setattr("shutil.copy", lambda *_: None)  # the second application opens the first one's database
    after_restart = Browser(make_app()).post(LOGIN, username="ANA@mail.example", password=PASSWORD)

    for answer in (refused, after_restart):
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) == limit.window.total_seconds()
        assert "Too many wrong passwords" in answer.text
    clock.advance(limit.window)
    assert sign_in(Browser(app)) == 303


def test_names_that_nobody_has_run_out_of_tries_just_so(app: Flask) -> None:
    for number in range(PASSWORD_OF_ACCOUNT.limits[0].most):
        assert sign_in(Browser(app, address=f"198.51.100.{number}"), "nobody", "wrong horse") == 422

    assert sign_in(Browser(app), " NOBODY ", "wrong horse") == 429
    assert sign_in(Browser(app), "somebody", "wrong horse") == 422


@requirement("R105")
def test_one_network_address_cannot_try_many_accounts(app: Flask, people: People) -> None:
    people.a_user("ana").verified().build()
    for number in range(PASSWORD_FROM_ADDRESS.limits[0].most):
        assert sign_in(Browser(app), f"user{number}", "wrong horse") == 422

    assert sign_in(Browser(app)) == 429
    assert sign_in(Browser(app, address="198.51.100.9")) == 303


def test_signing_in_gives_the_budget_back(app: Flask, people: People) -> None:
    people.a_user("ana").verified().build()
    for _ in range(3):
        for number in range(PASSWORD_OF_ACCOUNT.limits[0].most - 1):
            assert sign_in(Browser(app, address=f"198.51.100.{number}"), "ana", "wrong horse") == 422
        assert sign_in(Browser(app, address="198.51.100.200")) == 303


@requirement("R14")
def test_after_three_wrong_passwords_the_owner_is_told(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    for _ in range(3):
        sign_in(browser, "ana", "wrong horse battery")

    page = browser.submit(f"{LOGIN}?next=/help/", username="ana", password=PASSWORD)

    assert "a wrong password was typed for this account 3 times" in page.text
    letter = letters("ana@mail.example")[0]
    assert letter.notice == "sign-in-after-failures"
    assert "after 3 wrong passwords" in letter.subject
    for words in ("22 Nov 2026, 14:05 UTC", "203.0.113.7", "Firefox on Linux"):
        assert words in letter.text


@requirement("R14")
def test_tries_that_nobody_looked_at_do_not_hide_wrong_passwords(either_app: Flask, clock: SettableClock) -> None:
    """Whoever guesses would only have to go on while he has to wait, and the owner would be told of none."""
    People(either_app, clock).a_user("ana").verified().build()
    for number in range(10):
        sign_in(Browser(either_app, address=f"198.51.100.{number}"), "ana", "wrong horse")
    waiting = Browser(either_app, address="198.51.100.200")
    while tags().count(accounts.NOT_SIGNED_IN) < 10 + sign_ins.MOST_COUNTED:
        assert sign_in(waiting, "ana", "wrong horse") == 429

    clock.advance(timedelta(minutes=5))
    sign_in(Browser(either_app, address="198.51.100.201"))

    assert "sign-in-after-failures" in notices_to("ana@mail.example")


@requirement("R14")
def test_after_two_there_is_no_noise_and_old_failures_are_not_counted_again(app: Flask, people: People) -> None:
    people.a_user("ana").verified().build()
    for _ in range(2):
        browser = Browser(app)
        for _ in range(2):
            sign_in(browser, "ana", "wrong horse battery")
        sign_in(browser)

    assert "sign-in-after-failures" not in notices_to("ana@mail.example")


@requirement("R79")
def test_no_password_is_too_old(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().registered(datetime(2009, 1, 1, tzinfo=UTC)).build()

    page = browser.submit(LOGIN, username="ana", password=PASSWORD)

    assert page.h1 == "Your projects"
    assert "password" not in page.text.lower()


@requirement("R72")
def test_a_hash_is_made_anew_when_its_cost_was_raised(app: Flask, browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    ana.password_hash = cheap = PasswordHasher(HashCost(time_cost=2, memory_kib=8)).hash(PASSWORD)
    db.session.commit()

    sign_in(browser)

    db.session.rollback()
    renewed = db.session.get_one(User, ana.id).password_hash
    assert renewed != cheap
    assert "t=1," in str(renewed)
    assert sign_in(Browser(app)) == 303


@requirement("R67", "R94")
def test_sign_out_asks_on_get_and_acts_on_post(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    assert browser.page(LOGOUT).h1 == "Sign out?"
    assert browser._send("HEAD", LOGOUT).status_code == 200
    assert browser.get("/manage/account/").status_code == 200

    answer = browser.post(LOGOUT)

    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/manage/account/").status_code == 303
    assert "account:session:ended" in tags()
    assert "You are signed out" in browser.page(LOGIN).text


@requirement("R91")
def test_signing_out_asks_for_the_form_token(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    assert browser.post(LOGOUT, csrf_token="forged").status_code == 400
    assert browser.get("/manage/account/").status_code == 200


def test_whoever_has_left_already_is_not_asked_to_sign_in_for_it(
    browser: Browser, people: People, clock: SettableClock
) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    clock.advance(timedelta(hours=2))

    answer = browser.post(LOGOUT)

    assert answer.status_code == 303
    assert "You are signed out already" in browser.page(answer.headers["Location"]).text


def test_a_session_left_alone_ends_at_the_sign_in_page_and_comes_back(
    browser: Browser, people: People, clock: SettableClock
) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    clock.advance(timedelta(hours=2))

    page = browser.page("/manage/account/emails/")

    assert page.h1 == "Sign in"
    back = browser.post(f"{LOGIN}?{page.response.request.query_string.decode()}", username="ana", password=PASSWORD)
    assert back.headers["Location"] == "/manage/account/emails/"
