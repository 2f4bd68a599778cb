"""Nobody waits for the database while a password is judged, looked up or hashed: SQLite has one lock for writers."""

from typing import Any

import pytest
import zxcvbn
from flask import Flask

from adapters.breaches import NoBreaches
from domain.identity.passwords import PasswordHasher
from models import db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.letters import link_to

NEW = "quiet lantern over seven harbours"
CHOSEN = {"new_password": NEW, "password_confirm": NEW}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a transaction was open, at each judging, each look-up and each hashing."""
    held: list[bool] = []

    def watch(owner: object, name: str) -> None:
        original = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            held.append(db.session().in_transaction())
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    watch(zxcvbn, "zxcvbn")
    watch(NoBreaches, "holds")
    watch(PasswordHasher, "hash")
    watch(PasswordHasher, "verify")
    return held


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/register/", {"username": "nora", "email": "nora@mail.example", **CHOSEN}),
        ("/account/login/", {"username": "ana", "password": PASSWORD}),
        ("/account/login/", {"username": "nobody@mail.example", "password": PASSWORD}),
        ("reset", CHOSEN),
        ("/manage/account/password/", {"password": PASSWORD, **CHOSEN}),
        ("/account/reauthenticate/", {"password": PASSWORD}),
    ],
)
def test_nothing_is_locked_meanwhile(
    app: Flask, browser: Browser, people: People, held: list[bool], path: str, fields: dict[str, str]
) -> None:
    ana = people.a_user("ana").verified().build()
    if path == "reset":
        browser.post("/account/request-password-reset/", username_or_email="ana")
        path = link_to("ana@mail.example")
    elif path.startswith(("/manage/", "/account/reauthenticate/")):
        browser.sign_in(ana)
    browser.form_token()
    held.clear()

    answer = browser.post(path, fields)

    assert answer.status_code in (303, 422)
    assert held
    assert not any(held)
