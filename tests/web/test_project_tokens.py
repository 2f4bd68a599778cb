"""Owners see which API tokens can touch their project, and whose; nobody else does."""

import pytest
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import tokens
from domain.policy.principals import Origin
from models import Project, User, db
from tests.browsing import Browser
from tests.builders import People

PAGE, TEAM = "/manage/project/acme-utils/tokens/", "/manage/project/acme-utils/collaboration/"


@pytest.fixture
def bo(people: People) -> User:
    """A maintainer."""
    return people.a_member("bo")


@pytest.fixture
def acme(people: People, bo: User) -> Project:
    """Ana's project."""
    return people.a_project("acme-utils", people.a_member("ana"), maintainers=(bo,))


@pytest.fixture
def ana(acme: Project, browser: Browser) -> User:
    """Its owner, signed in."""
    owner = next(role.user for role in acme.roles if role.role == "owner")
    browser.sign_in(owner)
    return owner


def test_an_owner_sees_whose_they_are_and_when_they_were_used_but_not_from_where(
    ana: User, bo: User, acme: Project, browser: Browser, people: People, clock: SettableClock
) -> None:
    _, text = people.a_token(bo, "bos laptop", networks=("192.0.2.0/24",))
    holder = tokens.find(db.session(), text, origin=Origin("198.51.100.24", "uv/0.9.2"))
    assert holder is not None
    tokens.record_use(db.session(), holder, project_id=acme.id, now=clock.now())
    db.session.commit()

    page = browser.page(PAGE)

    assert PAGE in browser.page(TEAM).links()
    assert page.h1 == "API tokens that reach acme-utils"
    rows = [[" ".join(" ".join(cell.itertext()).split()) for cell in row] for row in page.root.iter("tr")]
    assert rows[1:] == [["bos laptop", "bo", "Upload", "The whole account", "22 Nov 2026", "Never"]]
    assert "198.51.100" not in page.text
    assert "192.0.2" not in page.text
    assert text[43:47] not in page.text


def test_without_a_token_the_page_says_so(ana: User, browser: Browser) -> None:
    assert "No token reaches this project" in browser.page(PAGE).text


def test_a_maintainer_sees_neither_the_page_nor_the_link(app: Flask, acme: Project, bo: User) -> None:
    browser = Browser(app).sign_in(bo)

    assert browser.get(PAGE).status_code == 403
    assert PAGE not in browser.page(TEAM).links()


@pytest.mark.parametrize("after", ["x", "-1", "0", "9" * 30, "%00"])
def test_a_page_that_is_none_is_the_first(ana: User, bo: User, browser: Browser, people: People, after: str) -> None:
    people.a_token(bo, "bos laptop")

    assert "bos laptop" in browser.page(f"{PAGE}?after={after}").text
