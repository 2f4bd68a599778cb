"""Teams: who may be in one, what it lends, and what ends with it."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import organizations, projects, teams
from domain.notices import Letter, Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from domain.problems import Problem
from models import (
    ApiToken,
    Event,
    Mail,
    Organization,
    OrganizationMember,
    Project,
    Team,
    TeamMember,
    TeamProject,
    User,
    db,
)
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import member_of, permit_of
from tests.races import at_once


class Table:
    """The domain's functions with permits of their own, for tests to read like sentences."""

    def __init__(self, notices: Notices, clock: SettableClock) -> None:
        self._notices, self._clock = notices, clock

    def create(self, user: User, organization: Organization, name: str) -> Team:
        permit = self._permit(user, Action.CREATE_TEAM, organization)
        return teams.create(db.session(), permit, organization, name=name, now=self._clock.now())

    def rename(self, user: User, team: Team, name: str) -> None:
        permit = self._permit(user, Action.RENAME_TEAM, team)
        teams.rename(db.session(), permit, team, name=name, now=self._clock.now())

    def remove(self, user: User, team: Team) -> None:
        permit = self._permit(user, Action.DELETE_TEAM, team)
        teams.remove(db.session(), permit, self._notices, team, now=self._clock.now())

    def add(self, user: User, team: Team, username: str) -> None:
        permit = self._permit(user, Action.ADD_TEAM_MEMBER, team)
        teams.add_member(db.session(), permit, self._notices, team, username=username, now=self._clock.now())

    def take_out(self, user: User, team: Team, username: str) -> None:
        permit = self._permit(user, Action.REMOVE_TEAM_MEMBER, team)
        teams.remove_member(db.session(), permit, self._notices, team, username=username, now=self._clock.now())

    def lend(self, user: User, team: Team, name: str, role: Role = Role.MAINTAINER) -> None:
        permit, now = self._permit(user, Action.SET_TEAM_ROLE, team), self._clock.now()
        teams.set_role(db.session(), permit, self._notices, team, project_name=name, role=role, now=now)

    def take_back(self, user: User, team: Team, name: str) -> None:
        permit = self._permit(user, Action.REMOVE_TEAM_ROLE, team)
        teams.remove_role(db.session(), permit, self._notices, team, project_name=name, now=self._clock.now())

    def _permit(self, user: User, action: Action, subject: Organization | Team) -> Permit:
        organization = subject.organization if isinstance(subject, Team) else subject
        target = organizations.target_of(db.session(), organization, user.id, subject=subject)
        now = self._clock.now()
        return permit_of(member_of(user, now=now), action, target, now=now)


class Office:
    """An organization: ana owns it, max manages it, bo and cy are in it; it owns a project."""

    def __init__(self, people: People) -> None:
        self.ana, self.max = people.a_member("ana"), people.a_member("max")
        self.bo, self.cy = people.a_member("bo"), people.a_member("cy")
        self.organization = people.an_organization(
            "Tide-Office", self.ana, managers=(self.max,), members=(self.bo, self.cy)
        )
        self.project = people.an_organizations_project("tide-tables", self.organization)


@pytest.fixture
def office(people: People) -> Office:
    return Office(people)


@pytest.fixture
def table(notices: Notices, clock: SettableClock) -> Table:
    return Table(notices, clock)


def members(team: Team) -> list[str]:
    return [part.user.username for part in teams.members_of(db.session(), team).members]


def roles(team: Team) -> list[tuple[str, str]]:
    return [(role.project.name, role.role) for role in teams.roles_of(db.session(), team).roles]


def told(notices: Notices) -> list[tuple[str, str]]:
    letters: list[Letter] = [notices.read(mail) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]
    return sorted((letter.notice, letter.to.partition("@")[0]) for letter in letters)


def events() -> list[tuple[str, int | None, int | None]]:
    rows = db.session.scalars(sa.select(Event).order_by(Event.id))
    return [(event.tag, event.user_id, event.project_id) for event in rows]


