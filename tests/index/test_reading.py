"""What a list shows is what the judge lets somebody read, whichever part they have."""

from itertools import product

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.standing import standing_of
from domain.index import projects, reading
from domain.index.reading import NOBODY, Reader
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Grant, Origin, TokenHolder
from models import OrganizationMember, Project, ProjectRole, User, db
from tests.browsing import wiring_of
from tests.builders import People

PARTS = [None, "maintainer", "owner"]
PLACES = [None, "member", "manager", "owner"]
TEAMS = [None, "maintainer", "owner"]


@pytest.mark.parametrize("is_private", [True, False])
@pytest.mark.parametrize("is_bound", [True, False])
def test_lists_and_the_judge_agree(
    app: Flask, people: People, clock: SettableClock, is_private: bool, is_bound: bool
) -> None:
    nora = people.a_member("nora")
    asked: dict[int, tuple[Project, User, Reader, TokenHolder]] = {}
    for number, (part, place, team) in enumerate(product(PARTS, PLACES, TEAMS)):
        user = people.a_user(f"user{number}").verified().build()
        project = _a_project(people, clock, nora, user, number=number, part=part, place=place, team=team)
        project.is_private = is_private
        other = people.a_project(f"other{number}", user)
        reaches = frozenset({project.id if number % 2 else other.id})
        account = standing_of(db.session(), user.id)
        assert account is not None
        holder = TokenHolder(
            Origin(), account, 1, None, reaches_all=not is_bound, project_ids=reaches, grants=frozenset({Grant.READ})
        )
        asked[number] = (project, user, Reader(user.id, reaches if is_bound else None), holder)
    db.session.commit()

    outcomes = set()
    for project, user, reader, holder in asked.values():
        target = projects.target_of(db.session(), project, user.id)
        policy = wiring_of(app).policy
        allowed = isinstance(judge(holder, Action.READ_PRIVATE, target, policy, clock.now()), Permit)
        shown = sa.select(Project.id).where(Project.id == project.id, reading.visible_to(reader))
        assert (db.session.scalar(shown) is not None) == (allowed or not is_private), project.name
        outcomes.add(allowed)
    assert outcomes == {True, False}


def _a_project(
    people: People,
    clock: SettableClock,
    nora: User,
    user: User,
    *,
    number: int,
    part: str | None,
    place: str | None,
    team: str | None,
) -> Project:
    """A project of an organization, with the user's own part, their place in the organization and their team's role."""
    organization = people.an_organization(f"organization{number}", nora)
    project = people.an_organizations_project(f"project{number}", organization)
    if part is not None:
        db.session.add(ProjectRole(project_id=project.id, user_id=user.id, role=part, since=clock.now()))
    if place is not None:
        db.session.add(
            OrganizationMember(organization_id=organization.id, user_id=user.id, role=place, since=clock.now())
        )
    if team is not None:
        people.a_team("crew", organization, members=(user,), projects=((project, team),))
    return project


def test_nobody_sees_what_is_private(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    people.a_project("acme-utils", ana).is_private = True
    people.a_project("oar", ana)
    db.session.commit()

    shown = db.session.scalars(sa.select(Project.name).where(reading.visible_to(NOBODY))).all()

    assert shown == ["oar"]
    assert reading.are_any_private(db.session())
    assert not reading.are_any_private(db.session(), NOBODY)
    assert reading.are_any_private(db.session(), Reader(ana.id))
