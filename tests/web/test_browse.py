"""The public pages: home, search, projects, releases and people."""

import tomllib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from blueprints.wiring import EXTENSION
from domain.index.upload_rules import UploadRules
from models import Project, Release, User, db
from tests.browsing import Browser, Page, wiring_of
from tests.builders import People
from tests.packages import a_metadata, a_wheel, an_sdist
from tests.requirements import requirement
from tests.uploading import upload


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def token(people: People, ana: User) -> str:
    """A token of Ana's for everything."""
    return people.a_token(ana)[1]


def publish(
    app: Flask, token: str, name: str = "acme-utils", version: str = "1.0", *, description: str = "", **fields: Any
) -> None:
    metadata = a_metadata(name, version, description=description, **fields)
    assert upload(app, token, a_wheel(name, version, metadata=metadata), name=name).status == "200 OK"


def names(page: Page) -> list[str]:
    """The projects that a list shows, in its order."""
    items = page.root.findall(".//ul[@class='parcels']/li") or page.root.findall(
        ".//ul[@class='parcels parcels--ruled']/li"
    )
    return ["".join(link.itertext()) for item in items for link in item.iter("a")]


# --- home -------------------------------------------------------------------------------------------------------------


def test_an_empty_index_says_how_the_first_package_comes_in(browser: Browser) -> None:
    page = browser.page("/")

    assert "This index is empty" in page.text
    assert "uv publish --publish-url http://localhost:8000/legacy/" in page.text
    assert "0 projects · 0 releases" in page.text
    assert "/account/register/" in page.links()


def test_home_shows_what_was_updated_last(app: Flask, browser: Browser, clock: SettableClock, token: str) -> None:
    for name in ("first", "second", "third"):
        publish(app, token, name, Summary=f"The {name} one")
        clock.advance(timedelta(days=1))
    publish(app, token, "first", "2.0a1")

    page = browser.page("/")

    assert names(page) == ["first", "third", "second"]
    assert "3 projects · 4 releases" in page.text
    assert "The second one" in page.text
    assert "This index is empty" not in page.text


def test_home_leaves_out_names_that_are_only_reserved(browser: Browser, people: People, ana: User) -> None:
    people.a_project("acme-utils", ana)

    assert "acme-utils" not in browser.page("/").text


@pytest.mark.parametrize("path", ["/", "/project/acme-utils/", "/search/"])
def test_no_command_looks_at_two_indexes_at_once(app: Flask, browser: Browser, token: str, path: str) -> None:
    publish(app, token)

    page = browser.page(path)

    assert "extra-index-url" not in page.html
    assert "supplemental" not in page.html


@pytest.mark.parametrize(
    ("path", "wanted"), [("/project/acme-utils/", "acme-utils"), ("/project/acme-utils/1.0/", "acme-utils==1.0")]
)
def test_a_project_says_how_each_installer_takes_it_from_this_index(
    app: Flask, browser: Browser, token: str, path: str, wanted: str
) -> None:
    publish(app, token)
    simple_url = "http://localhost:8000/simple/"

    page = browser.page(path)

    group = page.root.find(".//div[@class='install']")
    assert group is not None
    tools = ["".join(label.itertext()) for label in group.iter("label")]
    texts = ["".join(code.itertext()) for code in group.iter("code")]
    assert tools == ["pip", "uv", "poetry", "pdm", "hatch"]
    assert all(simple_url in text and wanted in text for text in texts)
    assert texts[3] == f"pdm config --local pypi.url {simple_url}\npdm add {wanted}"
    environment = tomllib.loads(texts[4])["tool"]["hatch"]["envs"]["default"]
    assert environment["dependencies"] == [wanted]
    assert environment["env-vars"] == {"PIP_INDEX_URL": simple_url, "UV_DEFAULT_INDEX": simple_url}


