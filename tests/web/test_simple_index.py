"""The simple index over HTTP: what pip and uv are told, and how cheaply they are told it again."""

from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from models import Project, db
from tests.browsing import Browser
from tests.builders import People
from tests.packages import a_metadata, a_wheel, an_sdist
from tests.uploading import upload

JSON = "application/vnd.pypi.simple.v1+json"
PIP = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGE = "/simple/acme-utils/"


@pytest.fixture
def token(app: Flask, people: People) -> str:
    """A token of Ana's, with which acme-utils 1.0 was uploaded."""
    _, text = people.a_token(people.a_member("ana"))
    upload(app, text, a_wheel(metadata=a_metadata(Requires_Python=">=3.11")))
    upload(app, text, an_sdist())
    return text


def ask(browser: Browser, path: str, accept: str = JSON, **headers: str) -> TestResponse:
    return browser.get(path, headers={"Accept": accept, **headers})


class Links(HTMLParser):
    """The anchors of a page, as installers read them: by their text, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self._open: dict[str, str | None] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = dict(attrs) if tag == "a" else None

    def handle_data(self, data: str) -> None:
        if self._open is not None and data.strip():
            self.found[data] = self._open


def test_a_projects_files_in_json(browser: Browser, token: str) -> None:
    page = ask(browser, PAGE).json

    assert page is not None
    assert (page["meta"]["api-version"], page["name"], page["versions"]) == ("1.4", "acme-utils", ["1.0"])
    wheel, sdist = page["files"]
    digest = a_wheel(metadata=a_metadata(Requires_Python=">=3.11")).sha256
    assert wheel["filename"] == "acme_utils-1.0-py3-none-any.whl"
    assert wheel["url"] == f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/acme_utils-1.0-py3-none-any.whl"
    assert wheel["hashes"] == {"sha256": digest}
    assert wheel["requires-python"] == ">=3.11"
    assert wheel["upload-time"] == "2026-11-22T14:05:10.000000Z"
    assert set(wheel["core-metadata"]) == {"sha256"}
    assert sdist["size"] == len(an_sdist().content)
    assert sdist["core-metadata"] is False


def test_the_same_in_html(browser: Browser, token: str) -> None:
    links = Links(ask(browser, PAGE, "text/html").text).found

    wheel = links["acme_utils-1.0-py3-none-any.whl"]
    assert str(wheel["href"]).partition("#")[2].startswith("sha256=")
    assert wheel["data-requires-python"] == ">=3.11"
    assert str(wheel["data-core-metadata"]).startswith("sha256=")
    assert set(links["acme_utils-1.0.tar.gz"]) == {"href"}


@pytest.mark.parametrize("path", ["/simple/", PAGE])
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (PIP, JSON),
        (UV, JSON),
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+html; charset=utf-8"),
        (FIREFOX, "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ("image/png", "text/html; charset=utf-8"),
        (";q=;,\x00", "text/html; charset=utf-8"),
    ],
)
def test_each_client_gets_what_it_prefers(
    browser: Browser, token: str, path: str, accept: str, content_type: str
) -> None:
    answer = ask(browser, path, accept)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.headers["Vary"].startswith("Accept, Accept-Encoding")


def test_the_root_lists_all_names_and_reserved_ones_too(browser: Browser, people: People, token: str) -> None:
    people.a_project("Zebra.Crossing", people.a_member("bo"))

    as_json, as_html = ask(browser, "/simple/").json, Links(ask(browser, "/simple/", "text/html").text).found

    assert as_json == {"meta": {"api-version": "1.4"}, "projects": [{"name": "acme-utils"}, {"name": "Zebra.Crossing"}]}
    assert {name: link["href"] for name, link in as_html.items()} == {
        "acme-utils": "/simple/acme-utils/",
        "Zebra.Crossing": "/simple/zebra-crossing/",
    }


@pytest.mark.parametrize("accept", [JSON, "text/html"])
def test_a_reserved_name_has_a_page_without_files(browser: Browser, people: People, accept: str) -> None:
    people.a_project("acme-utils", people.a_member("ana"))

    answer = ask(browser, PAGE, accept)

    assert answer.status_code == 200
    assert "acme-utils" in answer.text
    assert ".whl" not in answer.text


@pytest.mark.parametrize("path", ["/simple/", PAGE])
@pytest.mark.parametrize("accept", [JSON, "text/html"])
def test_what_has_not_changed_is_not_sent_again(browser: Browser, token: str, path: str, accept: str) -> None:
    first = ask(browser, path, accept)

    again = ask(browser, path, accept, **{"If-None-Match": first.headers["ETag"]})

    assert first.headers["ETag"].startswith('"')
    assert (again.status_code, again.data) == (304, b"")
    for name in ("ETag", "Vary", "Cache-Control"):
        assert again.headers[name] == first.headers[name]


def test_a_new_file_is_seen_at_once(app: Flask, browser: Browser, token: str) -> None:
    before = ask(browser, PAGE)
    assert "no-cache" in before.headers["Cache-Control"]

    upload(app, token, a_wheel(version="1.1"))
    after = ask(browser, PAGE, **{"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.json is not None
    assert after.json["versions"] == ["1.0", "1.1"]


@pytest.mark.parametrize("spelling", ["Acme-Utils", "acme_utils", "acme.utils", "ACME--utils"])
def test_another_spelling_leads_to_the_right_one(browser: Browser, token: str, spelling: str) -> None:
    answer = ask(browser, f"/simple/{spelling}/")

    assert (answer.status_code, answer.headers["Location"]) == (301, PAGE)


def test_without_the_last_slash_too(browser: Browser, token: str) -> None:
    answer = ask(browser, "/simple/acme-utils")

    assert (answer.status_code, answer.headers["Location"].removeprefix(browser.base_url)) == (308, PAGE)


@pytest.mark.parametrize("name", ["missing", "%00", "a%0d%0ab", "%E2%80%AEacme", "a" * 3000, "%ff"])
@pytest.mark.parametrize("accept", [JSON, "text/html"])
def test_a_project_that_is_not_here_is_a_plain_404(browser: Browser, token: str, name: str, accept: str) -> None:
    answer = ask(browser, f"/simple/{name}/", accept)

    assert answer.status_code == 404
    assert answer.mimetype == "text/plain"
    assert "<" not in answer.text


def test_head_tells_the_same_without_a_body(browser: Browser, token: str) -> None:
    full = ask(browser, PAGE)

    head = browser.client.head(PAGE, base_url=browser.base_url, headers={"Accept": JSON})

    assert head.data == b""
    for name in ("ETag", "Content-Type", "Content-Length"):
        assert head.headers[name] == full.headers[name]


@pytest.mark.parametrize("path", ["/simple/", PAGE, "/simple/missing/"])
def test_no_cookie_is_looked_at_or_set(browser: Browser, people: People, token: str, path: str) -> None:
    browser.sign_in(db.session.scalars(sa.select(Project)).one().roles[0].user)

    answer = ask(browser, path)

    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("path", ["/simple/", PAGE])
def test_what_strangers_wrote_cannot_act(browser: Browser, token: str, path: str) -> None:
    headers = ask(browser, path, FIREFOX).headers

    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