def reach(token: ApiToken) -> list[str]:
    db.session.expire(token)
    return [project.name for project in token.projects]


def test_a_team_is_made_by_a_manager_and_gives_nothing_yet(office: Office, table: Table, notices: Notices) -> None:
    team = table.create(office.max, office.organization, " Night.Crew-2 ")

    assert team.name == "Night.Crew-2"
    assert teams.find(db.session(), office.organization, "NIGHT.CREW-2") is team
    assert (members(team), roles(team)) == ([], [])
    assert events() == [("organization:team:created", office.max.id, None)]
    event = db.session.scalars(sa.select(Event)).one()
    assert event.organization_id == office.organization.id
    assert event.details == {"team": "Night.Crew-2", "organization": "Tide-Office"}
    assert told(notices) == []


@pytest.mark.parametrize("name", ["", "c", "c" * 51, "two words", "crew/1", ".crew", "crew\0", "crew\n2", "Crewè"])
def test_a_name_that_no_address_could_hold_is_refused(office: Office, table: Table, name: str) -> None:
    with pytest.raises(Problem) as refused:
        table.create(office.ana, office.organization, name)

    assert refused.value.field == "name"


def test_a_team_may_be_called_what_no_account_may(office: Office, table: Table) -> None:
    assert table.create(office.ana, office.organization, "security").name == "security"


def test_a_name_is_had_once_in_an_organization_and_again_in_another(
    people: People, office: Office, table: Table
) -> None:
    other = people.an_organization("night-watch", office.ana)
    table.create(office.ana, office.organization, "Crew")

    with pytest.raises(Problem, match="has a team Crew already") as refused:
        table.create(office.ana, office.organization, "cREW")

    assert refused.value.field == "name"
    assert table.create(office.ana, other, "cREW").organization_id == other.id


def test_a_team_is_renamed_also_by_case_alone(people: People, office: Office, table: Table) -> None:
    team = people.a_team("Crew", office.organization)
    people.a_team("Watch", office.organization)

    table.rename(office.max, team, "crew")

    assert (team.name, team.name_key) == ("crew", "crew")
    assert db.session.scalars(sa.select(Event)).one().details["was"] == "Crew"
    with pytest.raises(Problem, match="has a team Watch already"):
        table.rename(office.max, team, "WATCH")
    with pytest.raises(Problem, match="called so already"):
        table.rename(office.max, team, "crew")


def test_whoever_is_added_gets_what_the_team_has(
    people: People, office: Office, table: Table, notices: Notices
) -> None:
    team = people.a_team("Crew", office.organization, projects=((office.project, "maintainer"),))

    table.add(office.max, team, " Bo ")

    assert members(team) == ["bo"]
    assert projects.role_of(db.session(), office.project, office.bo.id) is Role.MAINTAINER
    assert events() == [("organization:team:member_added", office.bo.id, None)]
    assert told(notices) == [("team-member-added", "ana"), ("team-member-added", "bo")]


def test_an_owner_who_joins_is_told_once(people: People, office: Office, table: Table, notices: Notices) -> None:
    table.add(office.ana, people.a_team("Crew", office.organization), "ana")

    assert told(notices) == [("team-member-added", "ana")]


@pytest.mark.parametrize("username", ["dan", "ice", "ghost", "", "bo\0", "b" * 5000, "bö"])
def test_only_people_of_the_organization_are_added(people: People, office: Office, table: Table, username: str) -> None:
    people.a_member("dan")
    ice = people.a_user("ice").verified().frozen().build()
    part = {"organization_id": office.organization.id, "user_id": ice.id, "role": "member"}
    db.session.add(OrganizationMember(since=ice.registered_at, **part))
    team = people.a_team("Crew", office.organization)

    with pytest.raises(Problem, match="Nobody of that name belongs to Tide-Office") as refused:
        table.add(office.max, team, username)

    assert refused.value.field == "username"
    assert members(team) == []


