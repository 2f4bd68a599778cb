"""Files and the metadata beside them, as they are downloaded."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import File, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp
from tests.packages import a_metadata, a_wheel, an_sdist
from tests.requirements import requirement
from tests.uploading import upload

WHEEL = a_wheel(extra={"acme_utils/data.bin": bytes(range(256)) * 40})


@pytest.fixture(params=["file:", "memory:"])
def shop(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """The application over blobs in a folder, and over blobs that have no path."""
    application = make_app(storage_url=request.param)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def browser(shop: Flask) -> Browser:
    return Browser(shop)


@pytest.fixture
def ana(shop: Flask, clock: SettableClock) -> User:
    """Ana, who has uploaded a wheel and an sdist."""
    people = People(shop, clock)
    member = people.a_member("ana")
    _, token = people.a_token(member)
    for package in (WHEEL, an_sdist()):
        assert upload(shop, token, package).status == "200 OK"
    return member


def path_of(filename: str) -> str:
    db.session.rollback()
    return db.session.scalars(sa.select(File).where(File.filename == filename)).one().path


def test_a_file_comes_back_as_it_was(browser: Browser, ana: User) -> None:
    for package in (WHEEL, an_sdist()):
        answer = browser.get(path_of(package.filename))

        assert answer.data == package.content
        assert answer.headers["Content-Length"] == str(len(package.content))
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == f"attachment; filename={package.filename}"
        assert "Content-Encoding" not in answer.headers


def test_a_file_may_be_kept_for_ever_and_never_acts(browser: Browser, ana: User) -> None:
    answer = browser.get(path_of(WHEEL.filename))

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["ETag"] == f'"{WHEEL.sha256}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


@requirement("R04")
def test_without_a_second_factor_one_finds_and_downloads_like_everybody(
    shop: Flask, browser: Browser, ana: User, clock: SettableClock
) -> None:
    browser.sign_in(People(shop, clock).a_user("newt").verified().build())

    for path in ("/search/?q=acme", "/project/acme-utils/", "/simple/", "/simple/acme-utils/"):
        assert "acme-utils" in browser.get(path).text, path
    assert browser.get(path_of(WHEEL.filename)).data == WHEEL.content


def test_the_metadata_lies_beside_the_wheel(browser: Browser, ana: User) -> None:
    answer = browser.get(f"{path_of(WHEEL.filename)}.metadata")

    assert answer.data == a_metadata()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_an_sdist_has_none(browser: Browser, ana: User) -> None:
    assert browser.get(f"{path_of(an_sdist().filename)}.metadata").status_code == 404


def test_whoever_has_it_already_is_told_so(browser: Browser, ana: User) -> None:
    answer = browser.get(path_of(WHEEL.filename), headers={"If-None-Match": f'"{WHEEL.sha256}"'})

    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=0-3", slice(0, 4)), ("bytes=100-", slice(100, None)), ("bytes=-50", slice(-50, None))],
)
def test_a_part_of_a_file_can_be_asked_for(browser: Browser, ana: User, asked: str, part: slice) -> None:
    answer = browser.get(path_of(WHEEL.filename), headers={"Range": asked})

    assert (answer.status_code, answer.data) == (206, WHEEL.content[part])
    assert answer.headers["Content-Range"].endswith(f"/{len(WHEEL.content)}")


def test_a_part_beyond_the_end_is_refused(browser: Browser, ana: User) -> None:
    answer = browser.get(path_of(WHEEL.filename), headers={"Range": "bytes=999999-"})

    assert answer.status_code == 416


def test_head_tells_the_size(browser: Browser, ana: User) -> None:
    answer = browser.client.head(path_of(WHEEL.filename), base_url=browser.base_url, buffered=True)

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(WHEEL.content))


def test_a_name_or_digest_of_another_file_leads_nowhere(browser: Browser, ana: User) -> None:
    wheel, sdist = path_of(WHEEL.filename), path_of(an_sdist().filename)
    swapped = f"{wheel.rpartition('/')[0]}/{sdist.rpartition('/')[2]}"

    for path in (swapped, f"{wheel}x", f"{wheel}.metadata.metadata", wheel.replace("/packages/", "/packages/0")):
        assert browser.get(path).status_code == 404, path


@pytest.mark.parametrize(
    "path",
    [
        "/packages/aa/bb/cc/x.whl",
        "/packages/../../countersign.sqlite3",
        "/packages/%2e%2e/%2e%2e/%2e%2e/countersign.sqlite3",
        "/packages/aa/bb/" + "c" * 60 + "/%00.whl",
        "/packages/aa/bb/" + "g" * 60 + "/x.whl",
        "/packages/AA/bb/" + "c" * 60 + "/x.whl",
        "/packages/aa/bb/" + "c" * 60 + "/%E2%80%AEx.whl.metadata",
    ],
)
def test_an_address_that_we_never_gave_leads_nowhere(browser: Browser, ana: User, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert not answer.data.startswith(b"SQLite")


def test_scripts_on_other_sites_learn_that_a_file_is_not_here(browser: Browser, ana: User) -> None:
    for path in (f"{path_of(WHEEL.filename)}x", f"{path_of(an_sdist().filename)}.metadata", "/packages/AA/b/c/x.whl"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (404, "*"), path


def test_no_cookie_is_looked_at_or_set(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    answer = browser.get(path_of(WHEEL.filename))

    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers


def test_bytes_that_are_lost_are_our_fault_and_said_so(browser: Browser, ana: User) -> None:
    lost = sa.update(File).where(File.filename == WHEEL.filename).values(sha256="0" * 64)
    db.session.execute(lost)
    db.session.commit()

    answer = browser.get(path_of(WHEEL.filename))

    assert answer.status_code == 500
    assert answer.mimetype == "text/plain"
