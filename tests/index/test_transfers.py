"""Projects that are handed over: by an offer that is open for a week, answered once, and never into nobody's hands."""

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import account_deletion
from domain.index import invitations, organizations, ownership, projects, takeovers, transfers
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Denial
from domain.policy.judge import judge
from domain.policy.targets import OrganizationRole, ProjectStatus, Role, Target
from domain.problems import Problem
from models import (
    Event,
    Mail,
    Organization,
    OrganizationMember,
    Project,
    ProjectRole,
    TeamProject,
    Transfer,
    User,
    db,
)
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import EVERYONE, member_of, permit_for, permit_of
from tests.races import at_once


class Table:
    """The domain's functions with permits of their own."""

    def __init__(self, notices: Notices, clock: SettableClock) -> None:
        self._notices, self._clock = notices, clock

    def offer(self, user: User, project: Project, to: str, *, organization: bool = False, typed: str = "") -> Transfer:
        now, target = self._clock.now(), projects.target_of(db.session(), project, user.id)
        permit = permit_of(member_of(user, now=now), Action.TRANSFER_PROJECT, target, now=now)
        return transfers.offer(
            db.session(),
            permit,
            self._notices,
            project,
            receiver=to,
            is_organization=organization,
            confirmation=typed or project.name,
            now=now,
        )

    def withdraw(self, user: User, project: Project) -> None:
        now, target = self._clock.now(), projects.target_of(db.session(), project, user.id)
        permit = permit_of(member_of(user, now=now), Action.WITHDRAW_TRANSFER, target, now=now)
        transfers.withdraw(db.session(), permit, self._notices, project, now=now)

    def accept(self, user: User, transfer: Transfer) -> Project:
        now = self._clock.now()
        permit = permit_of(member_of(user, now=now), Action.ACCEPT_TRANSFER, transfers.target_of(transfer), now=now)
        return takeovers.accept(db.session(), permit, self._notices, transfer, now=now)

    def decline(self, user: User, transfer: Transfer) -> None:
        now = self._clock.now()
        permit = permit_of(member_of(user, now=now), Action.DECLINE_TRANSFER, transfers.target_of(transfer), now=now)
        transfers.decline(db.session(), permit, self._notices, transfer, now=now)

    def accept_into(self, user: User, transfer: Transfer) -> Project:
        now, organization = self._clock.now(), transfer.to_organization
        assert organization is not None
        target = organizations.target_of(db.session(), organization, user.id, subject=transfer, name="it")
        permit = permit_of(member_of(user, now=now), Action.ACCEPT_PROJECT, target, now=now)
        return takeovers.accept_into(db.session(), permit, self._notices, transfer, now=now)


@pytest.fixture
def table(notices: Notices, clock: SettableClock) -> Table:
    return Table(notices, clock)


def roles_in(project: Project) -> dict[str, str]:
    rows = db.session.execute(
        sa.select(User.username, ProjectRole.role).join(ProjectRole).where(ProjectRole.project_id == project.id)
    )
    return {row[0]: row[1] for row in rows}


def told() -> list[tuple[str, str]]:
    return sorted((mail.notice, mail.to.partition("@")[0]) for mail in db.session.scalars(sa.select(Mail)))


def tags() -> list[str]:
    return list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))


def test_an_offer_changes_nothing_and_tells_both_sides(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    project = people.a_project("tide-tables", ana, maintainers=(cy,))

    transfer = table.offer(ana, project, "BO")

    assert roles_in(project) == {"ana": "owner", "cy": "maintainer"}
    assert transfers.to_user(db.session(), bo.id, now=transfer.created_at) == [transfer]
    assert told() == [("transfer-offered", "bo"), ("transfer-pending", "ana")]
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.tag, event.user_id, event.project_id) == ("project:transfer:offered", bo.id, project.id)


