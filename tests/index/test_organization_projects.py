"""Projects of an organization: reserved for it, given back, and never left without an owner."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import organization_projects, organizations, parting, projects, teams
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.targets import Role
from domain.problems import Problem
from models import Event, Mail, Organization, Project, ProjectRole, TeamProject, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import member_of, permit_of
from tests.races import at_once


class Table:
    """The domain's functions with permits of their own."""

    def __init__(self, notices: Notices, clock: SettableClock) -> None:
        self._notices, self._clock = notices, clock

    def reserve(self, user: User, organization: Organization, name: str) -> Project:
        target = organizations.target_of(db.session(), organization, user.id)
        now = self._clock.now()
        permit = permit_of(member_of(user, now=now), Action.CREATE_ORGANIZATION_PROJECT, target, now=now)
        return organization_projects.reserve(db.session(), permit, self._notices, organization, name=name, now=now)

    def give_back(self, user: User, project: Project) -> None:
        target, now = projects.target_of(db.session(), project, user.id), self._clock.now()
        permit = permit_of(member_of(user, now=now), Action.REMOVE_ORGANIZATION_PROJECT, target, now=now)
        organization_projects.give_back(db.session(), permit, self._notices, project, now=now)


@pytest.fixture
def table(notices: Notices, clock: SettableClock) -> Table:
    return Table(notices, clock)


def an_owner(project: Project, user: User, role: str = "owner") -> None:
    db.session.add(ProjectRole(project_id=project.id, user_id=user.id, role=role, since=project.created_at))
    db.session.commit()


def told() -> list[tuple[str, str]]:
    return sorted((mail.notice, mail.to.partition("@")[0]) for mail in db.session.scalars(sa.select(Mail)))


def test_a_name_is_reserved_for_the_organization_and_nobody_else(people: People, table: Table) -> None:
    ana, max_ = people.a_member("ana"), people.a_member("max")
    office = people.an_organization("tide-office", ana, managers=(max_,))

    project = table.reserve(max_, office, "Tide-Tables")

    assert project.organization_id == office.id
    assert project.roles == []
    assert projects.role_of(db.session(), project, ana.id) is Role.OWNER
    assert projects.role_of(db.session(), project, max_.id) is None
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.tag, event.organization_id, event.project_id) == (
        "organization:project:reserved",
        office.id,
        project.id,
    )
    assert told() == [("organization-project-reserved", "ana")]


@pytest.mark.parametrize("name", ["", "os", "t1de-tables", "tide_tables", "-x"])
def test_the_rules_for_names_hold_here_too(people: People, table: Table, name: str) -> None:
    ana = people.a_member("ana")
    people.a_project("tide-tables", people.a_member("bo"))

    with pytest.raises(Problem):
        table.reserve(ana, people.an_organization("tide-office", ana), name)


def test_a_project_that_is_given_back_belongs_to_its_own_owners(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    office = people.an_organization("tide-office", ana, members=(cy,))
    project = people.an_organizations_project("tide-tables", office)
    an_owner(project, bo)
    people.a_team("Crew", office, members=(cy,), projects=((project, "maintainer"),))
    tokens = [people.a_token(user, projects=(project,))[0] for user in (ana, bo, cy)]
    impact = organization_projects.impact_of_giving_back(db.session(), project)

    table.give_back(ana, project)

    assert [user.username for user in impact.owners] == ["bo"]
    assert [(keeper.user.username, keeper.by) for keeper in impact.losers] == [("ana", "tide-office"), ("cy", "Crew")]
    db.session.expire_all()
    assert project.organization_id is None
    roles = [projects.role_of(db.session(), project, user.id) for user in (ana, bo, cy)]
    assert roles == [None, Role.OWNER, None]
    assert [len(token.projects) for token in tokens] == [0, 1, 0]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TeamProject)) == 0
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.tag, event.organization_id, event.project_id) == (
        "organization:project:given_back",
        office.id,
        project.id,
    )
    assert told() == [("project-given-back", "ana"), ("project-given-back", "bo"), ("project-given-back", "cy")]


@pytest.mark.parametrize("role", ["maintainer", "frozen owner", None])
def test_a_project_is_not_given_back_to_nobody(people: People, table: Table, role: str | None) -> None:
    ana, ice = people.a_member("ana"), people.a_user("ice").verified().frozen().build()
    project = people.an_organizations_project("tide-tables", people.an_organization("tide-office", ana))
    if role == "maintainer":
        an_owner(project, people.a_member("bo"), role)
    elif role:
        an_owner(project, ice)

    with pytest.raises(Problem, match="no owner of its own"):
        table.give_back(ana, project)

    assert project.organization_id is not None


def test_a_project_that_left_meanwhile_is_not_given_back(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    project = people.an_organizations_project("tide-tables", people.an_organization("tide-office", ana))
    an_owner(project, ana)
    assert project.organization is not None  # as it was when the page was opened
    left = sa.update(Project).values(organization_id=people.an_organization("night-watch", ana).id)
    db.session.refresh(project)
    assert project.organization.name == "tide-office"
    db.session.execute(left.execution_options(synchronize_session=False))

    with pytest.raises(Problem, match="no longer belongs to tide-office"):
        table.give_back(ana, project)


def test_a_role_in_a_team_is_not_had_again_when_the_project_comes_back(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    office = people.an_organization("tide-office", ana, members=(cy,))
    project = people.an_organizations_project("tide-tables", office)
    an_owner(project, bo)
    people.a_team("Crew", office, members=(cy,), projects=((project, "owner"),))

    table.give_back(ana, project)
    project.organization = office
    db.session.flush()

    assert projects.role_of(db.session(), project, cy.id) is None
    assert teams.of_project(db.session(), project) == []


def test_a_project_given_back_while_its_last_owner_leaves_has_an_owner(either_app: Flask, clock: SettableClock) -> None:
    """Whichever comes first: the owner of its own has left and the organization keeps it, or it is given back and its
    owner must stay."""
    people = People(either_app, clock)
    ana, bo = people.a_member("ana"), people.a_member("bo")
    office = people.an_organization("tide-office", ana)
    ids = ana.id, bo.id

    def give_back(project_id: int) -> None:
        project = db.session.get_one(Project, project_id)
        Table(wiring_of(either_app).notices, clock).give_back(db.session.get_one(User, ids[0]), project)

    def drop_own_part(project_id: int) -> None:
        """As a change of people does: the project's lock first, and an owner must be left."""
        project = db.session.get_one(Project, project_id)
        locked = sa.select(Project).where(Project.id == project.id).with_for_update()
        db.session.scalar(locked.execution_options(populate_existing=True))
        if project.organization_id is None:
            raise Problem("This is the last owner.")
        db.session.execute(sa.delete(ProjectRole).where(ProjectRole.project_id == project.id))
        parting.end_of_role(db.session(), project, db.session.get_one(User, ids[1]))

    for number in range(5):
        project_id = people.an_organizations_project(f"tide-{number}", office).id
        an_owner(db.session.get_one(Project, project_id), db.session.get_one(User, ids[1]))
        db.session.rollback()

        refusals = at_once(either_app, partial(give_back, project_id), partial(drop_own_part, project_id))

        project = db.session.get_one(Project, project_id, populate_existing=True)
        owners = db.session.scalar(sa.select(sa.func.count()).where(ProjectRole.project_id == project_id))
        assert refusals.count(None) == 1
        assert (project.organization_id is None, owners) in [(True, 1), (False, 0)]
        db.session.rollback()
