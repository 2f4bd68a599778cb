"""Nobody learns from an answer, or from the work behind it, whether an account or an address exists."""

import re
import statistics
import time
from datetime import timedelta
from typing import Any

import argon2
import jinja2
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from models import db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.conftest import MakeApp
from tests.letters import letters
from tests.requirements import requirement

LOGIN, REQUEST = "/account/login/", "/account/request-password-reset/"


@pytest.fixture
def somebody(people: People) -> People:
    """An account for each way in which one may be found, or not."""
    people.a_user("anna").verified().build()
    people.a_user("bert").build()
    people.a_member("cleo")
    people.a_user("dora").verified().frozen().build()
    people.a_user("edda").verified().build().is_admin = True
    db.session.commit()
    return people


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Argon2 is asked for, in order. To hash costs what to verify costs."""
    done: list[str] = []
    for name in ("hash", "verify"):
        original = getattr(argon2.PasswordHasher, name)

        def counted(self: Any, *args: Any, original: Any = original, **kwargs: Any) -> Any:
            done.append("argon2")
            return original(self, *args, **kwargs)

        monkeypatch.setattr(argon2.PasswordHasher, name, counted)
    return done


def seen(answer: TestResponse, typed: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, body and headers, without what is random in every answer, and without what was typed."""
    body = re.sub(r'(name="csrf_token"[^>]*value=")[^"]+', r"\1", answer.text).replace(typed, "…")
    headers = [(name, value) for name, value in answer.headers if name not in ("Set-Cookie", "Date", "Content-Length")]
    return answer.status_code, body, headers


KNOWN = ["anna", "bert", "cleo", "dora", "edda", "anna@mail.example", "bert@mail.example", "edda@mail.example"]
UNKNOWN = ["nobo", "nobo@mail.example", "not a name", "a@b@c", "x" * 3000]


@requirement("R11")
@pytest.mark.parametrize("typed", KNOWN + UNKNOWN)
def test_a_wrong_name_and_a_wrong_password_look_alike(app: Flask, somebody: People, typed: str) -> None:
    reference = Browser(app).post(LOGIN, username="zzzz", password="wrong horse battery")

    answer = Browser(app).post(LOGIN, username=typed, password="wrong horse battery")

    assert answer.status_code == 422
    assert seen(answer, typed) == seen(reference, "zzzz")


@requirement("R11")
@pytest.mark.parametrize("typed", KNOWN + UNKNOWN)
@pytest.mark.parametrize("password", ["wrong horse battery", "", "\x00", "x" * 5000])
def test_a_wrong_name_and_a_wrong_password_cost_the_same(
    app: Flask, somebody: People, hashes: list[str], typed: str, password: str
) -> None:
    browser = Browser(app)
    hashes.clear()

    browser.post(LOGIN, username=typed, password=password)

    assert len(hashes) == (1 if password else 0)


@requirement("R11")
def test_the_right_password_of_a_frozen_account_costs_the_same_too(
    app: Flask, somebody: People, hashes: list[str]
) -> None:
    browser = Browser(app)
    hashes.clear()

    browser.post(LOGIN, username="dora", password=PASSWORD)

    assert len(hashes) == 1


@requirement("R11")
def test_a_wrong_name_and_a_wrong_password_take_the_same_time(make_app: MakeApp, clock: SettableClock) -> None:
    app = make_app(hash_memory_kib=8_192)  # a twentieth of the usual cost: what differs beside it shows the more
    took: dict[str, list[float]] = {"anna": [], "nobo": []}
    with app.app_context():
        People(app, clock).a_user("anna").verified().build()
        for _ in range(200):
            for typed, times in took.items():
                clock.advance(timedelta(days=1))  # no budget is spent
                browser = Browser(app)
                fields = {"csrf_token": browser.form_token(), "username": typed, "password": "wrong horse battery"}
                # Of the processor, and in turns: the clock on the wall tells of other programs, too.
                started = time.thread_time()
                answer = browser._send("POST", LOGIN, data=fields)
                times.append(time.thread_time() - started)
                assert answer.status_code == 422
        db.session.remove()
        db.engine.dispose()

    known, unknown = (statistics.median(times) for times in took.values())
    assert abs(known - unknown) < 0.1 * min(known, unknown)


@requirement("R12")
@pytest.mark.parametrize("typed", KNOWN + UNKNOWN)
def test_asking_for_a_new_password_tells_nothing(app: Flask, somebody: People, typed: str) -> None:
    reference = Browser(app).post(REQUEST, username_or_email="zzzz")

    answer = Browser(app).post(REQUEST, username_or_email=typed)

    assert answer.status_code == 200
    assert seen(answer, typed) == seen(reference, "zzzz")


@requirement("R12")
@pytest.mark.parametrize("typed", KNOWN + UNKNOWN)
def test_asking_for_a_new_password_writes_a_mail_for_anybody(
    app: Flask, somebody: People, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    rendered: list[str] = []
    original = jinja2.Environment.get_template

    def counted(self: Any, name: Any, *args: Any, **kwargs: Any) -> Any:
        if str(name).startswith("email/password-reset"):
            rendered.append(str(name).rpartition("/")[2])
        return original(self, name, *args, **kwargs)

    monkeypatch.setattr(jinja2.Environment, "get_template", counted)

    Browser(app).post(REQUEST, username_or_email=typed)

    assert rendered == ["subject.txt", "body.txt", "body.html"]


@requirement("R12")
@pytest.mark.parametrize("address", ["anna@mail.example", "new@mail.example"])
def test_registering_costs_the_same_whether_or_not_the_address_is_taken(
    app: Flask, somebody: People, hashes: list[str], address: str
) -> None:
    browser = Browser(app)
    fields = {"username": "nora", "email": address, "new_password": PASSWORD, "password_confirm": PASSWORD}
    hashes.clear()

    answer = browser.post("/account/register/", fields, full_name="")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/manage/account/")
    assert len(hashes) == 1
    assert len(letters()) == 1


def test_a_spent_budget_tells_nothing_either(app: Flask, somebody: People) -> None:
    def eleventh(typed: str) -> TestResponse:
        tries = [Browser(app, address=f"198.51.100.{number}") for number in range(11)]
        return [browser.post(LOGIN, username=typed, password="wrong horse battery") for browser in tries][-1]

    known, unknown = eleventh("anna"), eleventh("nobo")

    assert known.status_code == 429
    assert seen(known, "anna") == seen(unknown, "nobo")
