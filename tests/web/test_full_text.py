"""Searching in all that a project says of itself, the same on both databases, and always as it stands now."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from adapters.clock import SettableClock
from domain.index.search_texts import words
from models import Project, SearchText, User, db
from tests.browsing import Browser, Page
from tests.builders import People
from tests.packages import a_metadata, a_wheel
from tests.uploading import upload


class Shelf:
    """An index on either database, to be filled and searched."""

    def __init__(self, app: Flask, clock: SettableClock) -> None:
        self.app, self.clock, self.people, self.browser = app, clock, People(app, clock), Browser(app)
        self.ana: User = self.people.a_member("ana")
        self._token = self.people.a_token(self.ana)[1]

    def publish(self, name: str, version: str = "1.0", *, description: str = "", **fields: Any) -> None:
        metadata = a_metadata(name, version, description=description, **fields)
        answer = upload(self.app, self._token, a_wheel(name, version, metadata=metadata), name=name)
        assert answer.status_code == 200, answer.text
        self.clock.advance(timedelta(minutes=1))

    def find(self, query: str, more: str = "") -> list[str]:
        return names(self.browser.page(f"/search/?q={query}{more}"))


def names(page: Page) -> list[str]:
    return [
        "".join(link.itertext()) for item in page.root.findall(".//ul[@class='parcels']/li") for link in item.iter("a")
    ]


@pytest.fixture
def shelf(either_app: Flask, clock: SettableClock) -> Shelf:
    return Shelf(either_app, clock)


def test_every_part_of_what_a_project_says_is_searched(shelf: Shelf) -> None:
    shelf.publish("by-summary", Summary="Charts of the harbour")
    shelf.publish("by-keyword", Keywords="nautical,harbour")
    shelf.publish("by-topic", Classifier=["Topic :: Scientific/Engineering :: Oceanography"])
    shelf.publish("by-description", description="# Tides\n\nFor every harbour, as <b>figures</b>.\n")
    shelf.publish("harbour")

    assert set(shelf.find("harbour")) == {"harbour", "by-summary", "by-keyword", "by-description"}
    assert shelf.find("oceanography") == ["by-topic"]
    assert shelf.find("figures") == ["by-description"]


def test_the_name_counts_most_then_the_summary_then_the_keywords_then_the_description(shelf: Shelf) -> None:
    shelf.publish("alpha", description="About the harbour.")
    shelf.publish("beta", Keywords="harbour")
    shelf.publish("gamma", Summary="Of the harbour")
    shelf.publish("our-harbour")
    shelf.publish("harbour-lights")
    shelf.publish("harbour")

    assert shelf.find("harbour") == ["harbour", "harbour-lights", "our-harbour", "gamma", "beta", "alpha"]
    assert shelf.find("harbour", "&o=name") == ["alpha", "beta", "gamma", "harbour", "harbour-lights", "our-harbour"]
    assert shelf.find("harbour", "&o=-updated")[0] == "harbour"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Grosse", True),
        ("große", True),
        ("GRÖSSE", True),
        ("gro", True),
        ("ross", False),  # the middle of a word
        ("acme-utils", True),
        ("acme.utils", True),
        ("utils acme", True),
        ("tils", True),  # the middle of a name
        ("retries clocks", True),
        ("retries nothing", False),
        ("日本", True),
        ("v2.7", True),
    ],
)
def test_words_are_found_by_how_they_begin_in_any_spelling(shelf: Shelf, query: str, found: bool) -> None:
    shelf.publish("acme-utils", Summary="Große retries, clocks v2.7", description="日本語 for all")

    assert shelf.find(query) == (["acme-utils"] if found else [])


@pytest.mark.parametrize(
    "query",
    [
        '"', "*", '"acme', "acme*", "NEAR(acme", "acme AND", "NOT acme", "-acme", "name:acme", "^acme",
        "acme OR nothing",
        "'acme", "acme' | 'x", "!acme", "acme:*", "acme <-> x", "(acme", "\\acme", "%", "_", ";--", "a" * 200, "\ud800",
    ],
)  # fmt: skip
def test_nothing_that_is_typed_is_an_operator_or_a_mistake(shelf: Shelf, query: str) -> None:
    shelf.publish("other", Summary="Something else")

    answer = shelf.browser.get("/search/", query_string={"q": query.encode("utf-8", "surrogatepass")})

    assert answer.status_code == 200
    assert "other</a>" not in answer.text


def test_what_is_found_follows_the_latest_release(shelf: Shelf) -> None:
    shelf.publish("acme-utils", "1.0", Summary="Old words", Classifier=["Programming Language :: Python :: 3.9"])
    shelf.publish("acme-utils", "1.1", Summary="New words", Classifier=["Programming Language :: Python :: 3.12"])
    seen = [(shelf.find("old"), shelf.find("new"), shelf.find("", "&python=3.12"))]

    shelf.browser.sign_in(shelf.ana).submit("/manage/project/acme-utils/release/1.1/yank", reason="Loses data")
    seen.append((shelf.find("old"), shelf.find("new"), shelf.find("", "&python=3.12")))
    shelf.browser.submit("/manage/project/acme-utils/release/1.1/unyank")
    shelf.browser.submit("/manage/project/acme-utils/release/1.0/delete", confirm="1.0")
    seen.append((shelf.find("old"), shelf.find("new"), shelf.find("", "&python=3.12")))

    here = ["acme-utils"]
    assert seen == [([], here, here), (here, [], []), ([], here, here)]


def test_a_reserved_name_is_found_by_its_words_and_a_deleted_project_is_not(shelf: Shelf) -> None:
    shelf.browser.sign_in(shelf.ana).submit("/manage/projects/create/", name="Tide.Tables")
    reserved = shelf.find("tables tide")

    shelf.browser.submit("/manage/project/tide-tables/settings/delete", confirm="tide-tables")

    assert (reserved, shelf.find("tables tide"), shelf.find("tide")) == (["Tide.Tables"], [], [])
    assert db.session.query(SearchText).count() == 0


def test_results_are_narrowed_by_status_and_by_python(shelf: Shelf) -> None:
    for name, versions in (("one", ("3.9", "3.12")), ("two", ("3.12",)), ("three", ())):
        shelf.publish(
            f"tide-{name}", Classifier=[f"Programming Language :: Python :: {version}" for version in versions]
        )
    shelf.browser.sign_in(shelf.ana).submit("/manage/project/tide-two/settings/archive")

    page = shelf.browser.page("/search/?q=tide")

    assert "Active 2" in page.text
    assert "Archived 1" in page.text
    assert page.text.index("3.12 2") < page.text.index("3.9 1")
    assert set(shelf.find("tide", "&python=3.12")) == {"tide-one", "tide-two"}
    assert shelf.find("tide", "&python=3.12&status=archived") == ["tide-two"]
    assert shelf.find("tide", "&python=3.9&status=archived") == []
    nothing = shelf.browser.page("/search/?q=tide&python=3.9&status=archived")
    assert "/search/?q=tide" in nothing.links()
    assert "/search/?q=tide&python=3.12" in page.links()


@pytest.mark.parametrize(
    "more", ["status=gone", "status=", "python=x", "python=3", "python=3.12.1", "page=-1", "page=2"]
)
def test_a_value_that_there_is_not_leads_nowhere(shelf: Shelf, more: str) -> None:
    shelf.browser.page(f"/search/?q=tide&{more}", status=404)


def test_words_are_letters_and_digits_without_accents() -> None:
    assert words("  Ça_va: 1.0-rc, “naïve” ﬁle ") == "ca va 1 0 rc naive file"
    assert words("日本語") == "日本語"
    assert words("\x00 -- _ ") == ""


def test_a_description_of_any_length_is_searched_at_its_beginning(shelf: Shelf) -> None:
    long = "beginning " + "filler " * 60_000 + " ending"
    shelf.publish("acme-utils", description=long)

    assert shelf.find("beginning") == ["acme-utils"]
    assert shelf.find("ending") == []
    assert db.session.query(Project).count() == 1
