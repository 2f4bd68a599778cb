"""Who may upload: judged at each use of a token, and said in words that reach the terminal."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import argon2
import pytest
import sqlalchemy as sa
from flask import Flask, g, has_request_context
from sqlalchemy.orm import Session

from adapters.clock import SettableClock
from models import ApiToken, Base, Email, Event, File, Project, ProjectRole, TotpApp, User, db
from models.base import ModeSession
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.packages import a_wheel
from tests.requirements import requirement
from tests.uploading import authorized, body_of, post, upload

SENTENCE = (
    "Two-factor authentication is required for uploads."
    " Set it up: http://localhost:8000/manage/account/two-factor/ (rule everyone)"
)
EMAIL = "A verified email address is required for uploads. Verify it: http://localhost:8000/manage/unverified-account/"
TRACES = {"event", "ceremony", "session"}


def rows() -> dict[str, list[object]]:
    """All that a refusal must not touch."""
    db.session.rollback()
    tables = [table for table in Base.metadata.sorted_tables if table.name not in TRACES]
    return {table.name: list(db.session.execute(sa.select(table))) for table in tables}


def last_event() -> Event:
    db.session.rollback()
    return db.session.scalars(sa.select(Event).order_by(Event.id.desc())).first()  # type: ignore[return-value]


def remove_factors(user: User) -> None:
    db.session.execute(sa.delete(TotpApp).where(TotpApp.user_id == user.id))
    db.session.commit()


@requirement("R05", "R81")
def test_a_token_is_refused_while_its_owner_has_no_second_factor(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    _, token = people.a_token(ana)
    remove_factors(ana)
    before = rows()

    answer = upload(app, token, a_wheel())

    assert answer.status == f"403 {SENTENCE}"
    assert (answer.mimetype, answer.text) == ("text/plain", f"{SENTENCE}\n")
    assert rows() == before
    event = last_event()
    assert (event.tag, event.details["reason"]) == ("gate:create_project:denied", "two_factor_required")


def test_a_client_that_names_json_gets_a_problem_with_the_rule_and_the_way_out(app: Flask, people: People) -> None:
    _, token = people.a_token(people.a_user("uma").verified().build())

    answer = upload(app, token, a_wheel(), accept="application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7")

    assert answer.status == f"403 {SENTENCE}"
    assert answer.mimetype == "application/problem+json"
    assert answer.json == {
        "status": 403,
        "detail": SENTENCE,
        "code": "two_factor_required",
        "rule": "everyone",
        "setup_url": "http://localhost:8000/manage/account/two-factor/",
    }


@requirement("R05")
def test_the_same_token_works_again_after_enrolment(app: Flask, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    _, token = people.a_token(ana)
    assert upload(app, token, a_wheel()).status_code == 403

    db.session.add(
        TotpApp(
            public_id="a", user_id=ana.id, label="phone", secret_sealed=b"", last_step=0, added_at=ana.registered_at
        )
    )
    db.session.commit()

    assert upload(app, token, a_wheel()).status == "200 OK"


def test_an_existing_project_is_no_way_round(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)
    _, token = people.a_token(ana)
    remove_factors(ana)

    assert upload(app, token, a_wheel()).status == f"403 {SENTENCE}"
    assert last_event().tag == "gate:upload_file:denied"


def test_the_address_must_be_verified_first(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    _, token = people.a_token(ana)
    db.session.execute(sa.update(Email).values(verified_at=None))
    db.session.commit()

    assert upload(app, token, a_wheel()).status == f"403 {EMAIL}"


def test_permission_comes_before_the_second_factor(app: Flask, people: People) -> None:
    people.a_project("acme-utils", people.a_member("ana"))
    _, token = people.a_token(people.a_user("uma").verified().build())

    answer = upload(app, token, a_wheel())

    assert answer.status == "403 Only owners and maintainers of acme-utils may upload a file. Ask an owner."


@requirement("R81")
@pytest.mark.parametrize("target", ["another project", "a new project"])
def test_a_token_reaches_its_own_projects_only(app: Flask, people: People, target: str) -> None:
    ana = people.a_member("ana")
    _, token = people.a_token(ana, projects=(people.a_project("mine", ana),))
    if target == "another project":
        people.a_project("acme-utils", ana)
    before = rows()

    answer = upload(app, token, a_wheel())

    assert answer.status_code == 403
    assert answer.text.startswith("This API token does not allow you to")
    assert last_event().details["reason"] == "token_scope"
    assert rows() == before


@requirement("R81")
def test_a_token_ends_on_its_day(app: Flask, people: People, clock: SettableClock) -> None:
    _, token = people.a_token(people.a_member("ana"), expires_at=clock.now() + timedelta(days=1))
    clock.advance(timedelta(days=1))

    answer = upload(app, token, a_wheel())

    assert answer.status == "403 This API token has expired. Make a new one."


@requirement("R63")
def test_a_frozen_account_uploads_nothing(app: Flask, people: People) -> None:
    _, token = people.a_token(people.a_user("ana").verified().with_totp().frozen().build())

    assert upload(app, token, a_wheel()).status_code == 403


def test_without_credentials_it_is_401_and_basic_ones_are_asked_for(app: Flask, people: People) -> None:
    before = rows()

    answer = upload(app, None, a_wheel())

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Countersign"'
    assert "__token__" in answer.text
    assert rows() == before


@pytest.mark.parametrize(
    "token", ["", "x", "csn_" + "a" * 49, "pypi-AgEIcHlwaS5vcmc", "csn_\udcff", "é" * 53, "a" * 5000]
)
def test_what_is_no_token_of_ours_is_403(app: Flask, people: People, token: str) -> None:
    body, content_type = body_of(a_wheel())
    credentials = authorized(token.encode("utf-8", "replace").decode())

    answer = post(app, data=body, content_type=content_type, headers=credentials)

    assert answer.status == "403 This API token is not valid: it may have been removed or mistyped."


@requirement("R09")
def test_a_username_and_password_are_403_with_the_way_to_do_it(app: Flask, people: People) -> None:
    people.a_member("ana")
    body, content_type = body_of(a_wheel())

    answer = post(app, data=body, content_type=content_type, headers=authorized("correct horse", username="ana"))

    assert answer.status_code == 403
    assert "Use an API token with the username __token__" in answer.status


@requirement("R09")
def test_a_password_is_not_even_compared(app: Flask, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    people.a_member("ana")
    body, content_type = body_of(a_wheel())
    compared: list[str] = []
    monkeypatch.setattr(argon2.PasswordHasher, "verify", lambda self, kept, password: compared.append(password))

    right = post(app, data=body, content_type=content_type, headers=authorized(PASSWORD, username="ana"))
    wrong = post(app, data=body, content_type=content_type, headers=authorized("wrong horse", username="ana"))

    assert (right.status, right.text) == (wrong.status, wrong.text)
    assert right.status_code == 403
    assert compared == []


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Basic \xff", "Basic Og==", "Bearer csn_x", "Nonsense"])
def test_credentials_that_cannot_be_read_are_no_fault_of_ours(app: Flask, people: People, header: str) -> None:
    body, content_type = body_of(a_wheel())

    answer = post(app, data=body, content_type=content_type, headers={"Authorization": header})

    assert answer.status_code in (401, 403)


def test_a_browsers_session_is_worth_nothing_here(app: Flask, browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member("ana"))
    body, content_type = body_of(a_wheel())

    answer = browser.client.post("/legacy/", data=body, content_type=content_type, base_url=browser.base_url)

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


class Unreadable(io.RawIOBase):
    """A body that must not be read."""

    def readinto(self, buffer: object) -> int:
        raise AssertionError("the body was read")


@pytest.mark.parametrize("headers", [{}, authorized("no token"), authorized("password", username="ana")])
def test_the_body_of_somebody_unknown_is_not_read(app: Flask, people: People, headers: dict[str, str]) -> None:
    _, content_type = body_of(a_wheel())
    environ = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": "50000000"}

    answer = post(app, environ=environ, content_type=content_type, headers=headers)

    assert answer.status_code in (401, 403)


class _SlowBody(io.BytesIO):
    """A body whose sender loses the right to send it while it is on its way."""

    def __init__(self, content: bytes, meanwhile: Callable[[], None]) -> None:
        super().__init__(content)
        self._meanwhile = meanwhile

    def readinto(self, buffer: Any, /) -> int:  # Any: whatever can be written into
        self._meanwhile()
        return super().readinto(buffer)


@requirement("R81")
@pytest.mark.parametrize("lost", ["token", "second factor", "account"])
def test_whoever_loses_the_right_while_the_file_arrives_uploads_nothing(app: Flask, people: People, lost: str) -> None:
    ana = people.a_member("ana")
    kept, token = people.a_token(ana)
    user_id, token_id = ana.id, kept.id

    def lose() -> None:
        statement = {
            "token": sa.delete(ApiToken).where(ApiToken.id == token_id),
            "second factor": sa.delete(TotpApp).where(TotpApp.user_id == user_id),
            "account": sa.update(User).where(User.id == user_id).values(is_active=False),
        }[lost]
        with db.engine.begin() as connection:
            connection.execute(statement)

    body, content_type = body_of(a_wheel())
    answer = post(
        app,
        input_stream=_SlowBody(body, lose),
        content_length=len(body),
        content_type=content_type,
        headers=authorized(token),
    )

    assert answer.status_code == 403
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(File)) == 0


def _meanwhile(statement: sa.Update | sa.Delete) -> Callable[..., None]:
    """What happens as soon as an upload that was let in leaves its first transaction: its file has just been read."""

    def happen(session: Session) -> None:
        if has_request_context() and "judged" in g:
            g.pop("judged")
            with db.engine.begin() as connection:
                connection.execute(statement)

    return happen


MEANWHILE: dict[str, tuple[sa.Update | sa.Delete, str, str]] = {
    "archived": (sa.update(Project).values(status="archived"), "project_archived", "is archived"),
    "in quarantine": (sa.update(Project).values(status="quarantined"), "project_quarantined", "is in quarantine"),
    "without tokens": (sa.update(Project).values(takes_tokens=False), "publishers_only", "trusted publishers only"),
    "without Ana": (sa.delete(ProjectRole), "no_permission", "Only owners and maintainers of acme-utils may upload"),
    "without her token": (sa.delete(ApiToken), "invalid_credentials", "This API token is not valid"),
    "after her token's end": (
        sa.update(ApiToken).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)),
        "token_expired",
        "This API token has expired",
    ),
    "with her frozen": (sa.update(User).values(is_active=False), "account_frozen", "This account is frozen"),
    "without her last second factor": (
        sa.delete(TotpApp),
        "two_factor_required",
        "Two-factor authentication is required",
    ),
}


@requirement("R81")
@pytest.mark.parametrize("case", MEANWHILE)
def test_what_changes_while_the_archive_is_read_is_said_as_the_gate_says_it(
    app: Flask, people: People, case: str
) -> None:
    statement, code, words = MEANWHILE[case]
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)
    _, token = people.a_token(ana)
    happen = _meanwhile(statement)
    sa.event.listen(ModeSession, "after_rollback", happen)

    try:
        answer = upload(app, token, a_wheel(), accept="application/json")
    finally:
        sa.event.remove(ModeSession, "after_rollback", happen)

    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == code
    assert words in answer.json["detail"]
    assert words in answer.status
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(File)) == 0
    refusal = db.session.scalars(sa.select(Event).where(Event.tag == "gate:upload_file:denied")).one()
    assert refusal.details["reason"] == ("not_signed_in" if code == "invalid_credentials" else code)


@pytest.mark.parametrize("case", ["without her token", "with her frozen", "without her last second factor"])
def test_a_project_that_an_upload_would_create_is_judged_again_too(app: Flask, people: People, case: str) -> None:
    statement, code, _ = MEANWHILE[case]
    token = people.a_token(people.a_member("ana"))[1]
    happen = _meanwhile(statement)
    sa.event.listen(ModeSession, "after_rollback", happen)

    try:
        answer = upload(app, token, a_wheel(), accept="application/json")
    finally:
        sa.event.remove(ModeSession, "after_rollback", happen)

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == code
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Project)) == 0


def test_judged_with_nothing_changed_it_is_published(app: Flask, people: People) -> None:
    """The hook of the test above by itself refuses nothing."""
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)
    _, token = people.a_token(ana)
    happen = _meanwhile(sa.update(Project).values(summary="changed"))
    sa.event.listen(ModeSession, "after_rollback", happen)

    try:
        answer = upload(app, token, a_wheel())
    finally:
        sa.event.remove(ModeSession, "after_rollback", happen)

    assert answer.status == "200 OK"
