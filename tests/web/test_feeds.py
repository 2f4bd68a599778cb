"""Feeds of what is new, as a feed reader reads them."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element, fromstring

import pytest

from adapters.clock import SettableClock
from models import db
from tests.browsing import Browser
from tests.builders import People

HOST = "http://localhost:8000"


def items(browser: Browser, path: str) -> list[dict[str, str]]:
    answer = browser.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/rss+xml")
    root: Element = fromstring(answer.data)  # noqa: S314 - our own words
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    channel = root.find("channel")
    assert channel is not None
    assert {"title", "link", "description"} <= {child.tag for child in channel}
    return [{child.tag: child.text or "" for child in item} for item in channel.iter("item")]


def test_the_newest_release_comes_first(browser: Browser, people: People, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    acme, tide = people.a_project("Acme.Utils", ana), people.a_project("tide-tables", ana)
    people.a_release(acme, "1.0", by=ana)
    clock.advance(timedelta(hours=1))
    people.a_release(tide, "2.0", by=ana)
    people.a_project("buoy", ana)

    found = items(browser, "/rss/updates.xml")

    assert [item["title"] for item in found] == ["tide-tables 2.0", "Acme.Utils 1.0"]
    assert found[1]["link"] == found[1]["guid"] == f"{HOST}/project/acme-utils/1.0/"
    assert found[1]["description"] == "What Acme.Utils 1.0 is"
    assert parsedate_to_datetime(found[0]["pubDate"]) == clock.now()
    assert [item["title"] for item in items(browser, "/rss/packages.xml")] == ["tide-tables", "Acme.Utils"]
    assert [item["title"] for item in items(browser, "/rss/project/acme-utils/releases.xml")] == ["Acme.Utils 1.0"]


def test_forty_are_enough(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    project = people.a_project("acme-utils", ana)
    for number in range(45):
        people.a_release(project, f"1.{number}", by=ana)

    assert len(items(browser, "/rss/updates.xml")) == 40
    assert len(items(browser, "/rss/project/acme-utils/releases.xml")) == 40


def test_what_somebody_wrote_breaks_no_feed(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    release = people.a_release(people.a_project("acme-utils", ana), "1.0", by=ana)
    release.summary = "<script>alert('1')</script> & ]]> \x0b ä"
    db.session.commit()

    assert items(browser, "/rss/updates.xml")[0]["description"] == "<script>alert('1')</script> & ]]>  ä"


def test_spaces_and_joiners_of_all_scripts_stay(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    release = people.a_release(people.a_project("acme-utils", ana), "1.0", by=ana)
    release.summary = "for\u00a0all \u5168\u3000\u89d2 \U0001f469\u200d\U0001f4bb\ufffe"
    db.session.commit()

    found = items(browser, "/rss/updates.xml")[0]["description"]

    assert found == "for\u00a0all \u5168\u3000\u89d2 \U0001f469\u200d\U0001f4bb"


def test_an_empty_index_has_empty_feeds(browser: Browser) -> None:
    assert items(browser, "/rss/updates.xml") == items(browser, "/rss/packages.xml") == []


def test_asking_again_costs_a_304(browser: Browser, people: People) -> None:
    first = browser.get("/rss/updates.xml")

    again = browser.get("/rss/updates.xml", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert "Set-Cookie" not in first.headers
    assert first.headers["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize("name", ["ghost", "%00", "x" * 300])
def test_there_is_no_feed_of_a_project_that_is_not_there(browser: Browser, name: str) -> None:
    assert browser.get(f"/rss/project/{name}/releases.xml").status_code == 404


def test_pages_name_their_feeds(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    people.a_release(people.a_project("acme-utils", ana), "1.0", by=ana)

    home, project = browser.page("/"), browser.page("/project/acme-utils/")

    assert 'type="application/rss+xml" title="New releases" href="/rss/updates.xml"' in home.html
    assert 'href="/rss/project/acme-utils/releases.xml"' in project.html
