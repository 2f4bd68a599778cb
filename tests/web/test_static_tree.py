"""The static tree says what the application says, or nothing: on both databases, also for what happens at once."""

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from adapters.clock import SettableClock
from adapters.static_tree import FILES, PageFile
from blueprints import page_files
from domain.index import page_changes, static_pages
from models import Base, KeptPage, Project, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.conftest import MakeApp
from tests.packages import Package, a_wheel, an_sdist
from tests.uploading import upload

JSON = "application/vnd.pypi.simple.v1+json"
PAGE = "/simple/acme-utils/"
READERS = "/manage/project/acme-utils/settings/readers"
UNPACK = {".gz": gzip.decompress, ".br": brotli.decompress}


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, make_app: MakeApp, folder: Path) -> Iterator[Flask]:
    """The application on each database in turn, with a tree, and with blobs that no disk has to keep."""
    url = {"database_url": request.getfixturevalue("postgres_url")} if request.param == "postgresql" else {}
    application = make_app(static_dir=folder, storage_url="memory:", **url)
    with application.app_context():
        Base.metadata.create_all(db.engine)
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pages"


@pytest.fixture
def ana(app: Flask, people: People) -> User:
    """Ana, who has published a wheel of acme-utils."""
    member = people.a_member("ana")
    send(app, people.a_token(member)[1], a_wheel())
    return member


@pytest.fixture
def token(ana: User, people: People) -> str:
    return people.a_token(ana, "another")[1]


@pytest.fixture
def browser(app: Flask, ana: User) -> Browser:
    """Ana's."""
    return Browser(app).sign_in(ana)


def send(app: Flask, token: str, package: Package) -> None:
    assert upload(app, token, package).status == "200 OK"


def answers(app: Flask, path: str) -> dict[str, bytes]:
    """What the application says of a page, under the names of the tree's files; nothing where there is none."""
    stranger = Browser(app)
    found = {"index.json": stranger.get(path, headers={"Accept": JSON}), "index.html": stranger.get(path)}
    return {name: answer.data for name, answer in found.items() if answer.status_code == 200}


def tree_says(folder: Path, path: str) -> dict[str, bytes]:
    """The same of the tree, with every file unpacked and held against the plain one."""
    place = folder / "open" / path.strip("/")
    found = {each.name: each.read_bytes() for each in place.glob("*") if each.is_file()}
    for name, body in found.items():
        if (unpack := UNPACK.get(Path(name).suffix)) is not None:
            assert unpack(body) == found[name[:-3]]
    assert set(found) in (set(), set(FILES))
    return {name: found[name] for name in ("index.json", "index.html") if name in found}


def test_an_upload_is_in_the_tree_when_it_is_answered(app: Flask, folder: Path, token: str) -> None:
    first = tree_says(folder, PAGE)
    send(app, token, an_sdist())

    assert first["index.json"].count(b'"filename"') == 1
    assert tree_says(folder, PAGE)["index.json"].count(b'"filename"') == 2
    assert tree_says(folder, PAGE) == answers(app, PAGE)


def test_a_yank_is_there_at_once(app: Flask, folder: Path, browser: Browser) -> None:
    browser.submit("/manage/project/acme-utils/release/1.0/yank", reason="Loses data")

    assert b"Loses data" in tree_says(folder, PAGE)["index.json"]
    assert tree_says(folder, PAGE) == answers(app, PAGE)


def test_archiving_is_there_at_once(app: Flask, folder: Path, browser: Browser) -> None:
    browser.submit("/manage/project/acme-utils/settings/archive")

    assert b"archived" in tree_says(folder, PAGE)["index.html"]
    assert tree_says(folder, PAGE) == answers(app, PAGE)


def test_a_name_that_is_reserved_has_a_page_without_files(app: Flask, folder: Path, browser: Browser) -> None:
    browser.submit("/manage/projects/create/", name="Tide.Tables")

    assert tree_says(folder, "/simple/tide-tables/") == answers(app, "/simple/tide-tables/") != {}


