"""What people, and programs that pretend to be people, may send to the forms about accounts."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Attempt, Base, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.letters import link_to

NEW = "quiet lantern over seven harbours"
REPEATED, MISSING = "repeated", "missing"

NASTY = {
    REPEATED: ["one", "two"],
    MISSING: None,
    "empty": "",
    "blank": "   ",
    "NUL": "no\x00ra",
    "line break": "no\r\nra",
    "right to left": "no\u202era",
    "noncharacter": "no\ufdd0ra",
    "long": "x" * 5_000,
    "a megabyte": "x" * 1_000_000,
    "many marks": "a" + "\u0301" * 40_000,
    "huge number": "9" * 400,
    "markup": "<script>alert(1)</script>",
    "template": "{{ 7 * 7 }}%s%n${7*7}",
    "path": "../../etc/passwd",
}


@dataclass(frozen=True)
class Case:
    """A form with fields that are in order, and who sends it."""

    path: str
    fields: dict[str, str]
    sent_by: str = ""
    kept: tuple[str, ...] = ()  # fields that are shown again


FORMS = {
    "register": Case(
        "/account/register/",
        {
            "username": "nora",
            "email": "nora@mail.example",
            "full_name": "Nora",
            "new_password": NEW,
            "password_confirm": NEW,
        },
        kept=("username", "email", "full_name"),
    ),
    "sign in": Case("/account/login/", {"username": "ana", "password": "wrong horse battery"}, kept=("username",)),
    "request a reset": Case(
        "/account/request-password-reset/", {"username_or_email": "nobody"}, kept=("username_or_email",)
    ),
    "reset": Case("link", {"new_password": NEW, "password_confirm": NEW}),
    "add an address": Case("/manage/account/emails/", {"email": "second@mail.example"}, "ana", kept=("email",)),
    "correct the address": Case(
        "/manage/unverified-account/", {"email": "right@mail.example"}, "newt", kept=("email",)
    ),
    "edit the profile": Case("/manage/account/", {"full_name": "Ana"}, "ana", kept=("full_name",)),
    "change the password": Case(
        "/manage/account/password/", {"password": PASSWORD, "new_password": NEW, "password_confirm": NEW}, "ana"
    ),
}

# What is no fault in this field. A full name may be left out, and nearly anything that can be seen is one.
FINE: dict[str, Callable[[str], bool]] = {
    "new_password": lambda nasty: nasty in ("markup", "template", "path"),
    "full_name": lambda nasty: nasty in (MISSING, "empty", "blank", "markup", "template", "path"),
    # Whoever asks for a reset is told the same whatever they typed.
    "username_or_email": lambda nasty: (
        nasty not in (REPEATED, MISSING, "empty", "NUL", "line break", "noncharacter", "a megabyte")
    ),
}


@pytest.fixture
def case(request: pytest.FixtureRequest, app: Flask, people: People) -> tuple[Case, Browser]:
    """The form, and a browser that is signed in as far as it needs."""
    users: dict[str, User] = {"ana": people.a_user("ana").verified().build(), "newt": people.a_user("newt").build()}
    case, browser = FORMS[request.param], Browser(app)
    if case.path == "link":
        browser.post("/account/request-password-reset/", username_or_email="ana")
        case = Case(link_to("ana@mail.example"), case.fields)
    if case.sent_by:
        browser.sign_in(users[case.sent_by])
    return case, browser


def rows() -> dict[str, list[Any]]:
    """Everything but what a refused try may leave: counted tries, events, the session itself."""
    db.session.rollback()
    tables = [table for table in Base.metadata.sorted_tables if table.name not in ("attempt", "event", "session")]
    return {table.name: [tuple(row) for row in db.session.execute(sa.select(table))] for table in tables}


def forget_tries() -> None:
    db.session.execute(sa.delete(Attempt))
    db.session.commit()


@pytest.mark.parametrize("case", FORMS, indirect=True)
def test_is_refused_in_words_and_leaves_nothing(case: tuple[Case, Browser]) -> None:
    form, browser = case
    tried = 0
    for name, field in [(name, field) for name in NASTY for field in form.fields if field != "password_confirm"]:
        if field in FINE and FINE[field](name):
            continue
        forget_tries()
        before, fields = rows(), dict(form.fields, **{field: NASTY[name]})
        if field == "new_password":
            fields["password_confirm"] = NASTY[name]
        sent = {key: value for key, value in fields.items() if value is not None}

        answer = browser.post(form.path, sent)

        assert answer.status_code in (413, 422), f"{name} in {field}: {answer.status}"
        assert rows() == before, f"{name} in {field} left something"
        assert "<script>alert" not in answer.text
        if answer.status_code == 422:
            page = browser._judged(answer, 422)
            for other in form.kept:
                assert other == field or page.value(other) == form.fields[other], f"{name} in {field} lost {other}"
        tried += 1
    assert tried > 5


@pytest.mark.parametrize("case", ["edit the profile", "request a reset"], indirect=True)
def test_what_is_fine_is_taken(case: tuple[Case, Browser]) -> None:
    form, browser = case
    field = next(iter(form.fields))
    for name in filter(FINE[field], NASTY):
        forget_tries()
        sent = {} if NASTY[name] is None else {field: NASTY[name]}

        assert browser.post(form.path, sent).status_code in (200, 303), name


@pytest.mark.parametrize("case", FORMS, indirect=True)
def test_bytes_that_are_no_text_and_files_for_text_make_no_error(case: tuple[Case, Browser]) -> None:
    form, browser = case
    token = browser.form_token().encode()
    bodies = [
        (
            b"csrf_token=" + token + b"&" + b"&".join(name.encode() + b"=%ff%fe%00\xff" for name in form.fields),
            "application/x-www-form-urlencoded",
        ),
        (b"csrf_token=" + token + b"&" + b"a=b&" * 2_000, "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"\x00" * 500, "multipart/form-data"),
    ]
    before = rows()

    for body, content_type in bodies:
        answer = browser._send("POST", form.path, data=body, content_type=content_type)

        assert answer.status_code < 500, (body[:40], answer.status)
        assert rows() == before


@pytest.mark.parametrize("case", FORMS, indirect=True)
def test_a_stale_form_is_refused_in_words(case: tuple[Case, Browser]) -> None:
    form, browser = case
    before = rows()

    answer = browser.post(form.path, form.fields, csrf_token="stale")

    assert answer.status_code == 400
    assert "This form has gone stale" in answer.text
    assert rows() == before


@pytest.mark.parametrize("case", FORMS, indirect=True)
def test_other_methods_are_refused(case: tuple[Case, Browser]) -> None:
    form, browser = case

    for method in ("PUT", "DELETE", "PATCH"):
        assert browser._send(method, form.path).status_code in (400, 405)


@pytest.mark.parametrize("case", FORMS, indirect=True)
@pytest.mark.parametrize("value", [5, None, ["ana"], {"a": 1}, "\ud800", True], ids=repr)
def test_json_is_no_form_and_neither_is_nothing(case: tuple[Case, Browser], value: object) -> None:
    form, browser = case
    sent = dict.fromkeys(form.fields, value)
    before, headers = rows(), {"X-CSRFToken": browser.form_token()}

    for body in (json.dumps(sent), json.dumps(value), ""):
        answer = browser._send("POST", form.path, data=body, content_type="application/json", headers=headers)

        assert answer.status_code == 400
    assert browser._send("POST", form.path, headers=headers).status_code == 400
    assert rows() == before
