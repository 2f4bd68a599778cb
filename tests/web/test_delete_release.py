"""Deleting a release: asked on a page that says what it means, and told to everybody concerned."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import pages
from domain.notices import Notices
from models import DeletedFilename, Event, File, Mail, Project, Release, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.uploading import kept_page

PAGE = "/manage/project/acme-utils/release/1.4.2/"
DELETE = f"{PAGE}delete"


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    """The owner of acme-utils, which has two releases and a maintainer; signed in."""
    user, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", user, maintainers=(bo,))
    people.a_release(acme, "1.4.1", by=user)
    people.a_release(acme, "1.4.2", by=bo, files=2)
    pages.refresh(db.session(), acme)
    acme.summary = "What acme-utils 1.4.2 is"
    db.session.commit()
    browser.sign_in(user)
    return user


def simple_page() -> bytes:
    """What installers are sent."""
    db.session.expire_all()
    return kept_page("html")


def versions() -> list[str]:
    return list(db.session.scalars(sa.select(Release.version).order_by(Release.version)))


def test_the_page_says_what_goes_what_is_left_and_who_is_told(ana: User, browser: Browser) -> None:
    page = browser.page(DELETE)

    assert page.h1 == "Delete acme-utils 1.4.2?"
    assert "2 files go, 41 kB." in page.text
    assert "acme_utils-1.4.2-0-py3-none-any.whl" in page.text
    assert "can never be uploaded again" in page.text
    assert "The newest release is then 1.4.1." in page.text
    assert "The 2 people who look after acme-utils are told by mail." in page.text


def test_the_page_of_the_only_release_says_that_none_is_left(browser: Browser, people: People) -> None:
    cleo = people.a_member("cleo")
    people.a_release(people.a_project("buoy", cleo), "1.0", by=cleo)

    page = browser.sign_in(cleo).page("/manage/project/buoy/release/1.0/delete")

    assert "No release is left. The name buoy stays yours." in page.text
    assert "The one person who looks after buoy is told by mail." in page.text


def test_a_deleted_release_is_gone_and_its_filenames_are_spent(
    ana: User, browser: Browser, clock: SettableClock
) -> None:
    before = simple_page()
    clock.advance(timedelta(minutes=1))

    page = browser.submit(DELETE, confirm="1.4.2")

    after = simple_page()
    assert page.response.request.path == "/manage/project/acme-utils/releases/"
    assert "acme-utils 1.4.2 was deleted. An owner can restore it for seven days." in page.text
    assert versions() == ["1.4.1"]
    assert sorted(db.session.scalars(sa.select(DeletedFilename.filename))) == [
        "acme_utils-1.4.2-0-py3-none-any.whl",
        "acme_utils-1.4.2-1-py3-none-any.whl",
    ]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(File)) == 1
    acme = db.session.scalars(sa.select(Project)).one()
    assert (acme.summary, acme.updated_at) == ("What acme-utils 1.4.1 is", clock.now())
    assert b"acme_utils-1.4.2-0-py3-none-any.whl" in before
    assert b"acme_utils-1.4.2-0-py3-none-any.whl" not in after
    assert b"acme_utils-1.4.1-0-py3-none-any.whl" in after


def test_everybody_who_looks_after_the_project_is_told(
    ana: User, browser: Browser, notices: Notices, clock: SettableClock
) -> None:
    clock.advance(timedelta(minutes=1))

    browser.submit(DELETE, confirm="1.4.2")

    event = db.session.scalars(sa.select(Event)).one()
    letters = {mail.to: notices.read(mail) for mail in db.session.scalars(sa.select(Mail))}
    assert (event.tag, event.actor_id, event.at) == ("project:release:removed", ana.id, clock.now())
    assert event.details["version"] == "1.4.2"
    assert sorted(letters) == ["ana@mail.example", "bo@mail.example"]
    assert letters["ana@mail.example"].subject == "acme-utils 1.4.2 was deleted"
    assert "You deleted the release 1.4.2 of acme-utils" in letters["ana@mail.example"].text
    assert "203.0.113.7" in letters["ana@mail.example"].text
    assert "ana deleted the release 1.4.2 of acme-utils" in letters["bo@mail.example"].text
    assert "acme_utils-1.4.2-1-py3-none-any.whl" in letters["bo@mail.example"].html.replace("<wbr>", "")
    assert "203.0.113.7" not in letters["bo@mail.example"].text


@pytest.mark.parametrize("typed", ["1.4.2", "v1.4.2", "1.4.2.0", " 1.4.2 "])
def test_the_version_may_be_typed_in_any_spelling(ana: User, browser: Browser, typed: str) -> None:
    browser.submit(DELETE, confirm=typed)

    assert versions() == ["1.4.1"]


@pytest.mark.parametrize("typed", ["", "1.4.1", "acme-utils", "yes", "1" * 5000])
def test_without_the_right_version_nothing_is_deleted(ana: User, browser: Browser, typed: str) -> None:
    page = browser.submit(DELETE, confirm=typed, status=422)

    assert "That is not the version of this release. Type 1.4.2 to delete it." in page.text
    assert page.value("confirm") == typed
    assert versions() == ["1.4.1", "1.4.2"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Mail)) == 0


def test_deleting_twice_finds_nothing(ana: User, browser: Browser) -> None:
    browser.submit(DELETE, confirm="1.4.2")

    browser.submit(DELETE, confirm="1.4.2", status=404)


@pytest.mark.parametrize("path", ["9.9/delete", "9.9/", "no-version/", "%00/", "1.4.2%00/delete", f"{'1' * 300}/"])
def test_a_release_that_is_not_there_is_not_found(ana: User, browser: Browser, path: str) -> None:
    browser.page(f"/manage/project/acme-utils/release/{path}", status=404)


@pytest.mark.parametrize("name", ["nowhere", "acme%00", "acm%C3%A9", "a" * 300])
def test_a_project_that_is_not_there_is_not_found(ana: User, browser: Browser, name: str) -> None:
    browser.page(f"/manage/project/{name}/releases/", status=404)


def test_a_maintainer_sees_the_releases_and_cannot_delete_them(ana: User, app: Flask) -> None:
    bo = db.session.scalars(sa.select(User).where(User.username == "bo")).one()
    browser = Browser(app).sign_in(bo)

    listed, shown = browser.page("/manage/project/acme-utils/releases/"), browser.page(PAGE)
    refused = browser.submit(DELETE, confirm="1.4.2", status=403)

    assert DELETE not in [*listed.links(), *shown.links()]
    assert "Only owners of acme-utils 1.4.2 may delete a release." in refused.text
    assert versions() == ["1.4.1", "1.4.2"]


@pytest.mark.parametrize("path", ["/manage/project/acme-utils/releases/", PAGE, DELETE])
def test_a_stranger_may_not_look(ana: User, app: Flask, people: People, path: str) -> None:
    browser = Browser(app).sign_in(people.a_member("cleo"))

    page = browser.page(path, status=403)

    assert page.stop is not None


def test_the_pages_say_who_uploaded_what(ana: User, browser: Browser) -> None:
    listed, shown = browser.page("/manage/project/Acme_Utils/releases/"), browser.page(PAGE)

    assert listed.text.index("1.4.2") < listed.text.index("1.4.1")
    assert "1.4.2 2 22 Nov 2026 bo Delete 1.4.2" in listed.text
    assert "Uploaded 22 Nov 2026, 14:05 UTC by bo." in shown.text
    for fact in ("acme_utils-1.4.2-0-py3-none-any.whl", "Wheel for any Python 3", "20 kB", "twine/6.2.0"):
        assert fact in shown.text
    assert DELETE in listed.links()
    assert DELETE in shown.links()


def test_a_project_without_a_release_says_how_to_publish(browser: Browser, people: People) -> None:
    cleo = people.a_member("cleo")
    people.a_project("buoy", cleo)

    page = browser.sign_in(cleo).page("/manage/project/buoy/releases/")

    assert "No release yet" in page.text
    assert "uv publish --publish-url http://localhost:8000/legacy/" in page.text


def test_after_confirming_one_is_back_at_the_question(ana: User, browser: Browser, clock: SettableClock) -> None:
    clock.advance(timedelta(minutes=16))

    browser.submit(DELETE, confirm="1.4.2")
    page = browser.submit("/account/reauthenticate/", method="totp", password=PASSWORD, totp_value=code_of(ana, clock))

    assert page.h1 == "Delete acme-utils 1.4.2?"
    assert page.value("confirm") == ""
    assert versions() == ["1.4.1", "1.4.2"]
