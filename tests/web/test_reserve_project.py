"""Reserving a name before anything is uploaded."""

import pytest
import sqlalchemy as sa

from adapters.clock import SettableClock
from models import Project, TotpApp, db
from tests.browsing import Browser
from tests.builders import People
from tests.requirements import requirement

CREATE = "/manage/projects/create/"


def names() -> list[str]:
    return list(db.session.scalars(sa.select(Project.name).order_by(Project.id)))


def test_a_reserved_name_stands_in_the_list(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member("ana"))

    page = browser.submit(CREATE, name=" Acme.Utils ")

    assert page.response.request.path == "/manage/projects/"
    assert "Acme.Utils is reserved for you." in page.text
    assert "Acme.Utils Reserved" in page.text
    assert names() == ["Acme.Utils"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Give the project a name."),
        ("acme utils", "is not valid. Use ASCII letters"),
        ("json", "standard library"),
        ("requirements.txt", "is not allowed"),
        ("a" * 101, "The limit is 100."),
        ("Tide_Tables", "is taken"),
        ("t1de-tab1es", "is too like tide-tables"),
    ],
)
def test_a_refused_name_stays_in_the_field_with_the_reason(
    browser: Browser, people: People, name: str, words: str
) -> None:
    people.a_project("tide-tables", people.a_member("bo"))
    browser.sign_in(people.a_member("ana"))

    page = browser.submit(CREATE, name=name, status=422)

    assert words in page.text
    assert page.value("name") == name
    assert page.title.startswith("Error: ")
    assert names() == ["tide-tables"]


def test_sending_the_form_twice_reserves_once(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member("ana"))
    browser.submit(CREATE, name="acme-utils")

    page = browser.submit(CREATE, name="acme-utils", status=422)

    assert "is taken" in page.text
    assert names() == ["acme-utils"]


@requirement("R105")
def test_the_twenty_first_try_within_an_hour_waits(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member("ana"))
    for number in range(20):
        browser.submit(CREATE, name=f"tool-{number}x")

    page = browser.submit(CREATE, name="one-more", status=429)

    assert "Too many new projects. Try again after 15:05 UTC on 22 November." in page.text
    assert page.response.headers["Retry-After"] == "3600"
    assert page.value("name") == "one-more"
    assert len(names()) == 20


def test_after_the_second_factor_the_name_is_still_there(
    browser: Browser, people: People, clock: SettableClock
) -> None:
    newt = people.a_user("newt").verified().build()
    browser.sign_in(newt)

    banner = browser.submit(CREATE, name="tide-tables").stop
    app = TotpApp(
        public_id="1", user_id=newt.id, label="My phone", secret_sealed=b"", last_step=0, added_at=clock.now()
    )
    db.session.add(app)
    db.session.commit()
    page = browser.submit("/manage/account/resume/")

    assert banner is not None
    assert "reserve a project name" in banner
    assert page.response.request.path == CREATE
    assert page.value("name") == "tide-tables"
    assert "We kept what you typed. Check it and press Reserve it." in page.text
    assert names() == []
