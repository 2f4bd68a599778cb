"""Bad uploads: each is refused in words that help, nothing of it is kept, and nothing breaks."""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from models import Base, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.packages import Package, a_metadata, a_targz, a_wheel, an_sdist
from tests.uploading import authorized, body_of, fields_of, post, upload

WHEEL = a_wheel()
MEGABYTE = 1_000_000


@pytest.fixture
def token(people: People) -> str:
    """A token of Ana's for everything."""
    return people.a_token(people.a_member("ana"))[1]


@pytest.fixture(autouse=True)
def nothing_is_kept(app: Flask, token: str) -> Iterator[None]:
    """After each test of this file every row is as before, and no byte lies anywhere."""
    before = rows()
    yield
    assert rows() == before
    assert list(wiring_of(app).store.incoming.iterdir()) == []
    assert [path for path in blobs(app).rglob("*") if path.is_file()] == []


def rows() -> dict[str, list[Any]]:
    db.session.rollback()
    return {table.name: list(db.session.execute(sa.select(table))) for table in Base.metadata.sorted_tables}


def blobs(app: Flask) -> Path:
    path = wiring_of(app).store.local_path("0" * 64)
    assert path is not None
    return path.parents[2]


def refused(answer: TestResponse, words: str, status: int = 400) -> None:
    """The words stand in the status line and in the body."""
    assert answer.status_code == status, answer.status
    assert words in answer.text
    assert words in answer.status
    assert answer.mimetype == "text/plain"


def bent(content: bytes, filename: str = WHEEL.filename) -> Package:
    """Any bytes under the name of a wheel."""
    return Package(filename, content)


