"""Lists of very much: each page takes the same few statements for sixty rows as for a thousand."""

from collections.abc import Callable

import pytest
from flask import Flask

from adapters.clock import SettableClock
from models import Organization, Project, User
from tests.browsing import Browser
from tests.builders import People
from tests.crowds import many_downloads, many_events, many_people, many_projects, many_releases, many_tokens, statements

FEW, MANY, EVENTS = 60, 1_000, 10_000
MOST = 25  # statements of one page, its frame and the gate included
PAGES = [
    "/manage/projects/",
    "/manage/project/crowd/releases/",
    "/project/crowd/",
    "/project/crowd/?tab=downloads",
    "/manage/account/history/",
    "/manage/account/token/",
    "/manage/project/crowd/tokens/",
    "/user/ana/",
    "/manage/project/crowd/history/",
    "/manage/project/crowd/collaboration/",
    "/manage/project/crowd/settings/",
    "/manage/project/crowd/settings/delete",
    "/manage/organization/harbour/projects/",
    "/manage/organization/harbour/people/",
    "/manage/organization/harbour/settings/keys",
    "/manage/organization/harbour/history/",
    "/org/harbour/",
]

Fill = Callable[[int, int], None]


@pytest.fixture
def ana(people: People) -> User:
    """Who looks at the lists."""
    return people.a_member("ana")


@pytest.fixture
def crowd(people: People, ana: User) -> Project:
    """The project with very many releases."""
    return people.a_project("crowd", ana, maintainers=(people.a_member("bo"),))


@pytest.fixture
def harbour(people: People, ana: User) -> Organization:
    """The organization with very many projects."""
    return people.an_organization("harbour", ana)


@pytest.fixture
def fill(clock: SettableClock, ana: User, crowd: Project, harbour: Organization) -> Fill:
    """Adds that many projects, releases and organization's projects, and that many events."""

    def more(count: int, events: int) -> None:
        now, name = clock.now(), f"crowd-{count}"
        many_projects(count, owner=ana, now=now, prefix=name)
        many_projects(count, owner=ana, now=now, organization=harbour, prefix=f"harbour-{count}")
        many_releases(count, project=crowd, now=now)
        many_downloads(count // 10, project=crowd, now=now)
        many_tokens(count, owner=next(role.user for role in crowd.roles if role.user != ana), now=now, prefix=name)
        many_events(events, user=ana, now=now, project=crowd, organization=harbour)
        many_people(count // 10, project=crowd, organization=harbour, now=now)

    return more


@pytest.mark.parametrize("path", PAGES)
def test_a_page_takes_as_many_statements_for_many_rows_as_for_few(app: Flask, ana: User, fill: Fill, path: str) -> None:
    browser = Browser(app).sign_in(ana)
    fill(FEW, FEW)
    browser.page(path)
    with statements() as few:
        browser.page(path)

    fill(MANY, EVENTS)
    with statements() as many:
        browser.page(path)

    assert len(many) == len(few)
    assert len(few) <= MOST
