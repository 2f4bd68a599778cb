"""Simple pages in fewer bytes: kept in each content coding, and the list of projects rendered once for each change."""

import gzip
import threading
from datetime import timedelta

import brotli
import pytest
import sqlalchemy as sa
import zstandard
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from domain.index import name_list, quick_reads
from domain.index.codings import Coding
from domain.index.name_list import NameList
from domain.index.simple import Format
from models import KeptPage, Project, db
from tests.browsing import Browser
from tests.builders import People
from tests.crowds import statements
from tests.packages import a_wheel, an_sdist
from tests.uploading import upload

JSON = "application/vnd.pypi.simple.v1+json"
PAGE = "/simple/acme-utils/"
CODINGS = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.ZstdDecompressor().decompress}


@pytest.fixture
def token(app: Flask, people: People) -> str:
    _, text = people.a_token(people.a_member("ana"))
    upload(app, text, a_wheel())
    return text


def ask(browser: Browser, path: str, coding: str, accept: str = JSON, **headers: str) -> TestResponse:
    return browser.get(path, headers={"Accept": accept, "Accept-Encoding": coding, **headers})


def unpacked(answer: TestResponse) -> bytes:
    body: bytes = CODINGS[answer.headers["Content-Encoding"]](answer.data)
    return body


@pytest.mark.parametrize("path", ["/simple/", PAGE])
@pytest.mark.parametrize("accept", [JSON, "text/html"])
@pytest.mark.parametrize("coding", CODINGS)
def test_a_page_is_the_same_in_every_coding(browser: Browser, token: str, path: str, accept: str, coding: str) -> None:
    plain, packed = ask(browser, path, "identity", accept), ask(browser, path, coding, accept)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == coding
    assert unpacked(packed) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Content-Length"] == str(len(packed.data))
    for answer in (plain, packed):
        assert answer.headers["Vary"].startswith("Accept, Accept-Encoding")
        assert ("Authorization" in answer.headers["Vary"]) == (path == "/simple/")  # private projects are on the list


@pytest.mark.parametrize("path", ["/simple/", PAGE])
@pytest.mark.parametrize("coding", [*CODINGS, "identity"])
def test_what_has_not_changed_is_not_sent_again_in_any_coding(
    app: Flask, browser: Browser, token: str, path: str, coding: str
) -> None:
    etag = ask(browser, path, coding).headers["ETag"]
    again = ask(browser, path, coding, **{"If-None-Match": etag})
    other = ask(browser, path, "gzip" if coding != "gzip" else "br", **{"If-None-Match": etag})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize("coding", CODINGS)
def test_head_tells_the_length_of_the_kept_page(browser: Browser, token: str, coding: str) -> None:
    headers = {"Accept": JSON, "Accept-Encoding": coding}

    head = browser.client.head(PAGE, base_url=browser.base_url, headers=headers, buffered=True)

    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(ask(browser, PAGE, coding).data))


def test_a_change_is_seen_at_once_in_every_coding(app: Flask, browser: Browser, token: str) -> None:
    upload(app, token, an_sdist())

    for coding in CODINGS:
        assert an_sdist().filename.encode() in unpacked(ask(browser, PAGE, coding))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(KeptPage)) == 8


@pytest.mark.parametrize("coding", CODINGS)
def test_a_name_that_is_only_reserved_comes_as_it_is(browser: Browser, people: People, coding: str) -> None:
    people.a_project("acme-next", people.a_member("bo"))

    answer = ask(browser, "/simple/acme-next/", coding)

    assert answer.json is not None
    assert answer.json["files"] == []
    assert "Content-Encoding" not in answer.headers


def test_the_list_follows_every_name_that_comes_and_goes(app: Flask, browser: Browser, people: People) -> None:
    """It is kept in memory, and yet never old."""
    ana, other = people.a_member("ana"), Browser(app)
    browser.sign_in(ana)
    seen = [other.get("/simple/").text.count("<a ")]

    for name in ("acme-one", "acme-two"):
        browser.submit("/manage/projects/create/", name=name)
        seen.append(other.get("/simple/").text.count("<a "))
    browser.submit("/manage/project/acme-two/settings/delete", confirm="acme-two")
    seen.append(other.get("/simple/").text.count("<a "))
    upload(app, people.a_token(ana)[1], a_wheel("acme-three"), name="acme-three")
    seen.append(other.get("/simple/").text.count("<a "))

    assert seen == [0, 1, 2, 1, 2]