def test_nobody_is_added_twice(people: People, office: Office, table: Table) -> None:
    team = people.a_team("Crew", office.organization, members=(office.bo,))

    with pytest.raises(Problem, match="bo is in Crew already"):
        table.add(office.max, team, "BO")


def test_whoever_is_taken_out_loses_what_hung_on_it(
    people: People, office: Office, table: Table, notices: Notices
) -> None:
    lent = ((office.project, "owner"),)
    team = people.a_team("Crew", office.organization, members=(office.bo, office.cy), projects=lent)
    people.a_team("Watch", office.organization, members=(office.cy,), projects=((office.project, "maintainer"),))
    his, hers = (people.a_token(user, projects=(office.project,))[0] for user in (office.bo, office.cy))

    table.take_out(office.max, team, "bo")
    table.take_out(office.max, team, "cy")

    assert members(team) == []
    assert (reach(his), reach(hers)) == ([], ["tide-tables"])
    assert events()[0] == ("organization:team:member_removed", office.bo.id, None)
    assert told(notices)[:2] == [("team-member-removed", "ana"), ("team-member-removed", "ana")]
    assert told(notices)[2:] == [("team-member-removed", "bo"), ("team-member-removed", "cy")]


@pytest.mark.parametrize("username", ["cy", "ghost", "bo\0"])
def test_nobody_is_taken_out_who_is_not_in_it(people: People, office: Office, table: Table, username: str) -> None:
    team = people.a_team("Crew", office.organization, members=(office.bo,))

    with pytest.raises(Problem, match="Nobody of that name is in Crew"):
        table.take_out(office.max, team, username)

    assert members(team) == ["bo"]


def test_a_team_is_given_a_role_and_another_one(people: People, office: Office, table: Table, notices: Notices) -> None:
    team = people.a_team("Crew", office.organization, members=(office.bo, office.ana))

    table.lend(office.ana, team, "Tide_Tables")
    table.lend(office.ana, team, "tide-tables", Role.OWNER)

    assert roles(team) == [("tide-tables", "owner")]
    assert projects.role_of(db.session(), office.project, office.bo.id) is Role.OWNER
    assert events() == [("organization:team:role_set", office.ana.id, office.project.id)] * 2
    assert told(notices) == [("team-role-set", "ana")] * 2 + [("team-role-set", "bo")] * 2
    with pytest.raises(Problem, match="Crew is an owner of tide-tables already"):
        table.lend(office.ana, team, "tide-tables", Role.OWNER)


def test_a_team_that_owns_no_longer_has_invited_in_vain(people: People, office: Office, table: Table) -> None:
    lent = ((office.project, "owner"),)
    team = people.a_team("Crew", office.organization, members=(office.bo,), projects=lent)
    people.an_invitation(office.project, people.a_member("dan"), by=office.bo)
    token, _ = people.a_token(office.bo, projects=(office.project,))

    table.lend(office.ana, team, "tide-tables", Role.MAINTAINER)

    assert db.session.scalar(sa.text("select count(*) from invitation")) == 0
    assert reach(token) == ["tide-tables"]


@pytest.mark.parametrize("name", ["buoys", "ghost", "", "tide\0", "t" * 5000])
def test_a_role_is_given_in_projects_of_the_organization_only(
    people: People, office: Office, table: Table, name: str
) -> None:
    people.a_project("buoys", office.ana)
    team = people.a_team("Crew", office.organization)

    with pytest.raises(Problem, match="has no project of that name") as refused:
        table.lend(office.ana, team, name)

    assert refused.value.field == "project"
    assert roles(team) == []


