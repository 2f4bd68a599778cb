"""Signing up: an account at once, an address to verify, and no word about other people's addresses."""

from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.throttle import REGISTER as BUDGET
from models import BrowserSession, Event, Mail, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.conftest import MakeApp
from tests.letters import letters, link_to, notices_to
from tests.requirements import requirement

REGISTER = "/account/register/"


def form(**changes: Any) -> dict[str, Any]:
    """The fields of a registration that is in order."""
    fields = {
        "username": "Nora",
        "email": "nora@mail.example",
        "full_name": "Nora Fields",
        "new_password": PASSWORD,
        "password_confirm": PASSWORD,
    }
    return {**fields, **changes}


def without(text: str, *names: str) -> str:
    for name in names:
        text = text.replace(name, "…")
    return text


def users() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(User)) or 0


@requirement("R73")
def test_the_form_helps_password_managers(browser: Browser) -> None:
    page = browser.page(REGISTER)

    tokens = {field.get("name"): field.get("autocomplete") for field in page.root.iter("input")}
    assert tokens["username"] == "username"
    assert tokens["email"] == "email"
    assert tokens["new_password"] == tokens["password_confirm"] == "new-password"


def test_a_new_account_is_signed_in_at_once_and_mailed_a_link(browser: Browser) -> None:
    page = browser.submit(REGISTER, form())

    assert page.response.request.path == "/manage/account/"
    assert "Welcome, Nora" in page.text
    user = db.session.scalars(sa.select(User)).one()
    assert (user.username, user.username_key, user.full_name) == ("Nora", "nora", "Nora Fields")
    assert not user.has_verified_email
    assert PASSWORD not in str(user.password_hash)
    session = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == user.id)).one()
    assert (session.level, session.method) == ("full", "registration")
    assert notices_to("nora@mail.example") == ["verify-email"]
    assert link_to("nora@mail.example").startswith("/account/verify-email/?token=")


def test_it_leaves_its_events(browser: Browser) -> None:
    browser.post(REGISTER, form())

    tags = list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))
    assert tags == ["account:user:registered", "account:sign_in:succeeded"]


def test_one_comes_back_to_where_one_was_going(browser: Browser) -> None:
    answer = browser.post(f"{REGISTER}?next=/help/policy/", form())

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/help/policy/"


@pytest.mark.parametrize("evil", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_never_to_another_site(browser: Browser, evil: str) -> None:
    answer = browser.post(f"{REGISTER}?{urlencode({'next': evil})}", form())

    assert answer.headers["Location"] == "/manage/account/"


def test_whoever_is_signed_in_is_led_on(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    assert browser.get(REGISTER).headers["Location"] == "/manage/account/"
    assert browser.post(REGISTER, form()).headers["Location"] == "/manage/account/"
    assert users() == 1


@pytest.mark.parametrize("taken", ["ana", "ANA", "Ana"])
def test_a_username_that_is_taken_is_said_to_be_taken(browser: Browser, people: People, taken: str) -> None:
    people.a_user("ana").build()

    page = browser.submit(REGISTER, form(username=taken), status=422)

    assert "This username is taken" in page.text
    assert page.title.startswith("Error: ")
    assert page.value("email") == "nora@mail.example"
    assert page.value("new_password") == ""
    assert users() == 1


@requirement("R12")
def test_an_address_of_somebody_else_looks_like_any_other_and_only_its_owner_is_told(
    app: Flask, browser: Browser, people: People
) -> None:
    people.a_user("ana").verified().build()
    free = browser.submit(REGISTER, form(username="nora", email="nora@mail.example"))

    taken = Browser(app).submit(REGISTER, form(username="nina", email="ANA@mail.example"))

    assert taken.status == free.status
    assert without(taken.text, "ANA@mail.example", "nina") == without(free.text, "nora@mail.example", "nora")
    assert notices_to("ana@mail.example") == ["address-in-use"]
    assert letters("ANA@mail.example") == []
    told = letters("ana@mail.example")[0]
    assert "token=" not in told.text
    assert "ana" in told.text
    assert "nina" not in told.text


def test_everything_at_fault_is_said_at_once(browser: Browser) -> None:
    page = browser.submit(
        REGISTER,
        form(
            username="a b",
            email="nobody",
            full_name="see http://evil.example",
            new_password="short",
            password_confirm="short",
        ),
        status=422,
    )

    for words in ("Use letters from A to Z", "no email address", "Leave out web addresses", "at least 12 characters"):
        assert words in page.text
    assert page.value("username") == "a b"
    assert page.value("email") == "nobody"
    assert users() == 0
    assert letters() == []


def test_two_passwords_that_differ_are_refused(browser: Browser) -> None:
    page = browser.submit(REGISTER, form(password_confirm=PASSWORD + "."), status=422)

    assert "The two passwords are not the same" in page.text
    assert users() == 0


@requirement("R70")
@pytest.mark.parametrize(
    "guessable", ["password1234", "nora nora nora", "norafields1", "countersign1", "nora@mail.example"]
)
def test_a_password_that_is_soon_guessed_is_refused(browser: Browser, guessable: str) -> None:
    page = browser.submit(REGISTER, form(new_password=guessable, password_confirm=guessable), status=422)

    assert "Four or five unrelated words" in page.text
    assert users() == 0


@requirement("R69", "R71")
def test_passwords_are_taken_whole_and_as_they_are(app: Flask, browser: Browser) -> None:
    long_one = " Ünïcode " + "correct horse battery staple " * 7
    browser.submit(REGISTER, form(new_password=long_one, password_confirm=long_one))

    for almost in (long_one.strip(), long_one[:72], long_one.lower()):
        assert Browser(app).post("/account/login/", username="nora", password=almost).status_code == 422
    assert Browser(app).post("/account/login/", username="nora", password=long_one).status_code == 303


@pytest.mark.parametrize(("registration", "words"), [("closed", "takes no new accounts"), ("invite", "by invitation")])
def test_a_closed_index_says_so_and_makes_no_account(make_app: MakeApp, registration: str, words: str) -> None:
    app = make_app(registration=registration)
    with app.app_context():
        browser = Browser(app)

        assert words in browser.page(REGISTER, status=403).text
        assert words in browser.submit(REGISTER, form(), status=403).text
        assert users() == 0
        assert "Create an account" not in browser.page("/account/login/").text
        db.session.remove()
        db.engine.dispose()


@requirement("R105")
def test_one_network_address_cannot_make_accounts_without_end(app: Flask, clock: SettableClock) -> None:
    limit = BUDGET.limits[0]
    for number in range(limit.most):
        assert Browser(app).post(REGISTER, form(username=f"nora{number}")).status_code == 303

    refused = Browser(app).post(REGISTER, form(username="late"))
    elsewhere = Browser(app, address="198.51.100.9").post(REGISTER, form(username="else"))

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == limit.window.total_seconds()
    assert "Too many new accounts" in refused.text
    assert elsewhere.status_code == 303
    clock.advance(limit.window)
    assert Browser(app).post(REGISTER, form(username="late")).status_code == 303


def test_a_form_that_is_sent_twice_makes_one_account(browser: Browser) -> None:
    token = browser.form_token()
    browser.post(REGISTER, form(), csrf_token=token)

    again = browser.post(REGISTER, form(), csrf_token=token)

    assert again.status_code in (303, 400)
    assert users() == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Mail)) == 1


def test_a_form_without_its_token_is_refused(browser: Browser) -> None:
    assert browser.post(REGISTER, form(), csrf_token="stale").status_code == 400
    assert users() == 0