def test_clients_are_pointed_at_this_index(browser: Browser) -> None:
    text = browser.page("/").text

    for words in (
        'url = "http://localhost:8000/simple/" publish-url = "http://localhost:8000/legacy/"',
        "pip config set global.index-url",
        "repository = http://localhost:8000/legacy/ username = __token__",
        "poetry config repositories.team",
    ):
        assert words in text


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(app: Flask, token: str, clock: SettableClock) -> None:
    """Four projects, uploaded one day after the other."""
    for name, summary in (
        ("tide", "Tables of tides"),
        ("tide-charts", "Draws tables as SVG"),
        ("ebb-tide", "When it falls"),
        ("lantern", "Lights for TIDE gauges, 100% bright"),
    ):
        publish(app, token, name, Summary=summary)
        clock.advance(timedelta(days=1))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=tide", ["tide", "tide-charts", "ebb-tide", "lantern"]),
        ("q=TIDE", ["tide", "tide-charts", "ebb-tide", "lantern"]),
        ("q=tide&o=name", ["ebb-tide", "lantern", "tide", "tide-charts"]),
        ("q=tide&o=-updated", ["lantern", "ebb-tide", "tide-charts", "tide"]),
        ("q=Tide_Charts", ["tide-charts"]),
        ("q=tide+charts", ["tide-charts"]),
        ("q=tables", ["tide", "tide-charts"]),
        ("q=tables+svg", ["tide-charts"]),
        ("q=100%25", ["lantern"]),
        ("q=%25", []),
        ("q=t%25e", ["ebb-tide"]),
        ("q=l_nt", []),
        ("", ["ebb-tide", "lantern", "tide", "tide-charts"]),
        ("q=++", ["ebb-tide", "lantern", "tide", "tide-charts"]),
        ("o=-updated", ["lantern", "ebb-tide", "tide-charts", "tide"]),
        ("q=nothing", []),
        ("q=%00tide%0a", ["tide", "tide-charts", "ebb-tide", "lantern"]),
        ("q=%27%3B+DROP+TABLE", []),
        ("q=%f0%9f%8c%8a", []),
        ("q=%ff", []),
    ],
)
def test_search_finds_by_name_and_summary(browser: Browser, query: str, found: list[str]) -> None:
    page = browser.page(f"/search/?{query}")

    assert names(page) == found
    assert f"{len(found)} found" in page.text


def test_nothing_found_says_what_this_index_is(browser: Browser) -> None:
    page = browser.page("/search/?q=requests")

    assert "Nothing found for “requests”" in page.text
    assert "does not mirror PyPI" in page.text


@requirement("R105")
def test_results_come_twenty_a_page(browser: Browser, people: People, ana: User) -> None:
    for number in range(45):
        people.a_project(f"acme-{number:02}", ana)

    first, last = browser.page("/search/?q=acme"), browser.page("/search/?q=acme&page=3")

    assert names(first) == [f"acme-{number:02}" for number in range(20)]
    assert names(last) == [f"acme-{number:02}" for number in range(40, 45)]
    assert "page 1 of 3" in first.text
    assert "/search/?page=2&q=acme" in first.links()
    assert "Reserved" in first.text


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "1.5", "²", "9" * 400, "%00", ""])
def test_a_page_that_there_is_not_is_not_found(browser: Browser, page: str) -> None:
    assert browser.page(f"/search/?page={page}", status=404).h1 == "Nothing here"


def test_an_order_that_there_is_not_is_not_found(browser: Browser) -> None:
    browser.page("/search/?o=price", status=404)


@requirement("R105")
def test_a_query_that_is_too_long_is_said_to_be(browser: Browser) -> None:
    page = browser.page(f"/search/?q={'a' * 900}", status=422)

    assert "The limit is 200 characters" in page.text
    assert page.title.startswith("Error: ")


def test_what_was_searched_for_is_shown_as_text(browser: Browser) -> None:
    page = browser.page("/search/?q=%3Cscript%3Ealert(1)%3C/script%3E")

    assert "<script>alert" not in page.html
    assert "Projects for “<script>alert(1)</script>”" in page.h1


# --- projects ---------------------------------------------------------------------------------------------------------