def test_the_list_is_rendered_once_for_each_change(browser: Browser, token: str) -> None:
    for coding in (*CODINGS, "identity"):
        ask(browser, "/simple/", coding)

    with statements() as asked:
        for coding in (*CODINGS, "identity"):
            ask(browser, "/simple/", coding)

    assert asked == []  # whether it has changed is asked past the session


def test_the_list_is_the_present_one_for_a_reader_who_was_looked_up_before_it_changed(
    app: Flask, token: str, clock: SettableClock
) -> None:
    """Who reads an index for members is asked first, and a project may come while the answer is on its way."""
    db.session.rollback()
    db.session.info["reading"] = True
    assert db.session.scalars(sa.select(Project.name)).all() == ["acme-utils"]  # this session sees no more than that

    def another_comes() -> None:
        with app.app_context():
            people = People(app, clock)
            people.a_project("tide-charts", people.a_member("bo"))
            name_list.changed(db.session(), "tide-charts")
            db.session.commit()

    other = threading.Thread(target=another_comes)
    other.start()
    other.join()
    page = NameList().page(db.session, quick_reads.changes(db.engine), Format.HTML, Coding.IDENTITY)

    assert b"tide-charts" in page.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/simple/missing/", 404),
        ("GET", "/simple/acme-utils/1.0/", 404),
        ("POST", "/simple/acme-utils/", 405),
        ("GET", "/packages/aa/bb/x.whl", 404),
        ("POST", "/pypi/acme-utils/json", 405),
        ("GET", "/pypi/missing/json/", 404),
        ("GET", "/pypi/acme-utils", 404),
        ("DELETE", "/rss/updates.xml", 405),
        ("GET", "/rss/nothing.xml", 404),
        ("GET", "/integrity/acme-utils/1.0/x.whl/provenance", 404),
        ("GET", "/api/nothing", 404),
    ],
)
def test_programs_are_never_sent_a_page(browser: Browser, token: str, method: str, path: str, status: int) -> None:
    answer = browser._send(method, path, headers={"Accept": "text/html"})

    assert answer.status_code == status
    assert answer.mimetype in ("text/plain", "application/json")
    assert "<" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/pypi/acme-utils/json/", "/pypi/acme-utils/1.0/json/"])
def test_the_final_slash_makes_no_difference_to_the_json(browser: Browser, token: str, path: str) -> None:
    assert browser.get(path).json == browser.get(path.removesuffix("/")).json


@pytest.mark.parametrize(
    "path", ["/simple/Acme_Utils/", "/pypi/Acme_Utils/json", "/rss/project/Acme_Utils/releases.xml"]
)
def test_where_a_name_is_spelt_otherwise_may_be_kept_for_a_day(browser: Browser, token: str, path: str) -> None:
    answer = browser.get(path)

    assert (answer.status_code, answer.mimetype) == (301, "text/plain")
    assert answer.headers["Location"] == path.replace("Acme_Utils", "acme-utils")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"


@pytest.mark.parametrize("path", ["/simple/", PAGE, "/pypi/acme-utils/json", "/rss/updates.xml"])
def test_scripts_on_other_sites_may_read_what_is_public(browser: Browser, token: str, path: str) -> None:
    assert browser.get(path, headers={"Origin": "https://docs.example"}).headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in browser.get("/project/acme-utils/").headers


def test_an_upload_waits_for_no_other_projects_pages(app: Flask, token: str, clock: SettableClock) -> None:
    """The list of names is touched when a project appears, and not by each of its files."""
    clock.advance(timedelta(days=1))

    with statements() as asked:
        upload(app, token, a_wheel(version="1.1"))

    assert [text for text in asked if "catalogue" in text] == []
