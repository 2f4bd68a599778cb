"""The pages that installers read, and which form of them a client gets."""

import timeit
from datetime import UTC, datetime, timedelta, timezone

import html5lib
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.index.simple import (
    Format,
    Rendered,
    SimpleFile,
    index_html,
    index_json,
    negotiate,
    project_html,
    project_json,
)

SHA256 = "ab" * 32
WHEEL = SimpleFile(
    filename="acme_utils-1.0-py3-none-any.whl",
    url="/packages/ab/ab/rest/acme_utils-1.0-py3-none-any.whl",
    version="1.0",
    sha256=SHA256,
    size_bytes=1234,
    uploaded_at=datetime(2026, 11, 22, 14, 5, tzinfo=UTC),
    requires_python=">=3.9,<4",
    yanked_reason=None,
    metadata_sha256="cd" * 32,
)
SDIST = WHEEL._replace(
    filename="acme_utils-1.0.tar.gz", url="/packages/x.tar.gz", requires_python=None, metadata_sha256=None
)


def released(version: str) -> SimpleFile:
    return SDIST._replace(version=version, filename=f"acme_utils-{version}.tar.gz")


def links(page: Rendered) -> list[dict[str, str]]:
    """The attributes of all links, each with its text, as a strict HTML parser reads them."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.body.decode())
    return [{**link.attrib, "text": link.text} for link in tree.iter("a")]


def test_the_html_page_of_a_project_tells_installers_all_they_need() -> None:
    page = project_html("acme-utils", [WHEEL, SDIST])

    assert b'<meta name="pypi:repository-version" content="1.4">' in page.body
    assert b'<meta name="pypi:project-status" content="active">' in page.body
    assert links(page) == [
        {
            "href": f"/packages/ab/ab/rest/acme_utils-1.0-py3-none-any.whl#sha256={SHA256}",
            "data-requires-python": ">=3.9,<4",
            "data-core-metadata": f"sha256={'cd' * 32}",
            "data-dist-info-metadata": f"sha256={'cd' * 32}",
            "text": "acme_utils-1.0-py3-none-any.whl",
        },
        {"href": f"/packages/x.tar.gz#sha256={SHA256}", "text": "acme_utils-1.0.tar.gz"},
    ]


def test_the_json_page_of_a_project_tells_installers_all_they_need() -> None:
    page = project_json("acme-utils", [WHEEL, SDIST])

    assert orjson.loads(page.body) == {
        "meta": {"api-version": "1.4"},
        "name": "acme-utils",
        "project-status": {"status": "active"},
        "versions": ["1.0"],
        "files": [
            {
                "filename": "acme_utils-1.0-py3-none-any.whl",
                "url": "/packages/ab/ab/rest/acme_utils-1.0-py3-none-any.whl",
                "hashes": {"sha256": SHA256},
                "requires-python": ">=3.9,<4",
                "size": 1234,
                "upload-time": "2026-11-22T14:05:00.000000Z",
                "yanked": False,
                "core-metadata": {"sha256": "cd" * 32},
                "data-dist-info-metadata": {"sha256": "cd" * 32},
            },
            {
                "filename": "acme_utils-1.0.tar.gz",
                "url": "/packages/x.tar.gz",
                "hashes": {"sha256": SHA256},
                "size": 1234,
                "upload-time": "2026-11-22T14:05:00.000000Z",
                "yanked": False,
                "core-metadata": False,
                "data-dist-info-metadata": False,
            },
        ],
    }


@pytest.mark.parametrize(("reason", "told"), [("", True), ('broken "on" <Windows>', 'broken "on" <Windows>')])
def test_a_yanked_file_is_marked_with_its_reason(reason: str, told: bool | str) -> None:
    files = [WHEEL._replace(yanked_reason=reason)]

    assert orjson.loads(project_json("acme-utils", files).body)["files"][0]["yanked"] == told
    assert links(project_html("acme-utils", files))[0]["data-yanked"] == reason


def test_upload_times_are_told_in_utc() -> None:
    uploaded_at = datetime(2026, 11, 22, 16, 5, 1, 250, tzinfo=timezone(timedelta(hours=2)))

    page = project_json("acme-utils", [WHEEL._replace(uploaded_at=uploaded_at)])

    assert orjson.loads(page.body)["files"][0]["upload-time"] == "2026-11-22T14:05:01.000250Z"


def test_nothing_in_a_file_can_break_out_of_the_page() -> None:
    evil = '"><script>alert(1)</script>&'
    file = WHEEL._replace(filename=evil, url=evil, requires_python=evil, yanked_reason=evil)

    page = project_html(evil, [file])

    assert b"<script>" not in page.body
    assert links(page)[0]["text"] == evil


def test_a_project_without_files_has_a_page() -> None:
    assert orjson.loads(project_json("acme-utils", []).body)["files"] == []
    assert links(project_html("acme-utils", [])) == []


def test_the_index_lists_all_projects() -> None:
    names = [("acme-utils", "Acme.Utils"), ("tide-charts", "tide-charts")]

    assert links(index_html(names)) == [
        {"href": "/simple/acme-utils/", "text": "Acme.Utils"},
        {"href": "/simple/tide-charts/", "text": "tide-charts"},
    ]
    assert orjson.loads(index_json(names).body) == {
        "meta": {"api-version": "1.4"},
        "projects": [{"name": "Acme.Utils"}, {"name": "tide-charts"}],
    }


def test_an_etag_is_strong_and_changes_with_the_page() -> None:
    one, same, other = (project_json("acme-utils", files) for files in ([WHEEL, SDIST], [WHEEL, SDIST], [WHEEL]))

    assert one.etag.startswith('"')
    assert one.etag.endswith('"')
    assert len(one.etag) <= 80
    assert one.etag == same.etag != other.etag
    assert project_html("acme-utils", [WHEEL]).etag != other.etag


def test_a_thousand_files_are_rendered_quickly() -> None:
    files = [released(f"1.{number}") for number in range(1000)]

    seconds = min(
        timeit.repeat(
            lambda: (project_html("acme-utils", files), project_json("acme-utils", files)), number=1, repeat=5
        )
    )

    assert seconds < 0.5  # about 0.02 on a machine with nothing else to do


PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"  # pip 26.3
UV = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"  # uv 0.13.9
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Format.PLAIN_HTML),
        ("", Format.PLAIN_HTML),
        ("*/*", Format.PLAIN_HTML),
        ("text/*", Format.PLAIN_HTML),
        (BROWSER, Format.PLAIN_HTML),
        (PIP, Format.JSON),
        (UV, Format.JSON),
        ("application/vnd.pypi.simple.v1+json", Format.JSON),
        ("APPLICATION/VND.PYPI.SIMPLE.V1+JSON", Format.JSON),
        ("application/vnd.pypi.simple.latest+json", Format.JSON),
        ("application/vnd.pypi.simple.v1+html", Format.HTML),
        ("application/*", Format.PLAIN_HTML),
        ("application/vnd.pypi.simple.v1+json, */*", Format.JSON),
        ("application/vnd.pypi.simple.v1+json, */*;q=0.5", Format.JSON),
        ("text/html;q=0.2, application/vnd.pypi.simple.v1+json;q=0.7", Format.JSON),
        ("text/html;q=0, */*", Format.JSON),
        ("application/vnd.pypi.simple.v1+html;q=0, application/*", Format.JSON),
        ("application/vnd.pypi.simple.v1+json;q=0", Format.PLAIN_HTML),
        ("*/*;q=0", Format.PLAIN_HTML),
        ("image/png", Format.PLAIN_HTML),
        ("application/vnd.pypi.simple.v2+json", Format.PLAIN_HTML),
        ("application/vnd.pypi.simple.v1+json;q=high", Format.PLAIN_HTML),
        ("application/vnd.pypi.simple.v1+json;q=-1", Format.PLAIN_HTML),
        ("application/vnd.pypi.simple.v1+json;q=7, text/html", Format.PLAIN_HTML),
        ("application/vnd.pypi.simple.v1+json;q=nan", Format.PLAIN_HTML),
        ("application/vnd.pypi.simple.v1+json;charset=utf-8;q=0.9;x=y", Format.JSON),
        (";;;,,,===", Format.PLAIN_HTML),
    ],
)
def test_a_client_gets_the_form_that_it_likes_best(accept: str | None, form: Format) -> None:
    assert negotiate(accept) is form


@given(
    st.lists(
        st.sampled_from(
            [*(form.value for form in Format), "*/*", "application/*", ";q=", "0.5", "1", ",", ";", " ", "é"]
        )
    )
)
def test_any_header_is_answered(pieces: list[str]) -> None:
    assert negotiate("".join(pieces)) in Format