def test_a_role_that_is_taken_back_takes_what_hung_on_it(
    people: People, office: Office, table: Table, notices: Notices
) -> None:
    lent = ((office.project, "owner"),)
    team = people.a_team("Crew", office.organization, members=(office.bo,), projects=lent)
    token, _ = people.a_token(office.bo, projects=(office.project,))

    table.take_back(office.ana, team, "tide-tables")

    assert (roles(team), reach(token)) == ([], [])
    assert events() == [("organization:team:role_removed", office.ana.id, office.project.id)]
    assert told(notices) == [("team-role-removed", "ana"), ("team-role-removed", "bo")]
    with pytest.raises(Problem, match="has no role in tide-tables"):
        table.take_back(office.ana, team, "tide-tables")


def test_a_team_that_is_deleted_takes_everything_with_it_and_tells_each_once(
    people: People, office: Office, table: Table, notices: Notices
) -> None:
    lent = ((office.project, "owner"), (people.an_organizations_project("buoys", office.organization), "maintainer"))
    team = people.a_team("Crew", office.organization, members=(office.ana, office.bo), projects=lent)
    token, _ = people.a_token(office.bo, projects=tuple(project for project, _ in lent))

    table.remove(office.max, team)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(TeamMember)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TeamProject)) == 0
    assert reach(token) == []
    assert [tag for tag, _, _ in events()] == [
        "organization:team:member_removed",
        "organization:team:member_removed",
        "organization:team:role_removed",
        "organization:team:role_removed",
        "organization:team:deleted",
    ]
    assert told(notices) == [("team-deleted", "ana"), ("team-deleted", "bo")]


def test_a_project_that_left_takes_the_teams_roles_and_what_hung_on_the_organization(
    people: People, office: Office
) -> None:
    lent = ((office.project, "owner"), (people.an_organizations_project("buoys", office.organization), "maintainer"))
    team = people.a_team("Crew", office.organization, members=(office.bo,), projects=lent)
    tokens = [people.a_token(user, projects=(office.project,))[0] for user in (office.ana, office.bo)]

    office.project.organization_id = None
    teams.forget_project(db.session(), office.project)

    assert roles(team) == [("buoys", "maintainer")]
    assert [reach(token) for token in tokens] == [[], []]


def test_a_member_who_left_is_in_no_team_of_the_organization(people: People, office: Office) -> None:
    elsewhere = people.a_team("Crew", people.an_organization("night-watch", office.bo), members=(office.bo,))
    lent = ((office.project, "owner"),)
    team = people.a_team("Crew", office.organization, members=(office.bo, office.cy), projects=lent)
    tokens = [people.a_token(user, projects=(office.project,))[0] for user in (office.bo, office.cy)]

    teams.forget_member(db.session(), office.organization, office.bo)

    assert (members(team), members(elsewhere)) == (["cy"], ["bo"])
    assert [reach(token) for token in tokens] == [[], ["tide-tables"]]


def test_lists_page_by_name(people: People, office: Office) -> None:
    named = [people.a_team(name, office.organization) for name in ("Cook", "anchor", "Boat")]
    people.a_team("other", people.an_organization("night-watch", office.ana))
    db.session.add(TeamMember(team_id=named[2].id, user_id=office.bo.id, since=office.bo.registered_at))

    first = teams.leaf(db.session(), office.organization, most=2)
    second = teams.leaf(db.session(), office.organization, after=first.next or "", most=2)

    assert [(line.team.name, line.members, line.projects) for line in first.lines] == [("anchor", 0, 0), ("Boat", 1, 0)]
    assert [line.team.name for line in second.lines] == ["Cook"]
    assert (first.next, second.next) == ("boat", None)
    assert teams.leaf(db.session(), office.organization, after="\0").lines[0].team.name == "anchor"


# What happens at the same moment, on both databases.