def test_a_project_page_shows_its_latest_release(app: Flask, browser: Browser, token: str) -> None:
    for version in ("1.0", "1.10", "1.9", "2.0rc1"):
        publish(app, token, version=version, Summary=f"About {version}", Requires_Python=">=3.11")

    page = browser.page("/project/acme-utils/")

    assert page.h1 == "acme-utils"
    assert page.title.startswith("acme-utils 1.10")
    assert "pkg:pypi/acme-utils@1.10" in page.text
    assert "About 1.10" in page.text
    assert "Python 3.11 and newer" in page.text
    assert "Uploaded by ana with an API token." in page.text
    assert "pip install --index-url http://localhost:8000/simple/ acme-utils" in page.text
    assert "acme-utils==" not in page.text
    assert "Pre-release" not in page.text


def test_a_release_page_pins_its_version_and_names_the_latest(app: Flask, browser: Browser, token: str) -> None:
    publish(app, token, version="1.0")
    publish(app, token, version="1.1")

    page = browser.page("/project/acme-utils/1.0/")

    assert "acme-utils==1.0" in page.text
    assert "This is not the latest release. See 1.1." in page.text
    assert "not the latest" not in browser.page("/project/acme-utils/1.1/").text


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/project/Acme.Utils/", "/project/acme-utils/"),
        ("/project/Acme.Utils/?tab=files", "/project/acme-utils/?tab=files"),
        ("/project/acme_utils/1.0/", "/project/acme-utils/1.0/"),
        ("/project/acme-utils/1.0.0/", "/project/acme-utils/1.0/"),
        ("/project/acme-utils/v1.0/?tab=history", "/project/acme-utils/1.0/?tab=history"),
        ("/project/Acme.Utils/?_external=1&_scheme=javascript&_anchor=x", "/project/acme-utils/"),
    ],
)
def test_other_spellings_lead_to_the_right_address(
    app: Flask, browser: Browser, token: str, path: str, right: str
) -> None:
    publish(app, token)

    answer = browser.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (301, right)


@pytest.mark.parametrize(
    "path",
    [
        "/project/missing/",
        "/project/%00/",
        "/project/a%0ab/",
        "/project/%e2%80%ae/",
        "/project/acme-utils/9.9/",
        "/project/acme-utils/%00/",
        "/project/acme-utils/one/",
        "/project/acme-utils/" + "1" * 2000 + "/",
        "/project/acme-utils/?tab=secrets",
        "/user/nobody/",
        "/user/%00/",
        "/user/" + "a" * 2000 + "/",
    ],
)
def test_what_is_not_here_is_a_404_in_words(app: Flask, browser: Browser, token: str, path: str) -> None:
    publish(app, token)

    assert browser.page(path, status=404).h1 == "Nothing here"


def test_a_reserved_name_says_that_there_is_nothing_yet(browser: Browser, people: People, ana: User) -> None:
    people.a_project("acme-utils", ana)

    page = browser.page("/project/acme-utils/")

    assert "Reserved" in page.h1
    assert "No release yet" in page.text
    assert "pip install" not in page.text
    assert "/user/ana/" in page.links()


def test_the_files_tab_lists_what_can_be_downloaded(app: Flask, browser: Browser, token: str) -> None:
    publish(app, token)
    upload(app, token, an_sdist())

    page = browser.page("/project/acme-utils/?tab=files")

    files = [link for link in page.links() if link.startswith("/packages/")]
    assert [link.rpartition("/")[2] for link in files] == ["acme_utils-1.0-py3-none-any.whl", "acme_utils-1.0.tar.gz"]
    assert an_sdist().sha256 in page.text
    assert "Wheel for any Python 3" in page.text
    assert browser.get(files[1]).data == an_sdist().content


