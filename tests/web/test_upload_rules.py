"""The rules of an upload, in the order in which they are asked: the first that is broken is told, and no other."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from blueprints.wiring import EXTENSION
from domain.index.upload_rules import EVERY_PLATFORM, UploadRules
from models import File, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.packages import Package, a_metadata, a_wheel, an_sdist
from tests.uploading import authorized, fields_of, post, upload


@dataclass
class Draft:
    """An upload of Ana's that nothing is wrong with, until a fault is put in."""

    filename: str = "acme_utils-1.0-py3-none-any.whl"
    content_type: str = "application/octet-stream"
    has_file: bool = True
    is_broken: bool = False
    form: dict[str, str | None] = field(default_factory=dict)
    metadata: dict[str, str | list[str]] = field(default_factory=dict)
    description: str = ""
    is_of_bo: bool = False
    is_there: bool = False
    rules: UploadRules = field(default_factory=UploadRules)

    def tell(self, **metadata: str | list[str]) -> None:
        self.metadata |= metadata

    def fill_in(self, **form: str | None) -> None:
        self.form |= form

    def send(self, app: Flask, people: People) -> TestResponse:
        """Put what must be there in its place, and send it."""
        ana = people.a_member("ana")
        people.a_project("acme-utils", people.a_member("bo") if self.is_of_bo else ana)
        _, token = people.a_token(ana)
        if self.is_there:
            assert upload(app, token, a_wheel(extra={"acme_utils/old.py": b"x = 1\n"})).status_code == 200
        app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=self.rules)
        told = a_metadata(description=self.description, **self.metadata)
        wheel = a_wheel(metadata=told)
        content = wheel.content[:-100] if self.is_broken else wheel.content
        fields = fields_of(Package(wheel.filename, content), **self.form)
        file = FileStorage(io.BytesIO(content), self.filename, content_type=self.content_type)
        data = {**fields, **({"content": file} if self.has_file else {})}
        return post(app, data=data, content_type="multipart/form-data", headers=authorized(token))


def _name_it(old: str, new: str) -> Callable[[Draft], None]:
    def put_in(draft: Draft) -> None:
        draft.filename = draft.filename.replace(old, new)

    return put_in


def _set(**changes: object) -> Callable[[Draft], None]:
    def put_in(draft: Draft) -> None:
        for name, value in changes.items():
            assert hasattr(draft, name)
            setattr(draft, name, value)

    return put_in


def _form(**fields: str | None) -> Callable[[Draft], None]:
    return lambda draft: draft.fill_in(**fields)


def _metadata(**fields: str | list[str]) -> Callable[[Draft], None]:
    return lambda draft: draft.tell(**fields)


# Each fault, and what is said of it; in the order of the rules.
FAULTS: list[tuple[str, Callable[[Draft], None], str]] = [
    ("an old action", _form(action="submit"), "Registering a project beforehand is not needed"),
    ("another protocol", _form(protocol_version="2"), "Unknown protocol version"),
    ("no name", _form(name="UNKNOWN"), "does not say its name"),
    ("no version", _form(version=" "), "does not say its version"),
    ("no such filetype", _form(filetype="bdist_egg"), "Use a known file type"),
    ("no Python version", _form(pyversion=None), "Python version is required for binary distribution uploads."),
    ("a digest of another length", _form(blake2_256_digest="0" * 32), "blake2_256 digest is not one in hexadecimal"),
    ("no digest", _form(blake2_256_digest=None, sha256_digest=None), "Include at least one message digest."),
    ("no file", _set(has_file=False), "Upload payload does not have a file."),
    ("a picture", _set(content_type="image/png"), "Invalid distribution file."),
    ("no role", _set(is_of_bo=True), "Only owners and maintainers of acme-utils may"),
    ("a local version", _form(version="1.0+team.1"), "The use of local versions in '1.0+team.1' is not allowed"),
    ("a space in the filename", _name_it("acme_", "acme "), "has characters other than"),
    ("another extension", _name_it(".whl", ".egg"), "neither a wheel (.whl) nor an sdist"),
    ("a filename of no wheel", _name_it("-none", ""), "not that of a wheel"),
    ("a capital", _name_it("utils", "Utils"), "should contain the normalized project name 'ac"),
    ("a file of another project", _name_it("acme", "acne"), "belongs to project 'acne-utils', not 'acme-utils'"),
    ("a file of another version", _name_it("1.0", "1.1"), "has version 1.1, not 1.0"),
    ("another filetype", _form(filetype="sdist", pyversion="source"), "is no sdist"),
    ("another platform", _name_it("any", "linux_x86_64"), "has an unsupported platform tag 'linux_x86_64'"),
    ("another digest", _form(md5_digest="0" * 32), "The digest supplied does not match"),
    ("a file that is there", _set(is_there=True), "File already exists"),
    ("a broken archive", _set(is_broken=True), "does not end as a ZIP archive does"),
    ("another metadata version", _metadata(Metadata_Version="3.0"), "not a valid metadata version"),
    ("metadata of another project", _metadata(Name="other"), "is of project 'other'"),
    ("metadata of another version", _metadata(Version="2.0"), "is of version 2.0"),
    ("a long summary", _metadata(Summary="x" * 513), "The summary has 513 characters"),
    ("a description of no known type", _metadata(Description_Content_Type="text/html"), "description-content-type"),
    ("no email address", _metadata(Author_email="Ana <ana>"), "Author-email 'Ana <ana>' is not a valid email address"),
    ("no classifier", _metadata(Classifier="Topic :: Nonsense"), "'Topic :: Nonsense' is not known"),
    ("no web address", _metadata(Home_page="javascript:alert(1)"), "is not a valid web address"),
    ("no Python", _metadata(Requires_Python="three"), "invalid for 'requires-python'"),
    ("a direct URL", _metadata(Requires_Dist="x @ https://e.org/x.whl"), "Can't have direct dependency: 'x @ "),
    ("no distribution", _metadata(Obsoletes_Dist="x @ https://e.org/x.whl"), "is not a name with versions"),
    ("extras that clash", _metadata(Provides_Extra=["a_b", "A-B"]), "Provides-Extra gives 'a-b' twice"),
    ("a fixed dynamic field", _metadata(Dynamic="Name"), "'name' is not allowed as a dynamic field"),
    ("two licences", _metadata(License="MIT", License_Expression="MIT"), "Only License-Expression should be present"),
    ("a licence elsewhere", _metadata(License_File="../LICENSE"), "invalid for 'license-file'"),
    ("a name imported twice", _metadata(Import_Name="a", Import_Namespace="a"), "The import name 'a' is given twice"),
    (
        "a description of another type",
        _set(description="Acme\n==\n\n.. nonsense:: x\n"),
        "The description failed to render in the default format of reStructuredText",
    ),
    ("a project that is full", _set(rules=UploadRules(max_project_bytes=500)), "Project size too large. Limit for"),
]
NAMES = [name for name, _, _ in FAULTS]