def linked(name: str, target: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    return link


FILES: dict[str, tuple[Callable[[], Package], str]] = {
    "no zip": (lambda: bent(b"this is no zip"), "not a wheel"),
    "nothing": (lambda: bent(b""), "not a wheel"),
    "a bomb": (lambda: a_wheel(extra={"acme_utils/zeros": bytes(70 * MEGABYTE)}), "more than 50 times its size"),
    "up and away": (lambda: a_wheel(extra={"../../etc/passwd": b"x"}), "must not go up"),
    "absolute": (lambda: a_wheel(extra={"/etc/passwd": b"x"}), "names must be relative"),
    "cut off": (lambda: bent(WHEEL.content[:-100]), "does not end as a ZIP archive does"),
    "no METADATA": (lambda: a_wheel(without=("METADATA",)), "no METADATA"),
    "metadata of another": (lambda: a_wheel(metadata=a_metadata("other")), "is of project 'other'"),
    "another version inside": (lambda: a_wheel(metadata=a_metadata("acme-utils", "2.0")), "is of version 2.0"),
    "no gzip": (lambda: bent(b"x" * 2000, "acme_utils-1.0.tar.gz"), "cannot be read"),
    "a link out": (lambda: an_sdist(members=[linked("acme_utils-1.0/out", "../../etc")]), "leads out of its folder"),
    "no folder": (
        lambda: Package("acme_utils-1.0.tar.gz", a_targz([(tarfile.TarInfo("PKG-INFO"), b"")])),
        "must hold one folder",
    ),
    "an egg": (lambda: bent(WHEEL.content, "acme_utils-1.0-py3.11.egg"), "neither a wheel (.whl) nor an sdist"),
    "a path": (lambda: bent(WHEEL.content, "../acme_utils-1.0-py3-none-any.whl"), "Send a name without a path"),
    "a space in its name": (
        lambda: bent(WHEEL.content, "acme utils-1.0-py3-none-any.whl"),
        "has characters other than",
    ),
    "wrong sdist name": (lambda: Package("Acme.Utils-1.0.tar.gz", an_sdist().content), "'acme_utils-1.0.tar.gz'"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_refused(app: Flask, token: str, case: str) -> None:
    make, words = FILES[case]
    package = make()
    kind = "sdist" if package.filename.endswith(".tar.gz") else "bdist_wheel"

    answer = upload(app, token, package, name="acme-utils", version="1.0", filetype=kind)

    refused(answer, words)


FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "no action": ({"action": None}, "Send :action=file_upload"),
    "unknown action": ({"action": "list_classifiers"}, "Send :action=file_upload"),
    "wrong protocol": ({"protocol_version": "2"}, "Unknown protocol version"),
    "no name": ({"name": None}, "does not say its name"),
    "empty name": ({"name": "  "}, "does not say its name"),
    "UNKNOWN name": ({"name": "UNKNOWN"}, "does not say its name"),
    "no version": ({"version": None}, "does not say its version"),
    "no filetype": ({"filetype": None}, "does not say its filetype"),
    "unknown filetype": ({"filetype": "bdist_egg"}, "Use a known file type"),
    "other filetype": ({"filetype": "sdist", "pyversion": "source"}, "is no sdist"),
    "Python version of a wheel": ({"filetype": "sdist"}, "Use 'source' as Python version for an sdist."),
    "no digest": ({"sha256_digest": None, "blake2_256_digest": None}, "Include at least one message digest."),
    "wrong sha256": ({"sha256_digest": "0" * 64}, "The digest supplied does not match"),
    "wrong blake2": ({"blake2_256_digest": "0" * 64}, "The digest supplied does not match"),
    "wrong md5": ({"md5_digest": "0" * 32}, "The digest supplied does not match"),
    "no hexadecimal": ({"sha256_digest": "sha256:nothing"}, "is not one in hexadecimal"),
    "other name": ({"name": "other"}, "belongs to project 'acme-utils', not 'other'"),
    "other version": ({"version": "1.1"}, "has version 1.0, not 1.1"),
    "no version at all": ({"version": "one"}, "is not valid"),
    "a megabyte of name": ({"name": "a" * MEGABYTE}, "The field name has more than 1000 bytes"),
    "a megabyte of version": ({"version": "1" * MEGABYTE}, "The field version has more than 1000 bytes"),
    "NUL": ({"name": "acme\0utils"}, "not 'acme\\x00utils'"),
    "newline": ({"name": "acme\nutils"}, "not 'acme\\nutils'"),
    "right to left": ({"name": "acme\u202eutils"}, "not 'acme\\u202eutils'"),
    "no ASCII": ({"name": "ácme"}, "not '\\xe1cme'"),
    "NUL in the version": ({"version": "1.0\0"}, "is not valid"),
}


@pytest.mark.parametrize("case", FIELDS)
def test_a_bad_field_is_refused(app: Flask, token: str, case: str) -> None:
    changes, words = FIELDS[case]

    refused(upload(app, token, WHEEL, **changes), words)


@pytest.mark.parametrize("action", ["submit", "submit_pkg_info", "doc_upload"])
def test_what_indexes_used_to_do_is_gone(app: Flask, token: str, action: str) -> None:
    refused(upload(app, token, WHEEL, action=action), "Upload your files", status=410)


@pytest.mark.parametrize("name", ["requirements.txt", "json", "-acme"])
def test_a_name_that_no_project_may_have_is_refused(app: Flask, token: str, name: str) -> None:
    package = a_wheel(name, metadata=a_metadata(name))

    assert upload(app, token, package, name=name).status_code == 400


def test_a_file_of_101_megabytes_is_refused_with_400(app: Flask, token: str) -> None:
    answer = upload(app, token, bent(bytes(101 * MEGABYTE)), sha256_digest="0" * 64)

    refused(answer, "File too large. Limit is 100 MB.")


def arriving(
    app: Flask, token: str, stream: io.RawIOBase | io.BytesIO, *, length: int, content_type: str
) -> TestResponse:
    """Send a body as the server hands it on: a stream, and a length that the client named."""
    environ = {"wsgi.input": stream, "CONTENT_LENGTH": str(length)}
    return post(app, environ=environ, content_type=content_type, headers=authorized(token))


class Unreadable(io.RawIOBase):
    """A body that must not be read."""

    def readinto(self, buffer: object) -> int:
        raise AssertionError("the body was read")


class BreaksAfter(io.RawIOBase):
    """A body on a line that breaks."""

    def __init__(self, body: bytes, *, at: int) -> None:
        self._rest = io.BytesIO(body[:at])

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        piece = self._rest.read(len(buffer))
        if not piece:
            raise ConnectionResetError
        buffer[: len(piece)] = piece
        return len(piece)


def test_a_body_that_says_it_is_too_large_is_not_even_begun(app: Flask, token: str) -> None:
    _, content_type = body_of(WHEEL)

    answer = arriving(app, token, Unreadable(), length=10**12, content_type=content_type)

    refused(answer, "File too large. Limit is 100 MB.")


@pytest.mark.parametrize("left_out", [1, 40, 2000])
def test_a_body_that_is_cut_off_is_refused(app: Flask, token: str, left_out: int) -> None:
    body, content_type = body_of(WHEEL)

    answer = arriving(app, token, io.BytesIO(body[:-left_out]), length=len(body), content_type=content_type)

    refused(answer, "The upload ended too early")


def test_a_body_without_its_end_is_refused_where_its_length_was_not_told(app: Flask, token: str) -> None:
    body, content_type = body_of(WHEEL)
    environ = {"wsgi.input": io.BytesIO(body[:-40]), "wsgi.input_terminated": True}

    answer = post(app, environ=environ, content_type=content_type, headers=authorized(token))

    refused(answer, "cut off or not well-formed")


def test_a_line_that_breaks_while_the_file_arrives_is_no_fault_of_ours(app: Flask, token: str) -> None:
    body, content_type = body_of(bent(bytes(MEGABYTE)))

    answer = arriving(app, token, BreaksAfter(body, at=500_000), length=len(body), content_type=content_type)

    refused(answer, "The upload ended too early")


BODIES: dict[str, tuple[bytes, str | None, str]] = {
    "no body": (b"", None, "multipart/form-data"),
    "JSON": (b"{}", "application/json", "multipart/form-data"),
    "a plain form": (b":action=file_upload&name=acme", "application/x-www-form-urlencoded", "multipart/form-data"),
    "no boundary": (b"--x--", "multipart/form-data", "multipart/form-data"),
    "no part": (b"--x--\r\n", "multipart/form-data; boundary=x", "Send :action=file_upload"),
    "noise": (b"noise" * 1000, "multipart/form-data; boundary=x", "not well-formed"),
    "endless header": (b"--x\r\nA: " + b"a" * 2 * MEGABYTE, "multipart/form-data; boundary=x", "not well-formed"),
    "nameless part": (
        b"--x\r\nContent-Type: text/plain\r\n\r\nx\r\n--x--",
        "multipart/form-data; boundary=x",
        "not well-formed",
    ),
    "no UTF-8": (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--',
        "multipart/form-data; boundary=x",
        "The field name is not UTF-8",
    ),
    "too many parts": (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' for _ in range(10_001)) + b"--x--",
        "multipart/form-data; boundary=x",
        "not well-formed",
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_no_upload_is_refused(app: Flask, token: str, case: str) -> None:
    body, content_type, words = BODIES[case]

    refused(post(app, data=body, content_type=content_type, headers=authorized(token)), words)


def a_file(name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(WHEEL.content), name


FORMS: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "no file": (dict, "Upload payload does not have a file"),
    "the file as text": (lambda: {"content": "UEsDBA=="}, "Upload payload does not have a file"),
    "two files": (
        lambda: {"content": [a_file(WHEEL.filename), a_file(WHEEL.filename)]},
        "more than one file",
    ),
    "a field twice": (lambda: {"version": ["1.0", "2.0"]}, "The field version was sent twice"),
    "a field as a file": (lambda: {"name": a_file("name.txt")}, "The field 'name' must not be a file"),
    "another file": (lambda: {"readme": a_file("README.md")}, "The field 'readme' must not be a file"),
}


@pytest.mark.parametrize("case", FORMS)
def test_a_form_that_is_filled_in_wrongly_is_refused(app: Flask, token: str, case: str) -> None:
    make, words = FORMS[case]

    data = {**fields_of(WHEEL), **make()}
    refused(post(app, data=data, content_type="multipart/form-data", headers=authorized(token)), words)


def test_a_program_that_asks_for_json_gets_a_problem_with_a_code(app: Flask, token: str) -> None:
    answer = upload(app, token, WHEEL, accept="application/json", sha256_digest="0" * 64)

    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert (answer.json["status"], answer.json["code"]) == (400, "bad_digest")
    assert answer.json["detail"] == "The digest supplied does not match a digest calculated from the uploaded file."


def test_a_refusal_cannot_break_the_status_line(app: Flask, token: str) -> None:
    answer = upload(app, token, WHEEL, filetype="bdist\r\nSet-Cookie: a=b", name="acme\r\nX: y")

    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers
    assert "\n" not in answer.status
