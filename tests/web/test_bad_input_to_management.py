"""Bad input in the forms of tokens, projects, releases and people: never a 500, nothing stored, nothing lost."""

from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from models import Base, db
from tests.browsing import Browser
from tests.builders import People

# What a request may leave behind whatever became of it.
TRACES = {"attempt", "event", "session"}

TOKENS = "/manage/account/token/"
TOKEN = {"description": "ci", "grants": "upload", "reach": "user", "expires": "30"}
INVITE = {"username": "bo", "role": "maintainer"}


@dataclass(frozen=True)
class Form:
    """A form that would be taken as it is, and the field that is spoilt."""

    path: str
    field: str
    fields: dict[str, str]

    def __str__(self) -> str:
        return f"{self.field} of {self.path}"


FORMS = [
    *(Form(TOKENS, field, TOKEN) for field in ("description", "reach", "expires", "grants", "networks")),
    *(Form(TOKENS, field, TOKEN | {"reach": "projects"}) for field in ("scope", "names")),
    Form("/manage/projects/create/", "name", {}),
    Form("/manage/project/acme-utils/release/1.0/delete", "confirm", {}),
    *(Form("/manage/project/acme-utils/collaboration/invite", field, INVITE) for field in INVITE),
    Form("/manage/project/acme-utils/collaboration/revoke", "username", {}),
    Form("/manage/project/acme-utils/collaboration/remove", "username", {}),
]

VALUES: dict[str, bytes] = {
    "a NUL": b"c\0i",
    "a newline": b"c\ni",
    "a header": b"ci\r\nX-Evil: 1",
    "marks that turn text round": "c\u202ei\u200f".encode(),
    "an escape sequence": b"\x1b[31mci",
    "bytes that are no text": b"ci\xff\xfe",
    "markup": b"<script>alert(1)</script>",
    "SQL": b"' OR 1=1; --",
    "a template": b"{{ config }}{% for x in y %}",
    "a path": b"../../etc/passwd",
    "too long": b"x" * 5_000,
    "combining marks": ("e" + "\u0301" * 4_000).encode(),
}

# What a token may well be called: it is shown as text, whatever it looks like.
ONLY_TEXT = ["bytes that are no text", "markup", "SQL", "a template", "a path"]


def rows() -> dict[str, list[Any]]:
    """Every row of every table that a refusal must not touch."""
    db.session.rollback()
    return {
        table.name: [tuple(row) for row in db.session.execute(sa.select(table))]
        for table in Base.metadata.sorted_tables
        if table.name not in TRACES
    }


@pytest.fixture
def ready(browser: Browser, people: People) -> Browser:
    """The browser of somebody who has a project, a release, and somebody to invite."""
    ana = people.a_member("ana")
    people.a_member("bo")
    people.a_release(people.a_project("acme-utils", ana), "1.0", by=ana)
    return browser.sign_in(ana)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_spoilt_field_is_refused_in_words(ready: Browser, form: Form) -> None:
    before = rows()

    for what, value in VALUES.items():
        if form.field == "description" and what in ONLY_TEXT:
            continue
        page = ready.submit(form.path, {**form.fields, form.field: value}, status=422)

        assert page.root.find(".//*[@role='alert']") is not None, what
        assert rows() == before, what
        for field, typed in form.fields.items():
            if field in ("description", "username") and field != form.field:
                assert page.value(field) == typed, what


@pytest.mark.parametrize("what", ONLY_TEXT)
def test_a_tokens_name_may_be_any_text_and_stays_text(ready: Browser, what: str) -> None:
    text = VALUES[what].decode(errors="werkzeug.url_quote")  # as werkzeug reads a form

    page = ready.submit(TOKENS, {**TOKEN, "description": VALUES[what]})

    assert text in page.text
    assert text in ready.page(TOKENS).text


def test_a_megabyte_is_too_large_and_says_so(ready: Browser) -> None:
    before = rows()

    for form in FORMS:
        page = ready.submit(form.path, {**form.fields, form.field: "x" * 1_000_000}, status=413)
        assert page.h1 == "Too large"

    assert rows() == before


def test_an_empty_form_is_refused(ready: Browser) -> None:
    before = rows()

    for path in {form.path for form in FORMS}:
        ready.submit(path, status=422)

    assert rows() == before


def test_a_form_token_of_another_session_is_refused(ready: Browser) -> None:
    before = rows()

    for form in FORMS:
        fields = {**form.fields, form.field: "1.0", "csrf_token": "stale"}
        answer = ready.client.post(form.path, base_url=ready.base_url, data=fields)
        assert answer.status_code == 400, str(form)

    assert rows() == before


@pytest.mark.parametrize(
    "path",
    [
        "/manage/account/token/",
        "/manage/projects/create/",
        "/manage/project/acme-utils/release/1.0/delete",
        "/manage/project/acme-utils/collaboration/",
    ],
)
def test_an_address_cannot_break_the_form_that_it_fills_in(ready: Browser, path: str) -> None:
    for query in (
        "kept=1&description=%00&scope=x&reach=y&expires=z&grants=%00&networks=%00&names=%00",
        "kept=1&name=%00%0a&username=%00&role=x&confirm=%00",
        "kept=" + "1" * 3_000,
        "kept=1&scope=project:acme-utils&scope=project:%ff&description=" + "e%CC%81" * 900,
    ):
        ready.page(f"{path}?{query}")