class Race:
    """The office on a database of its own, with everything by its number: each thread loads its own rows."""

    def __init__(self, app: Flask, clock: SettableClock) -> None:
        self.app, self.people = app, People(app, clock)
        self.office = Office(self.people)
        self.table = Table(wiring_of(app).notices, clock)
        self.ids = {name: getattr(self.office, name).id for name in ("ana", "max", "bo", "cy", "project")}
        self.organization_id = self.office.organization.id

    def user(self, name: str) -> User:
        return db.session.get_one(User, self.ids[name])

    def organization(self) -> Organization:
        return db.session.get_one(Organization, self.organization_id)

    def create(self, name: str) -> None:
        self.table.create(self.user("ana"), self.organization(), name)

    def add(self, team_id: int) -> None:
        self.table.add(self.user("max"), self._team(team_id), "bo")

    def remove(self, team_id: int) -> None:
        self.table.remove(self.user("ana"), self._team(team_id))

    def leave(self) -> None:
        """Bo leaves the organization, as its own function has it: the organization's lock, the part, the teams."""
        organization = self.organization()
        db.session.execute(sa.select(Organization.id).where(Organization.id == organization.id).with_for_update())
        db.session.execute(sa.delete(OrganizationMember).where(OrganizationMember.user_id == self.ids["bo"]))
        teams.forget_member(db.session(), organization, self.user("bo"))

    def _team(self, team_id: int) -> Team:
        team = db.session.get(Team, team_id)
        if team is None:
            raise Problem("The gate answers 404.")
        return team


def test_of_two_teams_of_one_name_at_once_one_is_made(either_app: Flask, clock: SettableClock) -> None:
    race = Race(either_app, clock)
    db.session.rollback()

    refusals = at_once(either_app, *[partial(race.create, name) for name in ("Crew", "crew", "CREW")])

    assert refusals.count(None) == 1
    assert [refusal.field for refusal in refusals if refusal is not None] == ["name", "name"]


def test_a_team_that_is_deleted_while_somebody_is_added_keeps_nobody(either_app: Flask, clock: SettableClock) -> None:
    race = Race(either_app, clock)
    for number in range(5):
        team_id = race.people.a_team(f"Crew-{number}", race.organization()).id
        db.session.rollback()

        refusals = at_once(either_app, partial(race.add, team_id), partial(race.remove, team_id))

        assert refusals.count(None) >= 1
        assert db.session.scalar(sa.select(sa.func.count()).select_from(TeamMember)) == 0
        assert db.session.get(Team, team_id) is None
        db.session.rollback()


def test_nobody_is_in_a_team_who_leaves_the_organization_meanwhile(either_app: Flask, clock: SettableClock) -> None:
    race = Race(either_app, clock)
    for number in range(5):
        team_id = race.people.a_team(f"Crew-{number}", race.organization()).id
        db.session.rollback()

        at_once(either_app, partial(race.add, team_id), race.leave)

        assert db.session.scalar(sa.select(sa.func.count()).select_from(TeamMember)) == 0
        part = {"organization_id": race.organization_id, "user_id": race.ids["bo"], "role": "member"}
        db.session.add(OrganizationMember(since=clock.now(), **part))
        db.session.commit()


def test_a_manager_who_was_removed_meanwhile_changes_no_team(people: People, office: Office, table: Table) -> None:
    team = people.a_team("Crew", office.organization)
    permit = table._permit(office.max, Action.RENAME_TEAM, team)
    db.session.execute(sa.delete(OrganizationMember).where(OrganizationMember.user_id == office.max.id))

    with pytest.raises(Problem, match="no longer have the role"):
        teams.rename(db.session(), permit, team, name="Watch", now=office.max.registered_at)


def test_a_project_that_left_meanwhile_is_lent_no_more(people: People, office: Office, table: Table) -> None:
    team = people.a_team("Crew", office.organization)
    db.session.get_one(Project, office.project.id)
    db.session.execute(sa.update(Project).values(organization_id=None).execution_options(synchronize_session=False))

    with pytest.raises(Problem, match="has no project of that name"):
        table.lend(office.ana, team, "tide-tables")