def test_the_draft_itself_is_published(app: Flask, people: People) -> None:
    answer = Draft().send(app, people)

    assert (answer.status, answer.data) == ("200 OK", b"")


@pytest.mark.parametrize(("name", "put_in", "words"), FAULTS, ids=NAMES)
def test_each_rule_is_told_in_status_line_and_body(
    app: Flask, people: People, name: str, put_in: Callable[[Draft], None], words: str
) -> None:
    draft = Draft()
    put_in(draft)

    answer = draft.send(app, people)

    assert answer.status_code == {"an old action": 410, "no role": 403}.get(name, 400), answer.status
    assert words in answer.text
    assert words in answer.status
    assert answer.text.isascii()
    assert answer.text.count("\n") == 1
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(File)) == int(draft.is_there)


@pytest.mark.parametrize(("first", "second"), list(pairwise(FAULTS)), ids=NAMES[:-1])
def test_of_two_faults_the_first_is_told(
    app: Flask,
    people: People,
    first: tuple[str, Callable[[Draft], None], str],
    second: tuple[str, Callable[[Draft], None], str],
) -> None:
    draft = Draft()
    second[1](draft)
    first[1](draft)

    answer = draft.send(app, people)

    assert first[2] in answer.text


# --- what is a setting ------------------------------------------------------------------------------------------------

LOOSENED: dict[str, tuple[Package, UploadRules]] = {
    "a direct URL": (
        a_wheel(metadata=a_metadata(Requires_Dist="x @ https://example.org/x.whl")),
        UploadRules(takes_direct_urls=True),
    ),
    "a local version": (a_wheel(version="1.0+team.1"), UploadRules(takes_local_versions=True)),
    "one more platform": (
        a_wheel(tag="cp311-cp311-linux_x86_64"),
        UploadRules(more_platforms=frozenset({"linux_x86_64"})),
    ),
    "every platform": (a_wheel(tag="cp311-cp311-plan9_vax"), UploadRules(more_platforms=frozenset({EVERY_PLATFORM}))),
}


@pytest.mark.parametrize("case", LOOSENED)
def test_what_the_operator_allows_is_published(app: Flask, people: People, case: str) -> None:
    package, rules = LOOSENED[case]
    _, token = people.a_token(people.a_member("ana"))
    assert upload(app, token, package).status_code == 400

    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=rules)

    assert upload(app, token, package).status == "200 OK"


def test_a_full_index_is_told_to_everybody(app: Flask, people: People) -> None:
    _, token = people.a_token(people.a_member("ana"))
    limit = len(a_wheel().content) + 10
    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=UploadRules(max_index_bytes=limit))
    assert upload(app, token, a_wheel()).status == "200 OK"

    answer = upload(app, token, a_wheel("other"))

    assert answer.status.startswith("400 Index size too large. Limit for all projects together is ")
    assert upload(app, token, a_wheel()).status == "200 OK"  # the same file again takes no room


def test_a_second_sdist_is_told_after_the_quota(app: Flask, people: People) -> None:
    _, token = people.a_token(people.a_member("ana"))
    assert upload(app, token, an_sdist()).status == "200 OK"
    second = an_sdist(version="1.0.0")
    assert upload(app, token, second).status == "400 Only one sdist may be uploaded per release."

    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=UploadRules(max_project_bytes=10))

    assert upload(app, token, second).status.startswith("400 Project size too large. Limit for project 'acme-utils'")


def test_values_that_old_tools_write_for_nothing_are_nothing(app: Flask, people: People) -> None:
    _, token = people.a_token(people.a_member("ana"))
    package = an_sdist(metadata=a_metadata(Home_page="UNKNOWN", Author_email="UNKNOWN", License="UNKNOWN"))

    answer = upload(app, token, package, pyversion="UNKNOWN", md5_digest="UNKNOWN", protocol_version="UNKNOWN")

    assert answer.status == "200 OK"


def test_a_file_that_is_there_is_accepted_again_though_the_rules_are_stricter_now(app: Flask, people: People) -> None:
    """As on PyPI: whoever repeats an upload must not be told that it failed."""
    _, token = people.a_token(people.a_member("ana"))
    package = a_wheel(metadata=a_metadata(Requires_Dist="x @ https://example.org/x.whl"))
    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=UploadRules(takes_direct_urls=True))
    assert upload(app, token, package).status == "200 OK"

    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=UploadRules())

    assert upload(app, token, package).status == "200 OK"
