"""What uploading tools send is published: each in its own dialect, and nothing twice."""

import hashlib
import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.datastructures import FileStorage, MultiDict

from adapters.clock import SettableClock
from models import ApiToken, Event, File, Project, ProjectRole, Release, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.packages import Package, a_metadata, a_wheel, an_sdist
from tests.uploading import authorized, fields_of, post, upload


@pytest.fixture
def token(people: People) -> str:
    """A token of Ana's for everything."""
    return people.a_token(people.a_member("ana"))[1]


def md5_of(package: Package) -> str:
    return hashlib.md5(package.content, usedforsecurity=False).hexdigest()


def filenames() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(File.filename).order_by(File.filename)))


def test_a_wheel_and_an_sdist_make_a_project_and_a_release(app: Flask, token: str) -> None:
    answers = [upload(app, token, a_wheel()), upload(app, token, an_sdist())]

    assert [(answer.status, answer.data) for answer in answers] == [("200 OK", b"")] * 2
    assert filenames() == ["acme_utils-1.0-py3-none-any.whl", "acme_utils-1.0.tar.gz"]
    [project] = db.session.scalars(sa.select(Project))
    [part] = db.session.scalars(sa.select(ProjectRole))
    [release] = db.session.scalars(sa.select(Release))
    assert (project.name, part.user.username, part.role) == ("acme-utils", "ana", "owner")
    assert (release.version, release.uploaded_by and release.uploaded_by.username) == ("1.0", "ana")


def test_what_counts_is_what_the_file_says_of_itself(app: Flask, token: str) -> None:
    metadata = a_metadata(Summary="From the file", Requires_Python=">=3.11")

    upload(app, token, a_wheel(metadata=metadata), summary="From the form", requires_python=">=2.7")

    [release] = db.session.scalars(sa.select(Release))
    assert (release.summary, release.requires_python) == ("From the file", ">=3.11")
    assert release.project.summary == "From the file"
    assert release.core_metadata["summary"] == "From the file"


def test_the_bytes_are_kept_by_their_digest_and_the_metadata_beside_them(app: Flask, token: str) -> None:
    wheel = a_wheel()

    upload(app, token, wheel)

    store = wiring_of(app).store
    [file] = db.session.scalars(sa.select(File))
    assert (file.sha256, file.size_bytes) == (wheel.sha256, len(wheel.content))
    assert b"".join(store.open(wheel.sha256)) == wheel.content
    assert b"".join(store.open(str(file.metadata_sha256))) == a_metadata()


def test_the_very_same_file_again_is_accepted_and_changes_nothing(app: Flask, token: str, clock: SettableClock) -> None:
    upload(app, token, a_wheel())
    before = [db.session.execute(sa.select(table)).all() for table in (File, Release, Project, Event)]
    clock.advance(timedelta(minutes=5))

    again = upload(app, token, a_wheel())

    assert again.status == "200 OK"
    db.session.rollback()
    assert [db.session.execute(sa.select(table)).all() for table in (File, Release, Project, Event)] == before


def test_the_journal_tells_of_project_release_and_files(app: Flask, token: str) -> None:
    upload(app, token, a_wheel())
    upload(app, token, an_sdist())

    events = db.session.scalars(sa.select(Event).where(Event.tag.startswith("project:")).order_by(Event.id)).all()
    assert [event.tag for event in events] == [
        "project:name:created",
        "project:release:added",
        "project:file:added",
        "project:file:added",
    ]
    assert events[2].details["filename"] == "acme_utils-1.0-py3-none-any.whl"
    assert events[2].address == "198.51.100.9"


def test_the_token_remembers_its_use(app: Flask, token: str, clock: SettableClock) -> None:
    upload(app, token, a_wheel())

    [used] = db.session.scalars(sa.select(ApiToken))
    assert (used.last_used_at, used.last_used_with, used.last_used_from) == (clock.now(), "twine", "198.51.100.9")