def test_a_project_that_turns_private_leaves_with_the_answer_and_comes_back_when_it_is_opened(
    app: Flask, folder: Path, browser: Browser
) -> None:
    page_files.mend(app)
    listed = tree_says(folder, "/simple/")
    browser.submit(READERS, is_private="yes")
    hidden, list_then = tree_says(folder, PAGE), tree_says(folder, "/simple/")
    page_files.mend(app)
    list_after = tree_says(folder, "/simple/")
    browser.submit(READERS, is_private="no")

    assert b"acme-utils" in listed["index.json"]
    assert hidden == list_then == {}
    assert b"acme-utils" not in list_after["index.json"] + list_after["index.html"]
    assert tree_says(folder, PAGE) == answers(app, PAGE) != {}


def test_what_is_uploaded_to_a_private_project_does_not_come_into_the_tree(
    app: Flask, folder: Path, browser: Browser, token: str
) -> None:
    browser.submit(READERS, is_private="yes")

    send(app, token, an_sdist())
    page_files.mend(app)

    assert tree_says(folder, PAGE) == {}


def test_a_deleted_project_leaves_with_the_answer(app: Flask, folder: Path, browser: Browser) -> None:
    page_files.mend(app)

    browser.submit("/manage/project/acme-utils/settings/delete", confirm="acme-utils")
    gone = tree_says(folder, PAGE), tree_says(folder, "/simple/")
    page_files.mend(app)

    assert gone == ({}, {})
    assert not (folder / "open/simple/acme-utils").exists()
    assert b"acme-utils" not in tree_says(folder, "/simple/")["index.json"]


def test_a_refused_upload_changes_nothing(app: Flask, folder: Path, token: str) -> None:
    before = tree_says(folder, PAGE)

    refused = upload(app, token, a_wheel(extra={"acme_utils/other.py": b"1"}))

    assert refused.status_code == 400
    assert tree_says(folder, PAGE) == before


def test_the_list_is_missing_after_a_change_until_it_is_written(app: Flask, folder: Path, browser: Browser) -> None:
    missing = tree_says(folder, "/simple/")
    page_files.write_list(app)
    there = tree_says(folder, "/simple/")
    browser.submit("/manage/projects/create/", name="tide-tables")

    assert missing == tree_says(folder, "/simple/") == {}
    assert b"acme-utils" in there["index.json"]
    page_files.write_list(app)
    assert tree_says(folder, "/simple/") == answers(app, "/simple/")


def test_pages_of_one_size_have_other_stamps(app: Flask, folder: Path, browser: Browser) -> None:
    """A web server makes its ETag of the two: else somebody who has the older page would be told that it is new."""
    seen = set()
    for reason in ("Loses data", "Eats money"):
        browser.submit("/manage/project/acme-utils/release/1.0/yank", reason=reason)
        found = (folder / "open/simple/acme-utils/index.json").stat()
        seen.add((found.st_size, found.st_mtime))

    assert len({size for size, _ in seen}) == 1
    assert len(seen) == 2


def test_what_a_crash_left_out_is_mended(app: Flask, folder: Path, token: str) -> None:
    wiring_of(app).static_tree.withdraw("acme-utils")  # type: ignore[union-attr]

    page_files.mend(app)

    assert tree_says(folder, PAGE) == answers(app, PAGE) != {}


def test_what_changed_while_no_tree_was_kept_is_mended(app: Flask, folder: Path, people: People, ana: User) -> None:
    before = tree_says(folder, PAGE)
    wiring_of(app).static_tree.put("left-over", {name: _file() for name in FILES})  # type: ignore[union-attr]
    plain_json = (KeptPage.form == "json", KeptPage.coding == "identity")
    db.session.execute(sa.update(KeptPage).where(*plain_json).values(body=b"{}", etag=f'"{"ab" * 16}"'))
    db.session.execute(sa.insert(Project).values(_row("tide-tables")))
    db.session.commit()

    page_files.mend(app)

    assert tree_says(folder, PAGE)["index.json"] == b"{}" != before["index.json"]
    assert not (folder / "open/simple/left-over").exists()
    assert tree_says(folder, "/simple/tide-tables/") == answers(app, "/simple/tide-tables/") != {}


