"""What was deleted can be put back for seven days; after that it is gone, and its names stay spent."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain import upkeep
from models import (
    DeletedFile,
    DeletedFilename,
    DeletedRelease,
    Event,
    File,
    Mail,
    Project,
    Release,
    User,
    db,
)
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.packages import a_wheel, an_sdist
from tests.uploading import kept_page, upload

LIST = "/manage/project/acme-utils/releases/"
PAGE = "/manage/project/acme-utils/release/1.0/"
WHEEL, SDIST = a_wheel(), an_sdist()


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    """The owner of acme-utils; signed in."""
    user, bo = people.a_member("ana"), people.a_member("bo")
    people.a_project("acme-utils", user, maintainers=(bo,))
    browser.sign_in(user)
    return user


@pytest.fixture
def token(people: People, ana: User, app: Flask) -> str:
    """Ana's token, with which a wheel and an sdist of 1.0 were published."""
    text = people.a_token(ana)[1]
    assert [upload(app, text, package).status_code for package in (WHEEL, SDIST)] == [200, 200]
    return text


def file_delete(filename: str) -> str:
    return f"{PAGE}file/{filename}/delete"


def restore_page() -> str:
    """Where the last removal is put back."""
    db.session.rollback()
    newest = db.session.scalars(sa.select(DeletedRelease.id).order_by(DeletedRelease.id.desc())).first()
    return f"{LIST}deleted/{newest}/restore"


def kept() -> tuple[list[str], list[str], list[str]]:
    """The names of files on the index, off it, and spent."""
    db.session.rollback()
    found = [sorted(db.session.scalars(sa.select(table.filename))) for table in (File, DeletedFile, DeletedFilename)]
    return found[0], found[1], found[2]


def simple_page() -> bytes:
    db.session.rollback()
    return kept_page("html")


def test_a_restored_release_is_as_it_was(token: str, app: Flask, browser: Browser) -> None:
    before, page_before = kept(), simple_page()
    browser.submit(f"{PAGE}delete", confirm="1.0")
    both = sorted([WHEEL.filename, SDIST.filename])
    assert kept() == ([], both, both)

    shown = browser.page(LIST)
    asked = browser.page(restore_page())
    page = browser.submit(restore_page())

    assert "Deleted lately" in shown.text
    assert f"{both[0]} and 1 more" in shown.text
    assert "2 files come back" in asked.text
    assert "acme-utils 1.0 was restored." in page.text
    assert kept() == before
    assert simple_page() == page_before
    assert upload(app, token, WHEEL).status_code == 200
    tags = list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))[-2:]
    assert tags == ["project:release:removed", "project:release:restored"]
    told = [mail.to for mail in db.session.scalars(sa.select(Mail).where(Mail.notice == "release-restored"))]
    assert sorted(told) == ["ana@mail.example", "bo@mail.example"]


def test_a_single_file_goes_and_comes_back_into_its_release(token: str, app: Flask, browser: Browser) -> None:
    asked = browser.page(file_delete(SDIST.filename))
    browser.submit(file_delete(SDIST.filename), confirm=" Acme_Utils ")

    assert "1 file stays in 1.0." in asked.text
    assert kept() == ([WHEEL.filename], [SDIST.filename], [SDIST.filename])
    assert SDIST.filename.encode() not in simple_page()
    assert upload(app, token, SDIST).status_code == 400

    browser.submit(restore_page())

    assert kept() == (sorted([WHEEL.filename, SDIST.filename]), [], [])
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Release)) == 1


def test_a_release_goes_with_its_last_file_and_comes_back_with_it(token: str, browser: Browser) -> None:
    browser.submit(file_delete(SDIST.filename), confirm="acme-utils")
    asked = browser.page(file_delete(WHEEL.filename))
    browser.submit(file_delete(WHEEL.filename), confirm="acme-utils")

    assert "It is the only file: the release 1.0 goes with it." in asked.text
    assert db.session.scalars(sa.select(Release)).all() == []

    browser.submit(restore_page())

    assert kept() == ([WHEEL.filename], [SDIST.filename], [SDIST.filename])
    assert db.session.scalars(sa.select(Release.version)).all() == ["1.0"]


@pytest.mark.parametrize("typed", ["", "1.0", "acme", "yes"])
def test_without_the_projects_name_no_file_is_deleted(token: str, browser: Browser, typed: str) -> None:
    page = browser.submit(file_delete(WHEEL.filename), confirm=typed, status=422)

    assert "That is not the name of the project. Type acme-utils to delete the file." in page.text
    assert kept()[1] == []


def test_a_second_sdist_stands_in_the_way(token: str, ana: User, people: People, browser: Browser) -> None:
    browser.submit(file_delete(SDIST.filename), confirm="acme-utils")
    release = db.session.scalars(sa.select(Release)).one()
    facts = {"kind": "sdist", "tags": "Source", "size_bytes": 1, "uploaded_at": release.created_at}
    release.files.append(File(filename="acme_utils-1.0.zip", sha256="0" * 64, blake2_256="0" * 64, **facts))
    db.session.commit()

    page = browser.submit(restore_page(), status=422)

    assert "The release has another sdist by now" in page.text
    assert kept()[1] == [SDIST.filename]


def test_without_its_bytes_nothing_comes_back(ana: User, people: People, browser: Browser) -> None:
    people.a_removal(db.session.scalars(sa.select(Project)).one(), "0.9", by=ana)

    page = browser.submit(restore_page(), status=422)

    assert "are not in the store any more, so nothing was restored" in page.text
    assert kept()[0] == []


def test_after_seven_days_it_is_too_late(token: str, app: Flask, browser: Browser, clock: SettableClock) -> None:
    browser.submit(f"{PAGE}delete", confirm="1.0")
    clock.advance(timedelta(days=7))
    browser.sign_in(db.session.scalars(sa.select(User).where(User.username == "ana")).one())

    assert "Deleted lately" not in browser.page(LIST).text
    late = browser.submit(restore_page(), status=422)
    assert "The seven days in which this could be restored are over." in late.text
    path = restore_page()
    found = wiring_of(app)
    upkeep.sweep(db.session(), found.store, found.box, found.notices, now=clock.now())
    db.session.commit()

    browser.page(path, status=404)
    assert kept()[1:] == ([], sorted([WHEEL.filename, SDIST.filename]))


def test_restoring_twice_finds_nothing(token: str, browser: Browser) -> None:
    browser.submit(f"{PAGE}delete", confirm="1.0")
    path = restore_page()
    browser.submit(path)

    browser.page(path, status=404)


def test_only_owners_restore_and_delete_files(token: str, app: Flask, browser: Browser) -> None:
    browser.submit(file_delete(SDIST.filename), confirm="acme-utils")
    bo = Browser(app).sign_in(db.session.scalars(sa.select(User).where(User.username == "bo")).one())

    listed = bo.page(LIST)
    bo.submit(restore_page(), status=403)
    bo.submit(file_delete(WHEEL.filename), confirm="acme-utils", status=403)

    assert "An owner can restore it until then." in listed.text
    assert restore_page() not in listed.links()
    assert kept()[0] == [WHEEL.filename]


def test_what_another_project_deleted_is_not_found(token: str, ana: User, people: People, browser: Browser) -> None:
    removed = people.a_removal(people.a_project("buoy", ana), "1.0", by=ana)

    browser.page(f"{LIST}deleted/{removed.id}/restore", status=404)