def test_the_history_tab_marks_what_is_special(app: Flask, browser: Browser, token: str, clock: SettableClock) -> None:
    for version in ("1.0", "1.1", "2.0b1"):
        publish(app, token, version=version)
    statement = sa.update(Release).where(Release.version == "1.1")
    db.session.execute(statement.values(yanked_at=clock.now(), yanked_reason="It lost bookings."))
    db.session.commit()

    page = browser.page("/project/acme-utils/?tab=history")

    lines = [" ".join("".join(item.itertext()).split()) for item in page.root.findall(".//ol/li")]
    assert lines == [
        "2.0b1 Pre-release22 Nov 2026 · 1 file",
        "1.1 Yanked22 Nov 2026 · 1 fileIt lost bookings.",
        "1.0 22 Nov 2026 · 1 file".replace("1.0 ", "1.0"),
    ]


def test_a_yanked_release_says_so_and_why(app: Flask, browser: Browser, token: str, clock: SettableClock) -> None:
    publish(app, token, version="1.0")
    publish(app, token, version="1.1")
    db.session.execute(sa.update(Release).values(yanked_at=clock.now(), yanked_reason="It lost bookings."))
    db.session.commit()

    page = browser.page("/project/acme-utils/1.1/")

    assert "This release was withdrawn. It lost bookings." in page.text


def test_the_dependencies_tab_links_what_is_here(app: Flask, browser: Browser, token: str) -> None:
    app.extensions[EXTENSION] = replace(wiring_of(app), upload_rules=UploadRules(takes_direct_urls=True))
    publish(app, token, "acme-core")
    needs = ["Acme_Core>=1", "click[color]>=8,<9; extra == 'cli'", "other @ https://example.org/other.whl"]
    publish(app, token, Requires_Dist=needs)

    page = browser.page("/project/acme-utils/?tab=dependencies")

    assert "/project/acme-core/" in page.links()
    assert "[color] <9,>=8" in page.text
    assert 'extra == "cli"' in page.text
    assert "https://example.org/other.whl" in page.text
    assert "always" in page.text


def test_a_release_without_dependencies_says_so(app: Flask, browser: Browser, token: str) -> None:
    publish(app, token)

    assert "1.0 needs nothing but Python." in browser.page("/project/acme-utils/?tab=dependencies").text


def test_a_description_is_rendered_and_cannot_act(app: Flask, browser: Browser, token: str) -> None:
    description = (
        "# Größe\n\n**Bold** [link](https://example.org) <script>alert(1)</script>"
        " <b onclick=x>b</b> <style>*{}</style> [bad](javascript:alert(1)) <form action=/manage/><input name=q></form>"
        " <div class='stop' id='stop' style='x'>Action needed</div>\n"
    )
    publish(app, token, description=description, Description_Content_Type="text/markdown")

    page = browser.page("/project/acme-utils/")

    assert "<strong>Bold</strong>" in page.html
    assert "Größe" in page.text
    assert page.stop is None
    prose = page.root.find(".//div[@class='prose']")
    assert prose is not None
    assert not {element.tag for element in prose.iter()} & {"script", "style", "form", "input"}
    assert "javascript:" not in page.html


def test_a_summary_is_text_and_never_html(app: Flask, browser: Browser, token: str) -> None:
    publish(app, token, Summary="<img src=x> & <b>bold</b>")

    for path in ("/", "/search/", "/project/acme-utils/", "/user/ana/"):
        page = browser.page(path)
        assert "<img src=x> & <b>bold</b>" in page.text, path
        assert "<img src=x>" not in page.html, path


def test_links_lead_to_the_web_only_and_say_nothing_of_where_one_comes_from(
    app: Flask, browser: Browser, token: str
) -> None:
    publish(app, token)
    db.session.execute(sa.update(Release).values(core_metadata={"project_urls": STORED_LINKS}))
    db.session.commit()

    page = browser.page("/project/acme-utils/")

    links = {"".join(link.itertext()): link for link in page.root.iter("a")}
    assert links["Source"].get("href") == "https://example.org/src"
    assert links["Source"].get("rel") == "nofollow noopener noreferrer"
    assert "Evil" not in links


