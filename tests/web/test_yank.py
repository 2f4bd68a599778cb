"""Yanking a release in a browser: who may, what installers and visitors see, and how it is taken back."""

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask

from domain.index import pages
from domain.notices import Notices
from models import Event, Mail, Project, Release, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.uploading import kept_page

PAGE = "/manage/project/acme-utils/release/1.1/"
YANK, UNYANK = f"{PAGE}yank", f"{PAGE}unyank"


@pytest.fixture
def bo(people: People, browser: Browser) -> User:
    """A maintainer of ana's acme-utils, which has two releases; signed in."""
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana, maintainers=(bo,))
    people.a_release(acme, "1.0", by=ana)
    people.a_release(acme, "1.1", by=ana)
    pages.refresh(db.session(), acme)
    db.session.commit()
    browser.sign_in(bo)
    return bo


def yanked_files() -> dict[str, object]:
    """What the JSON page says of each file."""
    db.session.rollback()
    page = orjson.loads(kept_page("json"))
    return {file["filename"].split("-")[1]: file["yanked"] for file in page["files"]}


def tags() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))


def test_a_maintainer_yanks_with_a_reason_that_installers_are_told(bo: User, browser: Browser) -> None:
    page = browser.submit(YANK, reason="Loses <data> & more")

    assert "acme-utils 1.1 is yanked." in page.text
    assert "Loses <data> & more" in page.text
    assert yanked_files() == {"1.0": False, "1.1": "Loses <data> & more"}
    html = kept_page("html")
    assert b'data-yanked="Loses &lt;data&gt; &amp; more"' in html
    assert b"acme_utils-1.1-0-py3-none-any.whl</a>" in html


def test_a_yanked_release_is_not_the_newest_and_says_so(bo: User, browser: Browser) -> None:
    browser.submit(YANK, reason="Loses data")

    newest, old = browser.page("/project/acme-utils/"), browser.page("/project/acme-utils/1.1/")

    assert "1.0 · released" in newest.text
    assert "This release was withdrawn. Loses data" in old.text
    assert db.session.scalars(sa.select(Project.summary)).one() == "What acme-utils 1.0 is"


def test_a_yank_can_be_taken_back(bo: User, browser: Browser) -> None:
    browser.submit(YANK, reason="")
    assert yanked_files()["1.1"] is True

    browser.submit(UNYANK, on=PAGE)

    assert yanked_files() == {"1.0": False, "1.1": False}
    assert tags() == ["project:release:yanked", "project:release:unyanked"]


def test_everybody_who_looks_after_the_project_is_told(bo: User, browser: Browser, notices: Notices) -> None:
    browser.submit(YANK, reason="Loses data")

    letters = {mail.to: notices.read(mail) for mail in db.session.scalars(sa.select(Mail))}
    event = db.session.scalars(sa.select(Event)).one()
    assert sorted(letters) == ["ana@mail.example", "bo@mail.example"]
    assert "bo yanked the release 1.1 of acme-utils" in letters["ana@mail.example"].text
    assert "The reason: Loses data" in letters["ana@mail.example"].text
    assert event.details["reason"] == "Loses data"


def test_yanking_twice_for_the_same_reason_changes_nothing(bo: User, browser: Browser) -> None:
    browser.submit(YANK, reason="Loses data")
    browser.submit(YANK, reason="Loses data")
    assert browser.page(YANK).value("reason") == "Loses data"
    browser.submit(YANK, reason="Loses much data")

    assert tags() == ["project:release:yanked"] * 2
    assert db.session.scalar(sa.select(Release.yanked_reason).where(Release.version == "1.1")) == "Loses much data"


def test_a_reason_that_is_too_long_is_refused_in_words(bo: User, browser: Browser) -> None:
    page = browser.submit(YANK, reason="x" * 256, status=422)

    assert "The reason has 256 characters. The limit is 255." in page.text
    assert yanked_files()["1.1"] is False


@pytest.mark.parametrize(("status", "word"), [("quarantined", "quarantined"), ("archived", "archived")])
def test_the_pages_say_how_the_project_stands(bo: User, browser: Browser, status: str, word: str) -> None:
    db.session.execute(sa.update(Project).values(status=status))
    db.session.commit()

    for path in ("/manage/project/acme-utils/releases/", PAGE):
        assert f"acme-utils is {word}" in browser.page(path).text


def test_in_quarantine_nothing_is_yanked_and_the_page_says_why(bo: User, browser: Browser) -> None:
    db.session.execute(sa.update(Project).values(status="quarantined"))
    db.session.commit()

    page = browser.submit(YANK, reason="", status=403)

    assert page.stop is not None
    assert "quarantine" in page.stop
    assert yanked_files()["1.1"] is False


def test_a_stranger_may_not(bo: User, app: Flask, people: People) -> None:
    browser = Browser(app).sign_in(people.a_member("cleo"))

    browser.submit(YANK, reason="", status=403)

    assert yanked_files()["1.1"] is False


def test_yanking_to_and_fro_fills_no_mailbox_and_to_yank_is_never_refused(bo: User, browser: Browser) -> None:
    for _ in range(5):
        browser.submit(YANK, reason="Loses data")
        browser.submit(UNYANK)

    browser.submit(YANK, reason="Loses data")
    taken_back = browser.submit(UNYANK)
    other_words = browser.submit(YANK, reason="Loses all data", status=429)

    assert "Too many changes of this release's yank." in taken_back.text
    assert "Too many changes of this release's yank." in other_words.text
    assert yanked_files()["1.1"] == "Loses data"
    assert db.session.scalar(sa.select(sa.func.count()).where(Mail.notice == "release-yanked")) == 6 * 2
