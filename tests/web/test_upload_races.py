"""Uploads that arrive in the same moment: over HTTP, in real threads, on both databases."""

import threading
from dataclasses import replace

import orjson
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from blueprints.wiring import EXTENSION
from domain.index.upload_rules import UploadRules
from models import File, Project, Release, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.packages import Package, a_wheel, an_sdist
from tests.uploading import kept_page, upload

MANY = 8


def at_once(app: Flask, token: str, *packages: Package) -> list[str]:
    """Upload all of them together; the status lines, sorted."""
    together = threading.Barrier(len(packages))
    statuses: list[str] = []

    def send(package: Package) -> None:
        together.wait()
        statuses.append(upload(app, token, package).status)

    db.session.rollback()
    threads = [threading.Thread(target=send, args=(package,)) for package in packages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def count(table: type[File] | type[Release] | type[Project]) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def on_the_simple_page() -> list[str]:
    return [file["filename"] for file in orjson.loads(kept_page("json"))["files"]]


def test_the_same_file_many_times_at_once_is_one_file(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    _, token = people.a_token(people.a_member("ana"))

    statuses = at_once(either_app, token, *[a_wheel()] * MANY)

    assert statuses == ["200 OK"] * MANY
    assert (count(Project), count(Release), count(File)) == (1, 1, 1)


def test_files_of_one_release_at_once_are_all_on_the_page(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)
    _, token = people.a_token(ana)
    wheels = [a_wheel(tag=f"cp3{minor}-none-any") for minor in range(MANY - 1)]

    statuses = at_once(either_app, token, *wheels, an_sdist())

    assert statuses == ["200 OK"] * MANY
    assert (count(Release), count(File)) == (1, MANY)
    assert sorted(on_the_simple_page()) == sorted([an_sdist().filename, *(wheel.filename for wheel in wheels)])


def test_other_bytes_under_one_name_at_once_leave_one_of_them(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)
    _, token = people.a_token(ana)
    wheels = [a_wheel(extra={"acme_utils/number.py": str(number).encode()}) for number in range(MANY)]

    statuses = at_once(either_app, token, *wheels)

    assert statuses[0] == "200 OK"
    assert all(status.startswith("400 File already exists") for status in statuses[1:])
    assert count(File) == 1


def test_first_files_of_one_name_at_once_make_one_project(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    _, token = people.a_token(people.a_member("ana"))

    statuses = at_once(either_app, token, a_wheel(), an_sdist())

    accepted = [status for status in statuses if status == "200 OK"]
    assert accepted
    assert all(
        status.startswith("409 The project acme-utils was created just now") for status in statuses[len(accepted) :]
    )
    assert (count(Project), count(File)) == (1, len(accepted))
    assert upload(either_app, token, an_sdist()).status == upload(either_app, token, a_wheel()).status == "200 OK"


def test_two_names_at_once_with_a_token_for_one_new_project_create_one(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    row, token = people.a_token(people.a_member("ana"), projects=(), creates_project=True)

    statuses = at_once(either_app, token, *(a_wheel(f"buoy_{letter}") for letter in "abcdefgh"))

    assert statuses[0] == "200 OK"
    assert {status[:4] for status in statuses[1:]} == {"403 "}
    assert (count(Project), count(File)) == (1, 1)
    db.session.refresh(row)
    assert [project.name for project in row.projects] == [db.session.scalars(sa.select(Project.name)).one()]
    assert not row.creates_project


SIZE = max(len(a_wheel(tag=f"cp31{minor}-none-any").content) for minor in range(MANY))


def limited(app: Flask, **limits: int) -> None:
    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=UploadRules(**limits))  # type: ignore[arg-type]


def size_of_all() -> int:
    db.session.rollback()
    return int(db.session.scalar(sa.select(sa.func.sum(File.size_bytes))) or 0)


def test_uploads_at_once_cannot_exceed_the_quota_of_a_project(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana)
    _, token = people.a_token(ana)
    wheels = [a_wheel(tag=f"cp31{minor}-none-any") for minor in range(MANY)]
    limited(either_app, max_project_bytes=3 * SIZE)

    statuses = at_once(either_app, token, *wheels)

    assert statuses[:3] == ["200 OK"] * 3
    assert all(status.startswith("400 Project size too large. Limit for") for status in statuses[3:])
    assert size_of_all() <= 3 * SIZE


def test_uploads_to_many_projects_at_once_cannot_exceed_the_quota_of_the_index(
    either_app: Flask, clock: SettableClock
) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    _, token = people.a_token(ana)
    wheels = [a_wheel(f"buoy-{letter}") for letter in "abcdefgh"]
    for letter in "abcdefgh":
        people.a_project(f"buoy-{letter}", ana)
    size = max(len(wheel.content) for wheel in wheels)
    limited(either_app, max_index_bytes=3 * size)

    statuses = at_once(either_app, token, *wheels)

    assert statuses[:3] == ["200 OK"] * 3
    assert all(status.startswith("400 Index size too large.") for status in statuses[3:])
    assert size_of_all() <= 3 * size
