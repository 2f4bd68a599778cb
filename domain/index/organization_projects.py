"""The projects of an organization: how one comes to it by name, and how one is given back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain import journal
from domain.index import keepers, organizations, reservations, teams
from domain.index.announcements import announce
from domain.index.keepers import Keeper
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, Role
from domain.problems import Problem
from models import Organization, Project, ProjectRole, User


@dataclass(frozen=True)
class Impact:
    """What giving a project back would mean. owners: to whom it would belong. losers: who would lose what an
    organization or a team lends them there."""

    owners: list[User]
    losers: list[Keeper]


def impact_of_giving_back(db: Session, project: Project) -> Impact:
    """Who would have the project if its organization gave it back, and who would lose a role."""
    return Impact(_own_owners(db, project), [keeper for keeper in keepers.keepers_of(db, project) if keeper.by])


def reserve(
    db: Session, permit: Permit, notices: Notices, organization: Organization, *, name: str, now: datetime
) -> Project:
    """Reserve a name for an organization. Its owners are told.

    Raises Problem for a name that cannot be had. The caller counts the try in `throttle.RESERVE_NAME`.
    """
    permit.covers(Action.CREATE_ORGANIZATION_PROJECT, organization)
    organizations.lock(db, permit, organization, OrganizationRole.MANAGER)
    project = reservations.reserve_for_organization(db, permit, notices, organization, name=name, now=now)
    told = organizations.owners_of(db, organization)
    notice = "organization-project-reserved"
    announce(db, permit, notices, notice, told, project=project, now=now, organization=organization)
    return project


def give_back(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """Let a project leave its organization and belong to its own owners. Everybody who had a role in it is told.

    Raises Problem: it has no owner of its own who can act, or it has left already.
    """
    permit.covers(Action.REMOVE_ORGANIZATION_PROJECT, project)
    organization = project.organization
    if organization is None:
        raise Problem(f"{project.name} belongs to no organization any more.")
    organizations.lock(db, permit, organization, OrganizationRole.OWNER)
    still = (Project.id == project.id) & (Project.organization_id == organization.id)
    locked = select(Project).where(still).with_for_update(key_share=True).execution_options(populate_existing=True)
    if db.scalar(locked) is None:
        raise Problem(f"{project.name} no longer belongs to {organization.name}.")
    if not _own_owners(db, project):
        raise Problem(
            f"{project.name} has no owner of its own to be given back to. Invite one first, or hand the project over."
        )
    told = [keeper.user for keeper in keepers.keepers_of(db, project)]
    project.organization = None
    db.flush()
    teams.forget_project(db, project)
    journal.record(
        db,
        "organization:project:given_back",
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        project_id=project.id,
        organization_id=organization.id,
        details={"project": project.name, "organization": organization.name},
    )
    announce(db, permit, notices, "project-given-back", told, project=project, now=now, organization=organization)


def _own_owners(db: Session, project: Project) -> list[User]:
    """Those with an owner's role of their own who can act."""
    own = (ProjectRole.project_id == project.id) & (ProjectRole.role == Role.OWNER.word)
    owners = select(User).join(ProjectRole, ProjectRole.user_id == User.id).where(own, User.is_active)
    return list(db.scalars(owners.order_by(User.username_key)))
