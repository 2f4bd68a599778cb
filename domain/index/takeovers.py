"""Offered projects that are taken over.

The owner's role of whoever offered a project ends then, and the receiver owns it. Other people keep their roles, and
trusted publishers stay. Locks are taken as in `transfers`.
"""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from domain import journal
from domain.index import collaborators, invitations, organizations, projects, teams, transfers
from domain.index.announcements import announce
from domain.index.keepers import hold, keepers_of
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, ProjectStatus, Role
from domain.problems import Problem
from models import Project, ProjectRole, Transfer, User


def accept(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> Project:
    """Take over a project that was offered to oneself, and return it. Everybody who had or has a part in it is told.

    Raises Problem if the offer is not open any more, or whoever made it may no longer give the project away.
    """
    permit.covers(Action.ACCEPT_TRANSFER, transfer)
    project = transfer.project
    transfers.lock_organizations(db, project.organization_id)
    _lock_project(db, transfer)
    receiver = hold(db, permit.account.user_id)
    named = transfers.named(transfer)
    before = _spend(db, permit, transfer, now=now)
    project.organization = None
    part = db.scalar(
        select(ProjectRole).where(ProjectRole.project_id == project.id, ProjectRole.user_id == receiver.id)
    )
    if part is None:
        db.add(ProjectRole(project_id=project.id, user_id=receiver.id, role=Role.OWNER.word, since=now))
    else:
        part.role = Role.OWNER.word
    _settle(db, permit, notices, project, before, named, now=now)
    return project


def accept_into(db: Session, permit: Permit, notices: Notices, transfer: Transfer, *, now: datetime) -> Project:
    """Take a project into an organization, whose owners own it from now on; otherwise as `accept`."""
    permit.covers(Action.ACCEPT_PROJECT, transfer)
    project, organization = transfer.project, transfer.to_organization
    assert organization is not None  # noqa: S101 - one to a person is answered elsewhere
    transfers.lock_organizations(db, project.organization_id, organization.id)
    organizations.lock(db, permit, organization, OrganizationRole.MANAGER)
    _lock_project(db, transfer)
    named = transfers.named(transfer)
    before = _spend(db, permit, transfer, now=now)
    _record_leaving(db, permit, project, now=now)
    project.organization = organization
    _settle(db, permit, notices, project, before, named, now=now)
    return project


def who_stays(db: Session, project: Project, *, giver_id: int, receiver_id: int | None) -> list[ProjectRole]:
    """The parts of their own that people keep when the project changes hands: owners first, then by name. receiver_id:
    None where it is not a person, or not known yet."""
    return [
        part
        for part in collaborators.of_project(db, project)
        if part.user_id != receiver_id and (part.user_id != giver_id or part.role != Role.OWNER.word)
    ]


def _lock_project(db: Session, transfer: Transfer) -> None:
    """Lock the project, and see that it still stands as it did when its organization was locked."""
    project, organization_id = transfer.project, transfer.project.organization_id
    locked = select(Project).where(Project.id == project.id).with_for_update(key_share=True)
    if db.scalar(locked.execution_options(populate_existing=True)) is None:
        raise projects.Gone(project.name)
    if project.organization_id != organization_id:
        raise transfers.NotOpen(project)
    if project.status == ProjectStatus.QUARANTINED.value:
        raise Problem(f"{project.name} is quarantined, and stays with its owners until that is over.")


def _check_right(db: Session, project: Project, user_id: int) -> None:
    """See once more that somebody may give the project away; the judge asked the same before the project was locked."""
    role, organization_role = projects.parts_of(db, project, user_id)
    if role is not Role.OWNER or (project.organization_id and organization_role is not OrganizationRole.OWNER):
        raise Problem(f"Whoever offers {project.name} may no longer give it away. Ask its owners.")


def _spend(db: Session, permit: Permit, transfer: Transfer, *, now: datetime) -> list[User]:
    """Use an open offer up, once, and take from whoever made it what they gave away; everybody who had a part."""
    project, giver = transfer.project, transfer.offered_by
    before = [keeper.user for keeper in keepers_of(db, project)]
    transfers.record(db, permit, "accepted", transfer, now=now)
    transfers.use_up(db, transfer, now=now)
    if not giver.is_active:
        raise Problem(f"Whoever offers {project.name} may no longer give it away. Ask its owners.")
    _check_right(db, project, giver.id)
    own = (ProjectRole.project_id == project.id) & (ProjectRole.user_id == giver.id)
    db.execute(delete(ProjectRole).where(own, ProjectRole.role == Role.OWNER.word))
    return before


def _settle(
    db: Session,
    permit: Permit,
    notices: Notices,
    project: Project,
    before: list[User],
    named: dict[str, object],
    *,
    now: datetime,
) -> None:
    """End what hung on roles that are gone, and tell everybody who had a part in the project or has one now."""
    teams.forget_project(db, project)
    invitations.drop_others(db, project, permit.account.user_id)
    after = [keeper.user for keeper in keepers_of(db, project)]
    told = {user.id: user for user in [*before, *after]}.values()
    announce(db, permit, notices, "transfer-accepted", told, project=project, now=now, **named)


def _record_leaving(db: Session, permit: Permit, project: Project, *, now: datetime) -> None:
    """For the history of the organization that loses a project to another one."""
    if project.organization is not None:
        journal.record(
            db,
            "organization:project:left",
            now=now,
            origin=permit.principal.origin,
            actor_id=permit.account.user_id,
            organization_id=project.organization_id,
            details={"project": project.name, "organization": project.organization.name},
        )
