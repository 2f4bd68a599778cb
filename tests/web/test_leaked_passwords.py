"""A new password that leaked elsewhere is refused wherever one is chosen; a service that fails stops nobody."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from models import db
from tests.breach_service import Service, a_list, a_service, hash_of, leaked, logged
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.conftest import MakeApp
from tests.letters import link_to
from tests.requirements import requirement

LEAKED, OTHER = "quiet lantern over seven harbours", "violet engine under nine bridges"
REGISTER, CHANGE = "/account/register/", "/manage/account/password/"
WORDS = "leaked from other sites"


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that knows one password."""
    with a_service(leaked(LEAKED)) as running:
        yield running


@pytest.fixture
def app(make_app: MakeApp, service: Service) -> Iterator[Flask]:
    """An index that asks the service."""
    application = make_app(breach_url=service.url)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def register(browser: Browser, people: People) -> tuple[str, dict[str, str]]:
    return REGISTER, {"username": "nora", "email": "nora@mail.example"}


def change(browser: Browser, people: People) -> tuple[str, dict[str, str]]:
    browser.sign_in(people.a_user("ana").verified().build())
    return CHANGE, {"password": PASSWORD}


def reset(browser: Browser, people: People) -> tuple[str, dict[str, str]]:
    people.a_user("ana").verified().build()
    browser.post("/account/request-password-reset/", username_or_email="ana")
    return link_to("ana@mail.example"), {}


Form = Callable[[Browser, People], tuple[str, dict[str, str]]]
EVERY_FORM = pytest.mark.parametrize("form", [register, change, reset])


@requirement("R70")
@EVERY_FORM
def test_a_leaked_password_is_refused_at_its_field_and_another_one_taken(
    browser: Browser, people: People, service: Service, form: Form
) -> None:
    path, fields = form(browser, people)

    page = browser.submit(path, fields, status=422, new_password=LEAKED, password_confirm=LEAKED)

    assert f"{WORDS}, and those are tried first. Choose one that you use nowhere else." in page.text
    assert LEAKED not in page.html
    assert browser.post(path, fields, new_password=OTHER, password_confirm=OTHER).status_code == 303
    assert len(service.requests) == 2


@EVERY_FORM
@pytest.mark.parametrize("weak", ["password1234", "short", "a" * 5000, "nul\0 in the middle of it"])
def test_a_weak_password_is_not_looked_up(
    browser: Browser, people: People, service: Service, form: Form, weak: str
) -> None:
    path, fields = form(browser, people)

    browser.submit(path, fields, status=422, new_password=weak, password_confirm=weak)

    assert service.requests == []


@EVERY_FORM
def test_a_service_that_fails_stops_nobody_and_the_log_holds_no_secret(
    browser: Browser,
    people: People,
    service: Service,
    form: Form,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, fields = form(browser, people)
    service.answer = a_list(status="503 Service Unavailable")

    with logged() as lines:
        answer = browser.post(path, fields, new_password=LEAKED, password_confirm=LEAKED)

    assert answer.status_code == 303
    assert [(line["log_level"], line["why"]) for line in lines] == [("warning", "status 503")]
    printed = capfd.readouterr()
    written = (repr(lines) + printed.out + printed.err + caplog.text).upper()
    for secret in (LEAKED.upper(), *hash_of(LEAKED)):
        assert secret not in written


def test_what_is_looked_up_is_what_is_kept(browser: Browser, people: People, service: Service) -> None:
    typed, composed = "cafe\u0301 lantern over seven harbours", "caf\u00e9 lantern over seven harbours"
    path, fields = register(browser, people)

    browser.post(path, fields, new_password=typed, password_confirm=typed)

    assert f"/range/{hash_of(composed)[0]} " in service.requests[0]


def test_the_other_faults_of_a_registration_are_told_with_it(browser: Browser, people: People) -> None:
    people.a_user("ana").build()

    page = browser.submit(
        REGISTER, status=422, username="ana", email="no address", new_password=LEAKED, password_confirm=LEAKED
    )

    for words in (WORDS, "This username is taken", "address"):
        assert words in page.text


@requirement("R79")
def test_a_password_that_is_in_use_is_not_looked_up_at_the_sign_in(
    app: Flask, people: People, service: Service
) -> None:
    people.a_user("ana").verified().build()

    Browser(app).post("/account/login/", username="ana", password=PASSWORD)

    assert service.requests == []
