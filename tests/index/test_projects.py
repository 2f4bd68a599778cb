"""A name is given out once, and nothing too like it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, current_app

from adapters.clock import SettableClock
from domain.identity import tokens
from domain.index import projects, reservations
from domain.index.free_names import NameTaken
from domain.index.names import InvalidName
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from models import Event, Project, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import ORIGIN, permit_for, permit_of
from tests.races import at_once

Give = Callable[..., Project]


def notices_of() -> Notices:
    return wiring_of(current_app).notices


def reservation(people: People, user: User, now: datetime) -> tuple[Give, Permit]:
    return reservations.reserve, permit_for(user, Action.RESERVE_PROJECT, now=now)


def upload(people: People, user: User, now: datetime) -> tuple[Give, Permit]:
    _, text = people.a_token(user, f"ci {now.timestamp()}")
    holder = tokens.find(db.session(), text, origin=ORIGIN)
    assert holder is not None
    return reservations.create_by_upload, permit_of(holder, Action.CREATE_PROJECT, now=now)


WAYS = pytest.mark.parametrize(
    ("way", "event"), [(reservation, "project:name:reserved"), (upload, "project:name:created")]
)


@WAYS
def test_whoever_is_given_a_name_owns_the_project(people: People, clock: SettableClock, way: Any, event: str) -> None:
    ana = people.a_member("ana")
    give, permit = way(people, ana, clock.now())

    project = give(db.session(), permit, notices_of(), name="Acme.Utils", now=clock.now())

    assert (project.name, project.normalized_name) == ("Acme.Utils", "acme-utils")
    assert projects.role_of(db.session(), project, ana.id) is Role.OWNER
    written = db.session.scalars(sa.select(Event)).one()
    assert (written.tag, written.actor_id, written.project_id) == (event, ana.id, project.id)


@WAYS
@pytest.mark.parametrize("name", ["acme-utils", "Acme_Utils", "acme.utils", "ACME-UTILS", "acme--utils"])
def test_a_name_that_is_taken_is_refused_in_any_spelling(
    people: People, clock: SettableClock, way: Any, event: str, name: str
) -> None:
    people.a_project("acme-utils", people.a_member("bo"))
    give, permit = way(people, people.a_member("ana"), clock.now())

    with pytest.raises(NameTaken, match="is taken"):
        give(db.session(), permit, notices_of(), name=name, now=clock.now())

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Project)) == 1


@WAYS
@pytest.mark.parametrize("name", ["acme-uti1s", "acmeutils", "acme-utiIs", "a-c-m-e.utils"])
def test_a_name_too_like_another_is_refused_and_says_which(
    people: People, clock: SettableClock, way: Any, event: str, name: str
) -> None:
    people.a_project("acme-utils", people.a_member("bo"))
    give, permit = way(people, people.a_member("ana"), clock.now())

    with pytest.raises(NameTaken, match="too like acme-utils"):
        give(db.session(), permit, notices_of(), name=name, now=clock.now())


@WAYS
@pytest.mark.parametrize("name", ["", "-acme", "acme utils", "acmé", "json", "requirements.txt", "a" * 101, "a\0b"])
def test_a_name_that_no_project_may_have_is_refused(
    people: People, clock: SettableClock, way: Any, event: str, name: str
) -> None:
    give, permit = way(people, people.a_member("ana"), clock.now())

    with pytest.raises(InvalidName):
        give(db.session(), permit, notices_of(), name=name, now=clock.now())

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Project)) == 0


@pytest.mark.parametrize("spelling", ["acme-utils", "Acme_Utils", "ACME..utils"])
def test_a_project_is_found_in_any_spelling(people: People, spelling: str) -> None:
    acme = people.a_project("acme-utils", people.a_member("ana"))

    assert projects.find(db.session(), spelling) is acme


@pytest.mark.parametrize("name", ["", "buoy", "acme-utils\0", "acmé-utils", "a" * 5000, "acme utils"])
def test_a_name_that_nothing_has_finds_nothing(people: People, name: str) -> None:
    people.a_project("acme-utils", people.a_member("ana"))

    assert projects.find(db.session(), name) is None


def test_the_list_of_somebody_has_their_projects_only_the_last_changed_first(people: People) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    for name, owner, helpers in (("alpha", ana, ()), ("beta", bo, (ana,)), ("gamma", bo, ())):
        people.a_project(name, owner, maintainers=helpers)
    beta = projects.find(db.session(), "beta")
    assert beta is not None
    beta.updated_at = beta.updated_at.replace(year=2027)

    parts = projects.of_user(db.session(), ana.id, among=sa.true())

    assert [(part.project.name, part.role) for part in parts] == [("beta", "maintainer"), ("alpha", "owner")]
    assert projects.role_of(db.session(), beta, ana.id) is Role.MAINTAINER
    assert projects.role_of(db.session(), beta, 999) is None


def test_of_names_too_alike_that_are_asked_for_at_once_one_is_given(either_app: Flask, clock: SettableClock) -> None:
    people, now = People(either_app, clock), clock.now()
    permits = [
        permit_for(people.a_member(username), Action.RESERVE_PROJECT, now=now) for username in ("ana", "bo", "cleo")
    ]
    db.session.remove()

    for number in range(5):
        names = [f"tool{number}x", f"t00l{number}x", f"TooI{number}X"]
        tries = [partial(reserve_alone, permit, name, now) for permit, name in zip(permits, names, strict=True)]
        refusals = at_once(either_app, *tries)

        assert [type(refusal) for refusal in refusals if refusal is not None] == [NameTaken, NameTaken]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Project)) == 5


def reserve_alone(permit: Permit, name: str, now: datetime) -> None:
    reservations.reserve(db.session(), permit, notices_of(), name=name, now=now)


def test_projects_by_a_team_and_by_an_organization_are_among_ones_own(people: People) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    harbour = people.an_organization("harbour", bo, managers=(ana,), members=())
    own = people.a_project("acme-utils", ana)
    lent, theirs = (people.an_organizations_project(name, harbour) for name in ("lent", "theirs"))
    people.a_team("crew", harbour, members=(ana,), projects=((lent, "maintainer"),))
    people.a_project("bos-own", bo)

    assert {each.name for each in projects.leaf(db.session(), ana.id).projects} == {own.name, lent.name}
    assert {each.name for each in projects.leaf(db.session(), bo.id).projects} == {
        "bos-own",
        lent.name,
        theirs.name,
    }


def test_pages_of_projects_follow_each_other_without_gap_or_repetition(people: People, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    for number in range(7):
        clock.advance(timedelta(minutes=number % 2))  # some changed in the same moment
        people.a_project(f"project-{number}", ana)
    seen, before = [], None

    while True:
        found = projects.leaf(db.session(), ana.id, before=before, most=3)
        seen += [project.name for project in found.projects]
        before = found.older
        if before is None:
            break

    assert seen == [f"project-{number}" for number in (5, 6, 3, 4, 1, 2, 0)]
    assert len(projects.leaf(db.session(), ana.id, before=999_999, most=3).projects) == 3
