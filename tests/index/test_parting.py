"""What hung on a role goes with it, and only then: another role of the same person still carries it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from adapters.clock import SettableClock
from domain.index import parting
from models import (
    ApiToken,
    Invitation,
    OrganizationMember,
    Project,
    ProjectRole,
    Team,
    TeamMember,
    TeamProject,
    Transfer,
    User,
    db,
)
from tests.builders import People


class Scene:
    """Bo, with a token for a project of an organization, and with an invitation and an offer that he sent."""

    def __init__(self, people: People, clock: SettableClock) -> None:
        self.people, self.clock = people, clock
        self.ana, self.bo, self.cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
        self.office = people.an_organization("tide-office", self.ana, members=(self.bo,))
        self.project = people.an_organizations_project("tide-tables", self.office)
        self.other = people.an_organizations_project("buoys", self.office)
        for project in (self.project, self.other):
            self.offers(project)
        self.token, _ = people.a_token(self.bo, projects=(self.project, self.other))

    def offers(self, project: Project) -> None:
        self.people.an_invitation(project, self.cy, by=self.bo)
        offer = {"project_id": project.id, "to_user_id": self.cy.id, "offered_by_id": self.bo.id}
        now = self.clock.now()
        db.session.add(Transfer(created_at=now, expires_at=now + timedelta(days=7), **offer))
        db.session.commit()

    def own(self, role: str) -> None:
        part = {"project_id": self.project.id, "user_id": self.bo.id, "role": role}
        db.session.add(ProjectRole(since=self.clock.now(), **part))

    def lent(self, role: str) -> None:
        self.people.a_team("Crew", self.office, members=(self.bo,), projects=((self.project, role),))

    def by_the_organization(self, role: str) -> None:
        part = sa.select(OrganizationMember).where(OrganizationMember.user_id == self.bo.id)
        db.session.scalars(part).one().role = role

    def left(self) -> tuple[list[str], list[str], list[str]]:
        """What still hangs: projects that the token reaches, that were invited to, that were offered."""
        db.session.flush()
        db.session.expire_all()
        reached = db.session.get_one(ApiToken, self.token.id).projects
        invited = db.session.scalars(sa.select(Project.name).join(Invitation, Invitation.project_id == Project.id))
        offered = db.session.scalars(sa.select(Project.name).join(Transfer, Transfer.project_id == Project.id))
        return sorted(project.name for project in reached), sorted(invited), sorted(offered)


@pytest.fixture
def scene(people: People, clock: SettableClock) -> Scene:
    return Scene(people, clock)


def test_without_a_role_nothing_of_theirs_hangs_on_the_project(scene: Scene) -> None:
    parting.end_of_role(db.session(), scene.project, scene.bo)

    assert scene.left() == (["buoys"], ["buoys"], ["buoys"])


OWNERS: dict[str, Callable[[Scene], None]] = {
    "their own": lambda scene: scene.own("owner"),
    "a team's": lambda scene: scene.lent("owner"),
    "the organization's": lambda scene: scene.by_the_organization("owner"),
}


@pytest.mark.parametrize("source", OWNERS)
def test_an_owners_role_that_is_left_carries_everything(scene: Scene, source: str) -> None:
    OWNERS[source](scene)

    parting.end_of_role(db.session(), scene.project, scene.bo)

    assert scene.left() == (["buoys", "tide-tables"], ["buoys", "tide-tables"], ["buoys", "tide-tables"])


@pytest.mark.parametrize("lend", [Scene.own, Scene.lent])
def test_a_maintainers_role_that_is_left_carries_tokens_only(scene: Scene, lend: Callable[[Scene, str], None]) -> None:
    lend(scene, "maintainer")

    parting.end_of_role(db.session(), scene.project, scene.bo)

    assert scene.left() == (["buoys", "tide-tables"], ["buoys"], ["buoys"])


def test_a_managers_part_in_the_organization_carries_nothing(scene: Scene) -> None:
    scene.by_the_organization("manager")

    parting.end_of_role(db.session(), scene.project, scene.bo)

    assert scene.left() == (["buoys"], ["buoys"], ["buoys"])


def test_a_team_of_another_organization_carries_nothing(scene: Scene) -> None:
    scene.lent("owner")
    scene.project.organization_id = scene.people.an_organization("night-watch", scene.cy).id

    parting.end_of_role(db.session(), scene.project, scene.bo)

    assert scene.left() == (["buoys"], ["buoys"], ["buoys"])


def test_what_others_sent_stays(scene: Scene) -> None:
    parting.end_of_role(db.session(), scene.project, scene.ana)
    parting.end_of_role(db.session(), scene.project, scene.cy)

    assert scene.left() == (["buoys", "tide-tables"], ["buoys", "tide-tables"], ["buoys", "tide-tables"])


def test_many_projects_and_people_are_looked_at_at_once(scene: Scene) -> None:
    scene.lent("owner")
    everything = sa.select(Project.id)

    parting.drop_lost(db.session(), everything)
    kept = scene.left()
    for table in (TeamMember, TeamProject, Team):
        db.session.execute(sa.delete(table))
    parting.drop_lost(db.session(), everything, sa.select(User.id).where(User.id == scene.ana.id))
    untouched = scene.left()
    parting.drop_lost(db.session(), everything)

    assert kept == untouched == (["tide-tables"], ["tide-tables"], ["tide-tables"])
    assert scene.left() == ([], [], [])