def test_who_takes_a_project_over_owns_it_in_the_stead_of_who_offered_it(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    project = people.a_project("tide-tables", ana, maintainers=(bo, cy))
    tokens = [people.a_token(user, projects=(project,))[0] for user in (ana, bo, cy)]
    people.an_invitation(project, people.a_member("dan"), by=ana)
    transfer = table.offer(ana, project, "bo")

    table.accept(bo, transfer)

    assert roles_in(project) == {"bo": "owner", "cy": "maintainer"}
    db.session.expire_all()
    assert [len(token.projects) for token in tokens] == [0, 1, 1]
    assert db.session.scalar(sa.text("SELECT count(*) FROM invitation")) == 0
    assert db.session.scalar(sa.text("SELECT count(*) FROM transfer")) == 0
    assert tags() == ["project:transfer:offered", "project:transfer:accepted"]
    assert [each for each in told() if each[0] == "transfer-accepted"] == [
        ("transfer-accepted", name) for name in ("ana", "bo", "cy")
    ]


def test_other_owners_stay_owners(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    project = people.a_project("tide-tables", ana)
    db.session.add(ProjectRole(project_id=project.id, user_id=cy.id, role="owner", since=project.created_at))
    db.session.commit()

    table.accept(bo, table.offer(ana, project, "bo"))

    assert roles_in(project) == {"bo": "owner", "cy": "owner"}


def test_an_organization_that_takes_a_project_owns_it(people: People, table: Table) -> None:
    ana, bo, max_ = people.a_member("ana"), people.a_member("bo"), people.a_member("max")
    office = people.an_organization("tide-office", bo, managers=(max_,))
    project = people.a_project("tide-tables", ana)
    transfer = table.offer(ana, project, "Tide-Office", organization=True)

    table.accept_into(max_, transfer)

    assert project.organization_id == office.id
    assert roles_in(project) == {}
    assert projects.role_of(db.session(), project, bo.id) is Role.OWNER
    assert projects.role_of(db.session(), project, max_.id) is None
    event = db.session.scalars(sa.select(Event).where(Event.tag == "project:transfer:accepted")).one()
    assert (event.organization_id, event.project_id) == (office.id, project.id)
    assert ("transfer-accepted", "bo") in told()
    assert ("transfer-accepted", "ana") in told()


def test_a_project_that_leaves_an_organization_leaves_its_teams(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    office = people.an_organization("tide-office", ana, members=(cy,))
    watch = people.an_organization("night-watch", bo)
    project = people.an_organizations_project("tide-tables", office)
    people.a_team("Crew", office, members=(cy,), projects=((project, "owner"),))
    token, _ = people.a_token(cy, projects=(project,))

    table.accept_into(bo, table.offer(ana, project, "night-watch", organization=True))

    assert project.organization_id == watch.id
    assert [projects.role_of(db.session(), project, user.id) for user in (ana, bo, cy)] == [None, Role.OWNER, None]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TeamProject)) == 0
    db.session.expire_all()
    assert token.projects == []
    left = db.session.scalars(sa.select(Event).where(Event.tag == "organization:project:left")).one()
    assert left.organization_id == office.id


def test_of_an_organizations_project_only_its_owners_decide(people: People, clock: SettableClock) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    office = people.an_organization("tide-office", ana, members=(cy,))
    project = people.an_organizations_project("tide-tables", office)
    db.session.add(ProjectRole(project_id=project.id, user_id=bo.id, role="owner", since=project.created_at))
    people.a_team("Crew", office, members=(cy,), projects=((project, "owner"),))

    def may(user: User) -> bool:
        target, now = projects.target_of(db.session(), project, user.id), clock.now()
        return not isinstance(judge(member_of(user, now=now), Action.TRANSFER_PROJECT, target, EVERYONE, now), Denial)

    assert [may(user) for user in (ana, bo, cy)] == [True, False, False]
    project.organization = None
    db.session.flush()
    assert may(bo)


@pytest.mark.parametrize(
    ("to", "organization", "words"),
    [
        ("nobody", False, "nobody of that name"),
        ("ice", False, "nobody of that name"),  # whose account is frozen
        ("ana", False, "is yours already"),
        ("a\x00b", False, "nobody of that name"),
        ("", False, "nobody of that name"),
        ("x" * 300, False, "nobody of that name"),
        ("bo", True, "no organization of that name"),
        ("tide-office", False, "nobody of that name"),
        ("\x00", True, "no organization of that name"),
    ],
)
def test_who_cannot_have_it_is_named_at_the_field(
    people: People, table: Table, to: str, organization: bool, words: str
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    people.a_user("ice").verified().frozen().build()
    people.an_organization("tide-office", bo)
    project = people.a_project("tide-tables", ana)

    with pytest.raises(Problem, match=words) as refused:
        table.offer(ana, project, to, organization=organization)

    assert refused.value.field == "receiver"


def test_another_name_typed_hands_nothing_over(people: People, table: Table) -> None:
    ana, _ = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana)

    with pytest.raises(Problem, match="Type tide-tables") as refused:
        table.offer(ana, project, "bo", typed="tide-table")

    assert refused.value.field == "confirm"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 0


def test_an_organization_does_not_get_what_it_has(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    project = people.an_organizations_project("tide-tables", people.an_organization("tide-office", ana))

    with pytest.raises(Problem, match="belongs to tide-office already"):
        table.offer(ana, project, "tide-office", organization=True)


def test_one_offer_at_a_time_and_an_old_one_stands_in_no_ones_way(
    people: People, table: Table, clock: SettableClock
) -> None:
    ana, _, _ = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    project = people.a_project("tide-tables", ana)
    table.offer(ana, project, "bo")
    with pytest.raises(Problem, match="offered to bo already"):
        table.offer(ana, project, "cy")

    clock.advance(transfers.LASTS)

    assert transfers.receiver_of(table.offer(ana, project, "cy")) == "cy"


def test_after_a_week_it_is_too_late(people: People, table: Table, clock: SettableClock) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana)
    transfer = table.offer(ana, project, "bo")
    clock.advance(transfers.LASTS)

    with pytest.raises(Problem, match="not offered any more"):
        table.accept(bo, transfer)

    db.session.rollback()
    assert transfers.of_project(db.session(), project, now=clock.now()) is None
    transfers.sweep(db.session(), now=clock.now())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 0


def test_every_owner_can_keep_the_project_and_the_receiver_is_told(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    project = people.a_project("tide-tables", ana)
    db.session.add(ProjectRole(project_id=project.id, user_id=cy.id, role="owner", since=project.created_at))
    db.session.commit()
    table.offer(ana, project, "bo")

    table.withdraw(cy, project)

    assert tags()[-1] == "project:transfer:withdrawn"
    assert [name for notice, name in told() if notice == "transfer-ended"] == ["ana", "bo", "cy"]
    assert transfers.to_user(db.session(), bo.id, now=project.created_at) == []
    with pytest.raises(Problem, match="not offered any more"):
        table.withdraw(cy, project)


def test_whoever_declines_leaves_it_to_its_owners(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana)

    table.decline(bo, table.offer(ana, project, "bo"))

    assert roles_in(project) == {"ana": "owner"}
    assert tags()[-1] == "project:transfer:declined"
    assert ("transfer-ended", "ana") in told()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 0


def _demote(ana: User, project: Project, office: Organization) -> None:
    db.session.execute(sa.update(ProjectRole).where(ProjectRole.user_id == ana.id).values(role="maintainer"))


def _freeze(ana: User, project: Project, office: Organization) -> None:
    ana.is_active = False


def _move(ana: User, project: Project, office: Organization) -> None:
    project.organization = office


@pytest.mark.parametrize("change", [_demote, _freeze, _move])
def test_whoever_lost_the_right_since_gives_nothing_away(
    people: People, table: Table, change: Callable[[User, Project, Organization], None]
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana)
    office = people.an_organization("tide-office", people.a_member("cy"))
    transfer = table.offer(ana, project, "bo")
    change(ana, project, office)
    db.session.commit()

    with pytest.raises(Problem, match="may no longer give it away"):
        table.accept(bo, transfer)

    db.session.rollback()
    assert "bo" not in roles_in(project)


def test_a_quarantined_project_changes_no_hands(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana)
    transfer = table.offer(ana, project, "bo")
    project.status = ProjectStatus.QUARANTINED.value
    db.session.commit()

    with pytest.raises(Problem, match="quarantined"):
        table.accept(bo, transfer)


def test_whoever_was_taken_out_of_the_organization_takes_nothing_into_it(
    people: People, table: Table, clock: SettableClock
) -> None:
    ana, bo, max_ = people.a_member("ana"), people.a_member("bo"), people.a_member("max")
    people.an_organization("tide-office", bo, managers=(max_,))
    transfer = table.offer(ana, people.a_project("tide-tables", ana), "tide-office", organization=True)
    now = clock.now()
    target = Target(transfer, "it", organization_role=OrganizationRole.MANAGER)
    permit = permit_of(member_of(max_, now=now), Action.ACCEPT_PROJECT, target, now=now)
    db.session.execute(sa.delete(OrganizationMember).where(OrganizationMember.user_id == max_.id))

    with pytest.raises(Problem, match="no longer have the role in tide-office"):
        takeovers.accept_into(db.session(), permit, table._notices, transfer, now=now)

    assert transfer.project.organization_id is None


def test_an_owner_of_their_own_offers_nothing_once_an_organization_has_it(
    people: People, table: Table, clock: SettableClock
) -> None:
    """The permit is given before the project is locked."""
    ana, _ = people.a_member("ana"), people.a_member("bo")
    project, now = people.a_project("tide-tables", ana), clock.now()
    permit = permit_for(ana, Action.TRANSFER_PROJECT, project, now=now)
    project.organization = people.an_organization("tide-office", people.a_member("cy"))
    db.session.commit()

    with pytest.raises(Problem, match="no longer have the role"):
        transfers.offer(
            db.session(),
            permit,
            table._notices,
            project,
            receiver="bo",
            is_organization=False,
            confirmation="tide-tables",
            now=now,
        )


def test_a_project_that_changed_its_organization_meanwhile_is_not_taken(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    office, watch = people.an_organization("tide-office", ana), people.an_organization("night-watch", ana)
    project = people.an_organizations_project("tide-tables", office)
    transfer = table.offer(ana, project, "bo")
    assert project.organization_id == office.id  # as it was when the page was opened
    moved = sa.update(Project).values(organization_id=watch.id)
    db.session.execute(moved.execution_options(synchronize_session=False))

    with pytest.raises(Problem, match="not offered any more"):
        table.accept(bo, transfer)


def test_whoever_offers_a_project_to_their_own_organization_gets_one_mail(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    people.an_organization("tide-office", ana)

    table.offer(ana, people.a_project("tide-tables", ana), "tide-office", organization=True)

    assert told() == [("transfer-pending", "ana")]


def test_an_address_that_is_not_proved_gets_no_mail_of_an_offer(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    people.a_user("newt").build()

    table.offer(ana, people.a_project("tide-tables", ana), "newt")

    assert told() == [("transfer-pending", "ana")]


def test_an_organization_reads_in_its_history_what_it_gave_away(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    office = people.an_organization("tide-office", ana)

    table.accept(bo, table.offer(ana, people.an_organizations_project("tide-tables", office), "bo"))

    events = db.session.scalars(sa.select(Event).where(Event.tag.like("project:transfer:%"))).all()
    assert {event.organization_id for event in events} == {office.id}


def test_when_an_organization_declines_its_owners_are_told(people: People, table: Table, clock: SettableClock) -> None:
    ana, bo, max_ = people.a_member("ana"), people.a_member("bo"), people.a_member("max")
    office = people.an_organization("tide-office", bo, managers=(max_,))
    transfer, now = (
        table.offer(ana, people.a_project("tide-tables", ana), "tide-office", organization=True),
        clock.now(),
    )
    target = organizations.target_of(db.session(), office, max_.id, subject=transfer, name="it")
    permit = permit_of(member_of(max_, now=now), Action.DECLINE_PROJECT, target, now=now)

    transfers.decline_into(db.session(), permit, table._notices, transfer, now=now)

    assert [name for notice, name in told() if notice == "transfer-ended"] == ["ana", "bo"]


def test_whoever_takes_a_project_over_has_no_invitation_to_it_left(
    people: People, table: Table, clock: SettableClock
) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    project = people.a_project("tide-tables", ana)
    db.session.add(ProjectRole(project_id=project.id, user_id=cy.id, role="owner", since=project.created_at))
    people.an_invitation(project, bo, by=cy)

    table.accept(bo, table.offer(ana, project, "bo"))

    assert invitations.to_user(db.session(), bo.id, now=clock.now()) == []


def test_who_stays_leaves_out_giver_and_receiver_but_not_a_lesser_part(people: People) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    project = people.a_project("tide-tables", ana, maintainers=(bo, cy))

    stay = takeovers.who_stays(db.session(), project, giver_id=ana.id, receiver_id=bo.id)
    giver_is_lent = takeovers.who_stays(db.session(), project, giver_id=cy.id, receiver_id=None)

    assert [part.user.username for part in stay] == ["cy"]
    assert [part.user.username for part in giver_is_lent] == ["ana", "bo", "cy"]


class Moment:
    """Ana's project and her offer to bo, done to from several threads."""

    def __init__(self, app: Flask, clock: SettableClock) -> None:
        self.app, self.clock, self.people = app, clock, People(app, clock)
        self.table = Table(wiring_of(app).notices, clock)
        self.ana, self.bo = (self.people.a_member(name).id for name in ("ana", "bo"))

    def a_transfer(self, name: str) -> tuple[int, int]:
        project = self.people.a_project(name, db.session.get_one(User, self.ana))
        transfer = self.people.a_transfer(
            project, db.session.get_one(User, self.bo), by=db.session.get_one(User, self.ana)
        )
        return project.id, transfer.id

    def accept(self, transfer_id: int) -> None:
        transfer = db.session.get(Transfer, transfer_id)
        if transfer is None:
            raise Problem("It is gone already.")
        self.table.accept(db.session.get_one(User, self.bo), transfer)

    def withdraw(self, project_id: int) -> None:
        now, project = self.clock.now(), db.session.get_one(Project, project_id)
        ana = db.session.get_one(User, self.ana)
        permit = permit_for(ana, Action.WITHDRAW_TRANSFER, project, now=now)
        transfers.withdraw(db.session(), permit, wiring_of(self.app).notices, project, now=now)

    def delete_receiver(self) -> None:
        now, bo = self.clock.now(), db.session.get_one(User, self.bo)
        account_deletion.delete_account(
            db.session(),
            permit_for(bo, Action.DELETE_ACCOUNT, now=now),
            wiring_of(self.app).notices,
            confirmation="bo",
            owned_alone=ownership.owned_alone_for_good,
            now=now,
        )


@pytest.fixture
def moment(either_app: Flask, clock: SettableClock) -> Moment:
    return Moment(either_app, clock)


def test_taken_and_withdrawn_at_once_only_one_happens(moment: Moment) -> None:
    for number in range(5):
        project_id, transfer_id = moment.a_transfer(f"tide-{number}")
        db.session.rollback()

        refusals = at_once(moment.app, partial(moment.accept, transfer_id), partial(moment.withdraw, project_id))

        assert refusals.count(None) == 1
        owners = roles_in(db.session.get_one(Project, project_id))
        assert owners in ({"ana": "owner"}, {"bo": "owner"})
        db.session.rollback()


def test_taken_twice_at_once_it_is_taken_once(moment: Moment) -> None:
    project_id, transfer_id = moment.a_transfer("tide-tables")
    db.session.rollback()

    refusals = at_once(moment.app, *[partial(moment.accept, transfer_id)] * 4)

    assert refusals.count(None) == 1
    assert roles_in(db.session.get_one(Project, project_id)) == {"bo": "owner"}


def test_an_account_that_is_deleted_while_it_takes_a_project_leaves_nothing_to_nobody(moment: Moment) -> None:
    project_id, transfer_id = moment.a_transfer("tide-tables")
    db.session.rollback()

    at_once(moment.app, partial(moment.accept, transfer_id), moment.delete_receiver)

    owners = roles_in(db.session.get_one(Project, project_id))
    there = db.session.get(User, moment.bo) is not None
    assert owners == ({"bo": "owner"} if there else {"ana": "owner"})
