"""Simple pages that nginx sends from the static tree: the same answers as from the application, and as new."""

import shutil
from email.utils import formatdate

import pytest

from tests.clients.site import FIREFOX, JSON, PAGE, PIP, UV, V1_HTML, Site
from tests.uploading import authorized

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("accept", [PIP, UV, JSON, JSON.upper(), "text/html", "*/*", None])
@pytest.mark.parametrize("path", [PAGE, f"{PAGE}?from=here", "/simple/"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_installers_ask_for_is_answered_from_the_tree_as_by_the_application(
    site: Site, accept: str | None, path: str, coding: str, method: str
) -> None:
    headers = {"Accept_Encoding": coding, **({"Accept": accept} if accept is not None else {})}

    by_nginx, behind = site.ask(path, method, **headers), site.ask_behind(path, method, **headers)

    assert by_nginx.told == behind.told
    assert by_nginx.status == 200
    assert by_nginx.is_from_the_tree
    assert not behind.is_from_the_tree


@pytest.mark.parametrize(
    "accept",
    [
        FIREFOX,
        V1_HTML,
        f"{V1_HTML}, text/html;q=0.1",
        f"{JSON};q=0.1, text/html",
        f"{JSON};q=0, text/html",
        f"text/html, {JSON}",
        f"text/html;q=0.1, {JSON}",
        f"{JSON}x",
        f"x{JSON}, text/html",
        "application/vnd.pypi.simple.latest+json",
        "application/json",
        "text/*",
        "text/html;q=0",
        ";;;,q=",
        "é",
    ],
)
@pytest.mark.parametrize("path", [PAGE, "/simple/"])
def test_wishes_that_are_to_be_weighed_are_the_applications_to_weigh(site: Site, accept: str, path: str) -> None:
    by_nginx, behind = site.ask(path, Accept=accept), site.ask_behind(path, Accept=accept)

    assert by_nginx.told == behind.told
    assert not by_nginx.is_from_the_tree


@pytest.mark.parametrize(
    "path",
    [
        "/simple",
        "/simple/Acme_Utils/",
        "/simple/acme.utils/",
        "/simple/ACME-UTILS/",
        "/simple/acme-utils",
        "/simple//acme-utils/",
        "/simple/%61cme-utils/",
        "/simple/nothing/../acme-utils/",
        "/simple/nothing/%2e%2e/acme-utils/",
        "/simple/./acme-utils/",
        "/simple/acme-utils/index.json",
        "/simple/acme-utils/index.html.gz",
        "/simple/index.json",
        "/simple/none",
        "/simple/acme--utils/",
        "/simple/-acme-utils/",
        "/simple/acme-utils%0a/",
        "/simple/nothing-here/",
        "/open/simple/acme-utils/index.json",
        "/members/simple/acme-utils/index.json",
        "/simple/../open/simple/acme-utils/index.json",
    ],
)
def test_another_spelling_is_the_applications_to_judge(site: Site, path: str) -> None:
    by_nginx, behind = site.ask(path, Accept=JSON), site.ask_behind(path, Accept=JSON)

    assert by_nginx.told == behind.told
    assert not by_nginx.is_from_the_tree


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_whatever_does_not_read_is_the_applications_to_answer(site: Site, method: str) -> None:
    by_nginx, behind = (asked(PAGE, method, Content_Length="0") for asked in (site.ask, site.ask_behind))

    assert by_nginx.told == behind.told


@pytest.mark.parametrize("path", [PAGE, "/simple/"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_what_a_client_has_is_not_sent_again(site: Site, path: str, coding: str) -> None:
    first = site.ask(path, Accept=PIP, Accept_Encoding=coding)
    other = site.ask(path, Accept="text/html", Accept_Encoding=coding)
    again = site.ask(path, Accept=PIP, Accept_Encoding=coding, If_None_Match=first["ETag"])
    not_that = site.ask(path, Accept=PIP, Accept_Encoding=coding, If_None_Match=other["ETag"])

    assert (again.status, again.body) == (304, b"")
    assert [again[name] for name in ("ETag", "Vary", "Cache-Control")] == [
        first[name] for name in ("ETag", "Vary", "Cache-Control")
    ]
    assert (not_that.status, not_that.body) == (200, first.body)


def test_each_representation_has_an_etag_of_its_own_and_no_time(site: Site) -> None:
    wishes = [(accept, coding) for accept in (JSON, "text/html") for coding in ("identity", "gzip")]
    answers = [site.ask(PAGE, Accept=accept, Accept_Encoding=coding) for accept, coding in wishes]

    assert len({answer["ETag"] for answer in answers}) == 4
    assert {answer["Last-Modified"] for answer in answers} == {""}
    assert {answer["Accept-Ranges"] for answer in answers} == {""}


def test_times_and_parts_are_not_asked_for_in_vain(site: Site) -> None:
    stamp = (site.pages / "open/simple/acme-utils/index.json").stat().st_mtime

    by_time = site.ask(PAGE, Accept=JSON, If_Modified_Since=formatdate(stamp, usegmt=True))
    part = site.ask(PAGE, Accept=JSON, Range="bytes=0-3")

    assert (by_time.status, part.status) == (200, 200)


def test_the_list_of_somebody_with_credentials_is_the_applications(site: Site) -> None:
    credentials = authorized(site.reads)["Authorization"]

    answer = site.ask("/simple/", Accept=JSON, Authorization=credentials)

    assert answer.told == site.ask_behind("/simple/", Accept=JSON, Authorization=credentials).told
    assert not answer.is_from_the_tree
    assert site.ask(PAGE, Accept=JSON, Authorization=credentials).is_from_the_tree


def test_an_upload_a_yank_and_a_reason_are_there_with_the_answer(site: Site) -> None:
    site.publish("tide-tables")
    first = site.ask("/simple/tide-tables/", Accept=JSON)
    site.publish("tide-tables", "2.0")
    second = site.ask("/simple/tide-tables/", Accept=JSON, If_None_Match=first["ETag"])
    site.as_ana("/manage/project/tide-tables/release/2.0/yank", reason="Loses data")
    third = site.ask("/simple/tide-tables/", Accept=JSON, If_None_Match=second["ETag"])
    site.as_ana("/manage/project/tide-tables/release/2.0/yank", reason="Eats money")
    fourth = site.ask("/simple/tide-tables/", Accept=JSON, If_None_Match=third["ETag"])

    assert [answer.status for answer in (first, second, third, fourth)] == [200] * 4
    assert [answer.is_from_the_tree for answer in (first, second, third, fourth)] == [True] * 4
    assert second.body.count(b'"filename"') == 2
    assert b"Loses data" in third.body
    assert b"Eats money" in fourth.body


def test_a_project_that_turns_private_is_no_project_to_strangers_at_once(site: Site) -> None:
    path = site.publish("deep-sea")
    page = site.ask("/simple/deep-sea/", Accept=JSON)
    site.as_ana("/manage/project/deep-sea/settings/readers", is_private="yes")
    gone, nothing = site.ask("/simple/deep-sea/", Accept=JSON), site.ask("/simple/nothing-here/", Accept=JSON)
    credentials = authorized(site.reads)["Authorization"]
    hers = site.ask("/simple/deep-sea/", Accept=JSON, Authorization=credentials)
    listed = site.ask("/simple/", Accept=JSON)

    assert page.is_from_the_tree
    assert (gone.status, gone.told) == (404, nothing.told)
    assert hers.body == page.body
    assert hers["Cache-Control"] == "private, no-cache"
    assert b"deep-sea" not in listed.body
    assert site.ask(path).status == site.ask(f"{path}.metadata").status == 404
    assert site.ask(path, Authorization=credentials)["Cache-Control"].startswith("private, ")


def test_a_deleted_project_is_gone_at_once(site: Site) -> None:
    site.publish("short-lived")
    before = site.ask("/simple/short-lived/", Accept=JSON)
    site.as_ana("/manage/project/short-lived/settings/delete", confirm="short-lived")

    assert before.is_from_the_tree
    assert site.ask("/simple/short-lived/", Accept=JSON).status == 404
    assert b"short-lived" not in site.ask("/simple/", Accept=JSON).body


def test_a_page_that_is_missing_in_the_tree_is_the_applications(site: Site) -> None:
    site.publish("half-written")
    shutil.rmtree(site.pages / "open/simple/half-written")

    answer = site.ask("/simple/half-written/", Accept=JSON)

    assert answer.told == site.ask_behind("/simple/half-written/", Accept=JSON).told
    assert answer.status == 200