@pytest.mark.parametrize("name", ["acme-utils", "Acme.Utils", "ACME__utils"])
def test_a_name_may_be_spelt_in_any_way(app: Flask, token: str, name: str) -> None:
    upload(app, token, a_wheel())

    answer = upload(app, token, an_sdist(), name=name)

    assert answer.status == "200 OK"
    assert len(db.session.scalars(sa.select(Project)).all()) == 1


def test_a_maintainer_uploads_with_a_token_for_the_project(app: Flask, people: People) -> None:
    bo = people.a_member("bo")
    project = people.a_project("acme-utils", people.a_member("ana"), maintainers=(bo,))
    _, token = people.a_token(bo, projects=(project,))

    assert upload(app, token, a_wheel()).status == "200 OK"


# The fields of each tool as it was seen to send them; what is not listed is as twine sends it.
DIALECTS: dict[str, dict[str, str | list[str] | None]] = {
    "uv": {"import_names": "acme_utils", "classifiers": ["Typing :: Typed", "Natural Language :: English"]},
    "hatch": {"md5_digest": "", "import_name": "acme_utils"},
    "poetry": {"md5_digest": "", "requires_dist": ["click>=8", "requests"], "description": "words"},
    "pdm": {"md5_digest": "", "provides_extras": "cli", "home_page": "", "author": "", "license": ""},
    "flit": {"md5_digest": "", "blake2_256_digest": None, "metadata_version": "2.3", "provides": "acme_utils"},
    "twine 4": {"comment": "", "gpg_signature": None, "protocol_version": None},
}


@pytest.mark.parametrize("tool", DIALECTS)
@pytest.mark.parametrize("package", [a_wheel(), an_sdist()], ids=["wheel", "sdist"])
def test_each_tool_is_understood(app: Flask, token: str, tool: str, package: Package) -> None:
    fields: MultiDict[str, str | FileStorage] = MultiDict(fields_of(package))
    for name, value in DIALECTS[tool].items():
        fields.poplist(name)
        values = [value] if isinstance(value, str) else value or []
        fields.setlist(name, [md5_of(package) if name == "md5_digest" else each for each in values])
    fields.setlist(":action", fields.poplist(":action"))  # twine and uv send it last
    fields["content"] = FileStorage(io.BytesIO(package.content), package.filename, content_type="")

    answer = post(app, data=fields, headers=authorized(token))

    assert (answer.status, answer.data) == ("200 OK", b"")
    assert filenames() == [package.filename]


def test_digests_may_be_written_in_capitals(app: Flask, token: str) -> None:
    wheel = a_wheel()

    assert upload(app, token, wheel, sha256_digest=wheel.sha256.upper()).status == "200 OK"


def test_a_signature_of_an_old_tool_is_passed_over(app: Flask, token: str) -> None:
    data = {**fields_of(a_wheel()), "gpg_signature": (io.BytesIO(b"-----BEGIN"), "acme.whl.asc")}
    data["content"] = (io.BytesIO(a_wheel().content), a_wheel().filename)

    assert post(app, data=data, headers=authorized(token)).status == "200 OK"


def test_a_long_description_in_the_form_is_no_obstacle(app: Flask, token: str) -> None:
    assert upload(app, token, a_wheel(), description="word " * 500_000).status == "200 OK"


def test_without_the_last_slash_a_tool_is_sent_on(app: Flask, browser: Browser) -> None:
    for method in ("GET", "POST"):
        answer = browser.client.open("/legacy", method=method, base_url=browser.base_url)

        assert (answer.status_code, answer.headers["Location"]) == (308, "/legacy/")


def test_a_person_at_the_address_is_told_what_it_is_for(browser: Browser) -> None:
    page = browser.page("/legacy/")

    assert page.h1 == "This address is for uploading tools"
    assert "twine upload --repository-url http://localhost:8000/legacy/" in page.text


def test_nothing_is_left_in_the_folder_for_arrivals(app: Flask, token: str) -> None:
    upload(app, token, a_wheel())

    assert list(wiring_of(app).store.incoming.iterdir()) == []
