"""A token that was found in public is void at once; a report is believed by its signature, and told nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from domain.identity import tokens
from domain.identity.token_leaks import Found
from domain.policy.principals import Origin
from models import ApiToken, Event, User, db
from tests.breach_service import Service, a_list, a_service
from tests.browsing import wiring_of
from tests.builders import People
from tests.conftest import MakeApp
from tests.leak_service import Signer, listing
from tests.letters import letters
from tests.packages import a_wheel
from tests.uploading import upload

REPORT = "/_/secrets/disclose-token"
WHERE = "https://git.example/acme/utils/blob/1234/release.yml"
SIGNER = Signer()


@pytest.fixture
def service() -> Iterator[Service]:
    """Whose keys they are."""
    with a_service(listing(SIGNER)) as running:
        yield running


@pytest.fixture
def trusting(make_app: MakeApp, service: Service) -> Iterator[Flask]:
    """An index that takes its reports."""
    app = make_app(leak_keys_url=service.url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def crowd(trusting: Flask, clock: SettableClock) -> People:
    """Builds what is there."""
    return People(trusting, clock)


@pytest.fixture
def ana(crowd: People) -> User:
    """Whose tokens leak."""
    return crowd.a_member("ana")


def send(app: Flask, body: bytes, **headers: str) -> TestResponse:
    db.session.rollback()
    base_url = f"http://{wiring_of(app).site.host}"
    with app.app_context():
        return app.test_client().post(REPORT, base_url=base_url, data=body, headers=headers)


def report(app: Flask, found: Any, signer: Signer = SIGNER) -> TestResponse:
    body = orjson.dumps(found)
    headers = {"Github-Public-Key-Identifier": signer.identifier, "Github-Public-Key-Signature": signer.sign(body)}
    return send(app, body, **headers)


def finding(text: str, url: Any = WHERE) -> dict[str, Any]:
    return {"token": text, "type": "countersign_api_token", "url": url, "source": "content"}


def works(text: str) -> bool:
    db.session.rollback()
    return tokens.find(db.session(), text, origin=Origin()) is not None


def test_a_token_that_was_found_is_void_and_its_owner_told_where(trusting: Flask, crowd: People, ana: User) -> None:
    _, text = crowd.a_token(ana, "ci")
    _, other = crowd.a_token(ana, "laptop")

    answer = report(trusting, [finding(text)])

    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert (works(text), works(other)) == (False, True)
    assert upload(trusting, text, a_wheel()).status_code == 403
    [letter] = letters()
    assert (letter.notice, letter.to) == ("token-leaked", "ana@mail.example")
    assert WHERE.removeprefix("https://") in letter.text
    assert WHERE not in letter.text + letter.html  # it leads off this site, and nobody has looked at it
    assert text not in letter.text + letter.html
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:token:leaked")).one()
    assert (event.actor_id, event.user_id) == (None, ana.id)
    assert event.details == {"token": "ci", "where": WHERE}


def test_a_former_secret_that_was_found_ends_the_token(trusting: Flask, crowd: People, ana: User) -> None:
    _, former = crowd.a_rotated_token(ana)

    report(trusting, [finding(former)])

    assert db.session.scalars(sa.select(ApiToken)).all() == []


def test_a_former_secret_that_works_no_more_ends_nothing(
    trusting: Flask, crowd: People, ana: User, clock: SettableClock
) -> None:
    _, former = crowd.a_rotated_token(ana)
    clock.advance(timedelta(days=1))

    assert report(trusting, [finding(former)]).status_code == 204

    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 1


def test_tokens_of_many_are_void_at_once_and_each_told_once(trusting: Flask, crowd: People, ana: User) -> None:
    bo = crowd.a_member("bo")
    texts = [crowd.a_token(user, name)[1] for user in (bo, ana) for name in ("ci", "laptop")]

    report(trusting, [finding(text) for text in [*texts, *texts]])
    report(trusting, [finding(text) for text in texts])

    assert [works(text) for text in texts] == [False] * 4
    assert sorted(letter.to for letter in letters()) == ["ana@mail.example"] * 2 + ["bo@mail.example"] * 2


@pytest.mark.parametrize(
    "found",
    [
        [],
        [finding("csn_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh84O7WPJ")],
        [finding("pypi-AgEI"), finding(""), finding("\x00"), finding("x" * 100_000)],
        [1, None, "x", [], {}, {"token": 1}, {"token": None}],
    ],
    ids=["nothing", "nobody's", "no tokens", "no findings"],
)
def test_what_is_not_ours_is_answered_alike(trusting: Flask, crowd: People, ana: User, found: Any) -> None:
    _, text = crowd.a_token(ana)

    answer = report(trusting, found)

    assert (answer.status_code, answer.data) == (204, b"")
    assert works(text)
    assert letters() == []


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'"x"', b"\xff", b"[" * 50_000, orjson.dumps([1] * 1_001)])
def test_what_is_no_list_of_findings_is_refused(trusting: Flask, body: bytes) -> None:
    headers = {"Github-Public-Key-Identifier": SIGNER.identifier, "Github-Public-Key-Signature": SIGNER.sign(body)}

    answer = send(trusting, body, **headers)

    assert answer.status == "400 Send a JSON list of at most 1000 findings."


def test_another_signature_is_refused_and_changes_nothing(trusting: Flask, crowd: People, ana: User) -> None:
    _, text = crowd.a_token(ana)
    body = orjson.dumps([finding(text)])

    answers = [
        report(trusting, [finding(text)], Signer()),
        report(trusting, [finding(text)], Signer("unknown")),
        send(
            trusting,
            body,
            **{
                "Github-Public-Key-Identifier": SIGNER.identifier,
                "Github-Public-Key-Signature": SIGNER.sign(body + b" "),
            },
        ),
    ]

    assert {answer.status for answer in answers} == {"400 The signature does not fit the report."}
    assert works(text)


@pytest.mark.parametrize("missing", ["Github-Public-Key-Identifier", "Github-Public-Key-Signature"])
def test_without_its_headers_a_report_finds_nothing(trusting: Flask, service: Service, missing: str) -> None:
    headers = {"Github-Public-Key-Identifier": "x", "Github-Public-Key-Signature": "x"} | {missing: ""}

    assert send(trusting, b"[]", **headers).status_code == 404
    assert service.requests == []


def test_where_no_keys_are_named_there_is_no_such_address(app: Flask) -> None:
    assert report(app, []).status_code == 404


def test_while_the_keys_cannot_be_had_the_report_is_to_come_again(
    trusting: Flask, service: Service, crowd: People, ana: User
) -> None:
    _, text = crowd.a_token(ana)
    service.answer = a_list("", status="500 Oops")

    assert report(trusting, [finding(text)]).status_code == 503
    assert works(text)


def test_a_body_beyond_a_megabyte_is_refused_unread(trusting: Flask, service: Service) -> None:
    headers = {"Github-Public-Key-Identifier": "x", "Github-Public-Key-Signature": "x"}

    assert send(trusting, b"x" * 1_000_001, **headers).status_code == 413
    assert service.requests == []


@pytest.mark.parametrize(
    ("url", "where"),
    [
        (WHERE, WHERE),
        ("http://git.example/x", "http://git.example/x"),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("//evil.example", ""),
        ("https://[", ""),
        ("https://git.example/a b", ""),
        ("https://git.example/\r\nx", ""),
        ("https://git.example/\u202e", ""),
        ("https://git.example/" + "x" * 500, ""),
    ],
)
def test_only_a_plain_address_is_repeated(url: str, where: str) -> None:
    assert Found("csn_", url).where == where