STORED_LINKS = {"Source": "https://example.org/src", "Evil": "javascript:alert(1)", "Data": "data:text/html,x"}


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"License_Expression": "MIT"}, "Licence MIT"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "Licence MIT License"),
        ({"License": "BSD"}, "Licence BSD"),
        ({"License": "Permission is hereby granted, " * 5}, "Licence not stated"),
        ({}, "Licence not stated"),
        ({"Requires_Python": ">=3.9,!=3.10.*"}, "Python !=3.10.*,>=3.9"),
        ({"Requires_Python": ">= 3.12"}, "Python 3.12 and newer"),
        ({}, "Python any"),
        ({"Keywords": "tides,tables"}, "Keywords tides, tables"),
    ],
)
def test_facts_are_said_in_words(app: Flask, browser: Browser, token: str, fields: dict[str, str], shown: str) -> None:
    publish(app, token, **fields)

    page = browser.page("/project/acme-utils/")

    facts = page.root.find(".//dl[@class='facts']")
    assert facts is not None
    pairs = ["".join(each.itertext()) for each in facts]
    assert shown in [" ".join(pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)]


def test_only_who_has_a_part_is_led_to_its_management(app: Flask, people: People, token: str, ana: User) -> None:
    publish(app, token)
    manage = "/manage/project/acme-utils/releases/"
    hers, theirs = Browser(app).sign_in(ana), Browser(app).sign_in(people.a_member("bo"))

    assert manage in hers.page("/project/acme-utils/").links()
    assert manage not in theirs.page("/project/acme-utils/").links()
    assert manage not in Browser(app).page("/project/acme-utils/").links()


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_person_is_shown_with_their_projects_and_nothing_private(
    app: Flask, browser: Browser, people: People, token: str, ana: User
) -> None:
    publish(app, token, Summary="Small tools")
    people.a_project("reserved-one", db.session.merge(ana))

    page = browser.page("/user/ana/")

    assert page.h1 == "ana"
    assert sorted(names(page)) == ["acme-utils", "reserved-one"]
    assert "here since 22 Nov 2026" in page.text
    for private in ("mail.example", "authenticator", "second factor", "My phone", "token"):
        assert private not in page.text.partition("Two-factor policy")[0], private


def test_a_person_without_projects_has_a_page(browser: Browser, ana: User) -> None:
    assert "Nothing published here yet" in browser.page("/user/ana/").text


def test_a_username_is_found_in_any_case(browser: Browser, people: People) -> None:
    people.a_user("Bo").build()

    answer = browser.get("/user/bO/")

    assert (answer.status_code, answer.headers["Location"]) == (301, "/user/Bo/")


@pytest.mark.parametrize("path", ["/", "/search/?q=acme", "/project/acme-utils/", "/user/ana/"])
def test_public_pages_change_nothing_and_set_no_cookie(app: Flask, browser: Browser, token: str, path: str) -> None:
    publish(app, token)
    before = db.session.scalars(sa.select(Project)).one().updated_at

    answer = browser.get(path)

    assert "Set-Cookie" not in answer.headers
    assert db.session.scalars(sa.select(Project)).one().updated_at == before


@pytest.mark.parametrize(
    "path",
    [
        "/search/?q=%00",
        "/search/?q=%ff%5c%27&o=-updated",
        "/project/%00/",
        "/project/acme-utils/%00/",
        "/user/%00%ff/",
        "/simple/%00/",
        "/packages/aa/bb/" + "c" * 60 + "/%00.whl",
    ],
)
def test_signs_that_one_database_does_not_take_break_neither(
    either_app: Flask, clock: SettableClock, path: str
) -> None:
    people = People(either_app, clock)
    people.a_project("acme-utils", people.a_member("ana"))

    assert Browser(either_app).get(path).status_code in (200, 404)


def test_search_is_the_same_on_both_databases(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    _, token = people.a_token(people.a_member("ana"))
    for name in ("tide", "tide-charts", "ebb-tide"):
        publish(either_app, token, name, Summary="100% of Tides")

    browser = Browser(either_app)

    assert names(browser.page("/search/?q=TIDE")) == ["tide", "tide-charts", "ebb-tide"]
    assert names(browser.page("/search/?q=100%25+tides&o=-updated")) == ["ebb-tide", "tide", "tide-charts"]
    assert names(browser.page("/search/?q=t_de")) == []
