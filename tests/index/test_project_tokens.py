"""Which tokens can touch a project: those of everybody with a role in it, whichever way, and no others."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index.project_tokens import touching
from domain.policy.principals import Grant
from models import Project, ProjectRole, User, db
from tests.builders import People


@pytest.fixture
def ana(people: People) -> User:
    """Who owns the project."""
    return people.a_member("ana")


@pytest.fixture
def acme(people: People, ana: User) -> Project:
    """The project."""
    return people.a_project("acme-utils", ana)


def names(project: Project, clock: SettableClock) -> list[tuple[str, str]]:
    return [(token.username, token.description) for token in touching(db.session(), project, now=clock.now()).tokens]


def test_tokens_of_everybody_with_a_role_are_there_whoever_lends_it(
    people: People, ana: User, acme: Project, clock: SettableClock
) -> None:
    bo, cy, dee = (people.a_member(name) for name in ("bo", "cy", "dee"))
    harbour = people.an_organization("harbour", dee, members=(cy,))
    acme.organization = harbour
    db.session.add(ProjectRole(project_id=acme.id, user_id=bo.id, role="maintainer", since=clock.now()))
    people.a_team("Crew", harbour, members=(cy,), projects=((acme, "maintainer"),))
    for user in (ana, bo, cy, dee, people.a_member("eve")):
        people.a_token(user, "ci")

    assert names(acme, clock) == [("ana", "ci"), ("bo", "ci"), ("cy", "ci"), ("dee", "ci")]


def test_what_cannot_touch_the_project_is_left_out(
    people: People, ana: User, acme: Project, clock: SettableClock
) -> None:
    frozen = people.a_user("frozen").verified().with_totp().frozen().build()
    db.session.add(ProjectRole(project_id=acme.id, user_id=frozen.id, role="owner", since=clock.now()))
    people.a_token(frozen, "of a frozen account")
    people.a_token(ana, "for another project", projects=(people.a_project("buoy", ana),))
    people.a_token(ana, "for a new project", projects=(), creates_project=True)
    people.a_token(ana, "ended", expires_at=clock.now())
    people.a_token(ana, "ends soon", expires_at=clock.now() + timedelta(seconds=1))

    assert names(acme, clock) == [("ana", "ends soon")]


def test_what_a_token_may_do_and_how_far_it_reaches_is_told_without_names(
    people: People, ana: User, acme: Project, clock: SettableClock
) -> None:
    others = tuple(people.a_project(name, ana) for name in ("buoy", "crane"))
    people.a_token(ana, "all", grants=(Grant.UPLOAD, Grant.YANK))
    people.a_token(ana, "one", projects=(acme,), grants=(Grant.YANK,))
    people.a_token(ana, "two", projects=(acme, others[0]))
    people.a_token(ana, "three", projects=(acme, *others))

    found = touching(db.session(), acme, now=clock.now()).tokens

    assert [(token.description, token.reach, token.grants) for token in found] == [
        ("three", "This and 2 others", ["upload"]),
        ("two", "This and 1 other", ["upload"]),
        ("one", "This project alone", ["yank"]),
        ("all", "The whole account", ["upload", "yank"]),
    ]


def test_pages_follow_one_another_without_a_gap(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana, bo = people.a_member("ana"), people.a_member("bo")
    acme = people.a_project("acme-utils", ana)
    db.session.add(ProjectRole(project_id=acme.id, user_id=bo.id, role="maintainer", since=clock.now()))
    for number in range(3):
        people.a_token(bo, f"ci {number}")
        people.a_token(ana, f"ci {number}")

    seen: list[tuple[str, str]] = []
    after: int | None = None
    for _ in range(3):
        leaf = touching(db.session(), acme, now=clock.now(), after=after, most=2)
        seen += [(token.username, token.description) for token in leaf.tokens]
        after = leaf.older

    assert after is None
    assert seen == [(who, f"ci {number}") for who in ("ana", "bo") for number in (2, 1, 0)]


def test_a_page_that_begins_after_a_token_that_is_gone_is_the_first(
    people: People, ana: User, acme: Project, clock: SettableClock
) -> None:
    people.a_token(ana)

    leaf = touching(db.session(), acme, now=clock.now(), after=999)

    assert [token.description for token in leaf.tokens] == ["ci"]


def test_a_role_that_ended_takes_its_tokens_out_of_the_list(
    people: People, ana: User, acme: Project, clock: SettableClock
) -> None:
    people.a_token(ana)
    db.session.execute(sa.delete(ProjectRole))

    assert names(acme, clock) == []