def test_whoever_mends_waits_for_whoever_writes(app: Flask, folder: Path, ana: User) -> None:
    page = folder / "open/simple/acme-utils/index.json"
    db.session.rollback()
    mender = threading.Thread(target=page_files.mend, args=(app,))

    with Session(db.engine) as writer:
        static_pages.write(writer, wiring_of(app).static_tree, "acme-utils")  # type: ignore[arg-type]
        page.write_bytes(b"being written")
        mender.start()
        mender.join(timeout=0.5)
        waited, stands = mender.is_alive(), page.read_bytes()
        writer.commit()
    mender.join()

    assert (waited, stands) == (True, b"being written")
    assert tree_says(folder, PAGE) == answers(app, PAGE) != {}


def test_a_page_that_cannot_be_removed_keeps_the_project_from_turning_private(
    app: Flask, folder: Path, browser: Browser
) -> None:
    stuck = folder / "open/simple/acme-utils/index.json"
    stuck.unlink()
    stuck.mkdir()

    answer = browser.post(READERS, is_private="yes")

    assert answer.status_code == 500
    assert not db.session.scalar(sa.select(Project.is_private))


def test_a_page_that_cannot_be_written_keeps_nobody_waiting_and_is_mended(
    app: Flask, folder: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    wiring_of(app).static_tree.withdraw("acme-utils")  # type: ignore[union-attr]
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr("adapters.static_tree.os.fsync", full)
        send(app, token, an_sdist())

    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["a static page was not written"]
    assert not (folder / "open/simple/acme-utils/index.json").exists()
    page_files.mend(app)
    assert tree_says(folder, PAGE) == answers(app, PAGE)


def test_a_commit_that_fails_leaves_the_page_to_the_application_until_it_is_mended(
    app: Flask, folder: Path, ana: User
) -> None:
    before = tree_says(folder, PAGE)

    def fails(session: object) -> None:
        raise OperationalError("COMMIT", None, Exception("the connection is gone"))

    page_changes.remember(db.session(), "acme-utils")
    sa.event.listen(db.session(), "before_commit", fails)
    with pytest.raises(OperationalError):
        db.session.commit()
    db.session.rollback()
    sa.event.remove(db.session(), "before_commit", fails)

    withdrawn = tree_says(folder, PAGE)
    page_files.mend(app)
    assert withdrawn == {}
    assert tree_says(folder, PAGE) == before


def test_a_savepoint_is_no_commit(app: Flask, folder: Path, ana: User) -> None:
    page_changes.remember(db.session(), "acme-utils")
    with db.session.begin_nested():
        db.session.execute(sa.update(Project).values(summary="Another"))

    assert page_changes.remembered(db.session()) == ["acme-utils"]
    assert tree_says(folder, PAGE) != {}


def test_uploads_at_once_are_all_in_the_tree(app: Flask, folder: Path, token: str) -> None:
    wheels = [a_wheel(tag=f"cp3{minor}-none-any") for minor in range(6)]
    threads = [threading.Thread(target=send, args=(app, token, wheel)) for wheel in wheels]
    db.session.rollback()

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert tree_says(folder, PAGE)["index.json"].count(b'"filename"') == 7
    assert tree_says(folder, PAGE) == answers(app, PAGE)


def test_however_often_it_is_mended_meanwhile_a_private_project_is_not_in_the_tree(
    app: Flask, folder: Path, browser: Browser, clock: SettableClock
) -> None:
    """Whoever mends has read that it is open, and would write that down after it has turned private."""
    stopped, faults, seen, statuses = threading.Event(), [], [], []

    def mend_on() -> None:
        while not stopped.is_set():
            try:
                page_files.mend(app)
            except Exception as fault:  # noqa: BLE001 - told to the test below, whatever it is
                faults.append(fault)
                stopped.set()

    menders = [threading.Thread(target=mend_on) for _ in range(2)]
    for mender in menders:
        mender.start()
    try:
        for number in range(10):  # as often as one hour allows
            statuses.append(browser.post(READERS, is_private="no" if number % 2 else "yes").status_code)
            if number % 2 == 0:
                seen += [(folder / "open/simple/acme-utils" / name).exists() for name in FILES for _ in range(20)]
    finally:
        stopped.set()
        for mender in menders:
            mender.join()

    assert (faults, statuses) == ([], [303] * 10)
    assert True not in seen


def _file() -> PageFile:
    return PageFile(b"of a project that is no more", 1)


def _row(name: str) -> dict[str, object]:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    names = {"name": name, "normalized_name": name, "lookalike_key": name}
    return {**names, "created_at": moment, "updated_at": moment}
