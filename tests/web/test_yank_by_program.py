"""Yanking by a program: the same, with a token that may, and answers that programs read."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from domain.policy.principals import Grant
from models import ApiToken, Event, Release, User, db
from tests.builders import People
from tests.uploading import authorized

YANK, UNYANK = "/api/projects/acme-utils/releases/1.0/yank", "/api/projects/acme-utils/releases/1.0/unyank"


@pytest.fixture
def ana(people: People) -> User:
    user = people.a_member("ana")
    people.a_release(people.a_project("Acme-Utils", user), "1.0", by=user)
    return user


@pytest.fixture
def token(people: People, ana: User) -> str:
    return people.a_token(ana, grants=(Grant.YANK,))[1]


def send(app: Flask, path: str, token: str | None, **request: Any) -> TestResponse:
    """A program's POST; request: whatever the test client takes."""
    db.session.rollback()
    headers = {**(authorized(token) if token else {}), **request.pop("headers", {})}
    with app.app_context():
        return app.test_client().post(path, base_url="http://localhost:8000", headers=headers, **request)


def state() -> tuple[bool, str | None]:
    db.session.rollback()
    release = db.session.scalars(sa.select(Release)).one()
    return release.yanked_at is not None, release.yanked_reason


@pytest.mark.parametrize("body", [{"data": {"reason": "Loses data"}}, {"json": {"reason": "Loses data"}}])
def test_a_token_that_may_yanks_and_takes_it_back(app: Flask, token: str, body: dict[str, Any]) -> None:
    answer = send(app, YANK, token, **body)

    assert (answer.status_code, answer.json) == (200, {"project": "Acme-Utils", "version": "1.0", "yanked": True})
    assert state() == (True, "Loses data")

    answer = send(app, UNYANK, token)

    assert (answer.status_code, answer.json) == (200, {"project": "Acme-Utils", "version": "1.0", "yanked": False})
    assert state() == (False, None)


def test_saying_it_twice_is_no_mistake(app: Flask, token: str) -> None:
    answers = [send(app, path, token).status_code for path in (UNYANK, YANK, YANK, UNYANK, UNYANK)]

    assert answers == [200] * 5
    tags = list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))
    assert tags == ["project:release:yanked", "project:release:unyanked"]


def test_the_use_of_the_token_is_remembered(app: Flask, token: str) -> None:
    send(app, YANK, token)

    db.session.rollback()
    assert db.session.scalars(sa.select(ApiToken.last_used_at)).one() is not None


def test_a_token_that_may_only_upload_is_refused(app: Flask, people: People, ana: User) -> None:
    answer = send(app, YANK, people.a_token(ana)[1], headers={"Accept": "application/json"})

    assert answer.status_code == 403
    assert answer.mimetype == "application/problem+json"
    assert state() == (False, None)


@pytest.mark.parametrize(
    "path", ["/api/projects/nowhere/releases/1.0/yank", "/api/projects/acme-utils/releases/9/yank"]
)
def test_what_is_not_there_is_not_found_by_those_who_have_a_token(app: Flask, token: str, path: str) -> None:
    found = send(app, path, token, headers={"Accept": "application/json"})

    assert (found.status_code, found.mimetype) == (404, "application/problem+json")
    assert send(app, path, token).mimetype == "text/plain"
    assert send(app, path, None).status_code == 401
    assert send(app, path, "csn_wrong").status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"json": {"reason": 7}}, 422),
        ({"json": ["reason"]}, 422),
        ({"json": {"reason": "x" * 256}}, 422),
        ({"data": {"reason": "a\nb"}}, 422),
        ({"data": '{"reason": "\\ud800"}', "content_type": "application/json"}, 400),
        ({"data": '{"reason": "\\u0000"}', "content_type": "application/json"}, 422),
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": "[" * 100_000, "content_type": "application/json"}, 400),
        ({"data": b"x" * 2_000_000, "content_type": "application/json"}, 413),
        ({"json": {"reason": None}}, 200),
        ({"json": None, "content_type": "application/json"}, 200),
    ],
)
def test_any_body_has_a_defined_answer(app: Flask, token: str, body: dict[str, Any], status: int) -> None:
    answer = send(app, YANK, token, **body)

    assert answer.status_code == status, answer.text
    assert answer.mimetype in ("text/plain", "application/json")
    assert state()[0] is (status == 200)


def test_a_program_that_yanks_to_and_fro_is_told_to_wait(app: Flask, token: str) -> None:
    for path in [YANK, UNYANK] * 5 + [YANK]:
        assert send(app, path, token).status_code == 200

    answer = send(app, UNYANK, token)

    assert (answer.status_code, state()) == (429, (True, ""))
    assert answer.status.startswith("429 Too many changes of this release's yank. Try again after ")
    assert int(answer.headers["Retry-After"]) > 3500
