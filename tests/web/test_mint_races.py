"""The same identity token, exchanged many times at once, gives one token; on both databases."""

import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.identity_tokens import Key, PublishedIssuers
from blueprints import wiring
from models import Event, Mail, MintedToken, Project, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.identity_issuer import RSA, github

MANY = 8


@pytest.fixture
def app(either_app: Flask) -> Flask:
    """The application on both databases, which knows the keys of GitHub."""
    keys: dict[str, Key] = {RSA.kid: (RSA.algorithm, RSA.private.public_key())}  # type: ignore[dict-item]
    tokens = PublishedIssuers(lambda issuer, allows_private: keys)
    either_app.extensions[wiring.EXTENSION] = replace(wiring_of(either_app), identity_tokens=tokens)
    return either_app


def at_once(app: Flask, texts: list[str]) -> list[tuple[int, str]]:
    answers: list[tuple[int, str]] = []
    together = threading.Barrier(len(texts))

    def one(text: str) -> None:
        together.wait()
        answer = app.test_client().post("/_/oidc/mint-token", base_url="http://localhost:8000", json={"token": text})
        body: Any = answer.get_json()
        answers.append((answer.status_code, body["errors"][0]["code"] if "errors" in body else ""))

    threads = [threading.Thread(target=one, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def test_one_identity_many_times_at_once_is_one_token(app: Flask, clock: SettableClock, people: People) -> None:
    people.a_publisher(people.a_project("acme-utils", people.a_member("ana")))
    text = RSA.sign(github(clock.now()))
    db.session.rollback()

    answers = at_once(app, [text] * MANY)

    assert answers == [(200, "")] + [(422, "invalid-reuse-token")] * (MANY - 1)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MintedToken)) == 1


def test_many_jobs_at_once_tell_of_the_first_use_once(app: Flask, clock: SettableClock, people: People) -> None:
    people.a_publisher(people.a_project("acme-utils", people.a_member("ana")))
    texts = [RSA.sign(github(clock.now())) for _ in range(MANY)]
    db.session.rollback()

    answers = at_once(app, texts)

    assert answers == [(200, "")] * MANY
    notices = db.session.scalars(sa.select(Mail.notice)).all()
    assert notices == ["publisher-first-use"]


def test_many_jobs_at_once_create_one_project(app: Flask, clock: SettableClock, people: People) -> None:
    people.a_pending("acme-utils", people.a_member("ana"))
    texts = [RSA.sign(github(clock.now())) for _ in range(MANY)]
    db.session.rollback()

    answers = at_once(app, texts)

    assert {status for status, _ in answers} <= {200, 422}
    assert (200, "") in answers
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Project)) == 1
    created = sa.select(sa.func.count()).where(Event.tag == "project:name:created")
    assert db.session.scalar(created) == 1
