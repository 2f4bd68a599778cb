"""What everybody may see of an organization."""

import pytest
from flask import Flask

from models import db
from tests.browsing import Browser
from tests.builders import People


def test_it_shows_what_it_says_of_itself_and_its_projects(browser: Browser, people: People) -> None:
    acme = people.an_organization("Acme", people.a_member("ana"), asks_for_key=True)
    acme.description, acme.url = "Gauges", "https://acme.example/"
    db.session.commit()
    people.an_organizations_project("tide-tables", acme)

    page = browser.page("/org/Acme/")

    assert page.h1 == "Acme"
    assert "Gauges" in page.text
    assert {"https://acme.example/", "/project/tide-tables/"} <= set(page.links())
    assert "ana" not in page.text
    assert "key" not in page.text


def test_another_case_leads_to_its_own_spelling(browser: Browser, people: People) -> None:
    people.an_organization("Acme", people.a_member("ana"))

    answer = browser.get("/org/aCME/")

    assert (answer.status_code, answer.headers["Location"]) == (301, "/org/Acme/")


@pytest.mark.parametrize("name", ["ghost", "a%00b", "%F0%9F%92%A9", "x" * 300])
def test_what_is_no_organization_is_not_found(browser: Browser, name: str) -> None:
    assert browser.get(f"/org/{name}/").status_code == 404


@pytest.mark.parametrize("after", ["%00", "%C3%A9", "zzz"])
def test_any_page_mark_is_taken(browser: Browser, people: People, after: str) -> None:
    people.an_organization("acme", people.a_member("ana"))

    assert browser.get(f"/org/acme/?after={after}").status_code == 200


def test_its_projects_are_paged(app: Flask, browser: Browser, people: People) -> None:
    acme = people.an_organization("acme", people.a_member("ana"))
    for number in range(51):
        people.an_organizations_project(f"tide-{number:02}", acme)

    first = browser.page("/org/acme/")
    second = browser.page(next(link for link in first.links() if "after=" in link))

    assert ("tide-49" in first.text, "tide-50" in first.text) == (True, False)
    assert ("tide-49" in second.text, "tide-50" in second.text) == (False, True)
