"""One role in a project, from three sources: asked of one person and of everybody, the answer is the same."""

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from domain.index import keepers, projects
from domain.policy.targets import OrganizationRole, Role
from models import OrganizationMember, Project, ProjectRole, Team, TeamMember, TeamProject, User, db
from tests.builders import People

MAINTAINER, OWNER = Role.MAINTAINER, Role.OWNER


class Scene:
    """Bo beside a project of an organization that ana owns."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.ana, self.bo = people.a_member("ana"), people.a_member("bo")
        self.office = people.an_organization("tide-office", self.ana)
        self.project = people.an_organizations_project("tide-tables", self.office)

    def own(self, role: str) -> None:
        part = {"project_id": self.project.id, "user_id": self.bo.id, "role": role}
        db.session.add(ProjectRole(since=self.bo.registered_at, **part))

    def belongs(self, role: str) -> None:
        part = {"organization_id": self.office.id, "user_id": self.bo.id, "role": role}
        db.session.add(OrganizationMember(since=self.bo.registered_at, **part))

    def lent(self, role: str, team: str = "Crew") -> None:
        self.people.a_team(team, self.office, members=(self.bo,), projects=((self.project, role),))

    def left(self) -> None:
        self.project.organization = None

    def moved(self) -> None:
        self.project.organization = self.people.an_organization("night-watch", self.people.a_member("nat"))

    def out(self) -> None:
        db.session.execute(sa.delete(TeamMember))

    def took_back(self) -> None:
        db.session.execute(sa.delete(TeamProject))

    def disbanded(self) -> None:
        db.session.execute(sa.delete(Team))

    def left_organization(self) -> None:
        db.session.execute(sa.delete(OrganizationMember).where(OrganizationMember.user_id == self.bo.id))


Step = Callable[[Scene], None]


def _do(*steps: tuple[str, ...] | str) -> list[Step]:
    """Steps by their names."""

    def step(name: str, *values: str) -> Step:
        return lambda scene: getattr(scene, name)(*values)

    return [step(one) if isinstance(one, str) else step(*one) for one in steps]


CASES: dict[str, tuple[list[Step], Role | None, OrganizationRole | None, str | None]] = {
    "nothing": (_do(), None, None, None),
    "own maintainer": (_do(("own", "maintainer")), MAINTAINER, None, ""),
    "own owner": (_do(("own", "owner")), OWNER, None, ""),
    "member of the organization": (_do(("belongs", "member")), None, OrganizationRole.MEMBER, None),
    "manager without a team": (_do(("belongs", "manager")), None, OrganizationRole.MANAGER, None),
    "owner of the organization": (_do(("belongs", "owner")), OWNER, OrganizationRole.OWNER, "tide-office"),
    "in a maintaining team": (
        _do(("belongs", "member"), ("lent", "maintainer")),
        MAINTAINER,
        OrganizationRole.MEMBER,
        "Crew",
    ),
    "in an owning team": (_do(("belongs", "manager"), ("lent", "owner")), OWNER, OrganizationRole.MANAGER, "Crew"),
    "own maintainer, owning team": (_do(("own", "maintainer"), ("lent", "owner")), OWNER, None, "Crew"),
    "own owner, maintaining team": (_do(("own", "owner"), ("lent", "maintainer")), OWNER, None, ""),
    "own owner, owner of the organization": (
        _do(("own", "owner"), ("belongs", "owner")),
        OWNER,
        OrganizationRole.OWNER,
        "",
    ),
    "two teams": (_do(("lent", "maintainer", "A"), ("lent", "owner", "B")), OWNER, None, "B"),
    "taken out of the team": (_do(("lent", "owner"), "out"), None, None, None),
    "the team's role is taken back": (_do(("lent", "owner"), "took_back"), None, None, None),
    "the team is gone": (_do(("lent", "owner"), "disbanded"), None, None, None),
    "the project left, the team's role was forgotten to be": (_do(("lent", "owner"), "left"), None, None, None),
    "the project went to another organization": (
        _do(("belongs", "owner"), ("lent", "owner"), "moved"),
        None,
        None,
        None,
    ),
    "own part outlives the project's leaving": (_do(("own", "maintainer"), "left"), MAINTAINER, None, ""),
    "an owner who left the organization": (_do(("belongs", "owner"), "left_organization"), None, None, None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_greatest_role_wins_wherever_it_comes_from(people: People, name: str) -> None:
    steps, role, in_organization, by = CASES[name]
    scene = Scene(people)

    for step in steps:
        step(scene)
    db.session.flush()

    assert projects.parts_of(db.session(), scene.project, scene.bo.id) == (role, in_organization)
    found = {keeper.user.username: keeper for keeper in keepers.keepers_of(db.session(), scene.project)}
    assert (found["bo"].role, found["bo"].by) == (role, by) if role else "bo" not in found


def test_a_frozen_account_looks_after_nothing(people: People) -> None:
    scene = Scene(people)
    scene.own("owner")
    scene.bo.is_active = False

    assert [keeper.user.username for keeper in keepers.keepers_of(db.session(), scene.project)] == ["ana"]
    assert [user.username for user in keepers.owners_of(db.session(), scene.project)] == ["ana"]


def test_a_team_lends_nothing_in_other_projects(people: People) -> None:
    scene = Scene(people)
    scene.lent("owner")
    other = people.an_organizations_project("buoys", scene.office)

    assert projects.role_of(db.session(), other, scene.bo.id) is None
    assert [keeper.user.username for keeper in keepers.keepers_of(db.session(), other)] == ["ana"]


@pytest.mark.parametrize("seed", range(25))
def test_asked_of_one_or_of_everybody_the_answer_is_the_same(people: People, seed: int) -> None:
    """Random organizations, teams and parts, some left over from elsewhere: `keepers_of` is `role_of` of everybody."""
    dice = random.Random(seed)  # noqa: S311 - for a test that can be repeated
    users = [people.a_user(f"u{number}").build() for number in range(8)]
    now = users[0].registered_at
    offices = [people.an_organization(f"office-{number}", dice.choice(users)) for number in range(2)]
    owned = [people.an_organizations_project(f"owned-{number}", dice.choice(offices)) for number in range(3)]
    everything: list[Project] = [*owned, people.a_project("own", dice.choice(users))]
    for office in offices:
        held = set(db.session.scalars(sa.select(OrganizationMember.user_id).filter_by(organization_id=office.id)))
        for user in dice.sample(users, 4):
            if user.id not in held:
                part = {"organization_id": office.id, "user_id": user.id}
                db.session.add(OrganizationMember(role=dice.choice(["owner", "manager", "member"]), since=now, **part))
        for number in range(2):
            lent = tuple((one, dice.choice(["owner", "maintainer"])) for one in dice.sample(everything, 2))
            people.a_team(f"T{number}", office, members=tuple(dice.sample(users, 3)), projects=lent)
    for project in owned:
        for user in dice.sample(users, 2):
            part = {"project_id": project.id, "user_id": user.id}
            db.session.add(ProjectRole(role=dice.choice(["owner", "maintainer"]), since=now, **part))
    db.session.commit()

    for project in everything:
        single = {user.username: projects.role_of(db.session(), project, user.id) for user in users}
        found = keepers.keepers_of(db.session(), project)
        assert {keeper.user.username: keeper.role for keeper in found} == {
            name: role for name, role in single.items() if role is not None
        }
        assert len({keeper.user.id for keeper in found}) == len(found)


def test_everybody_and_their_addresses_are_found_by_two_statements(people: People) -> None:
    scene = Scene(people)
    for number in range(12):
        user: User = people.a_user(f"u{number}").build()
        people.a_team(f"T{number}", scene.office, members=(user,), projects=((scene.project, "maintainer"),))
    db.session.refresh(scene.project)
    assert scene.project.organization is not None
    seen: list[object] = []

    def note(*args: object) -> None:
        seen.append(args[2])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        keepers.keepers_of(db.session(), scene.project)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)

    assert len(seen) == 2
