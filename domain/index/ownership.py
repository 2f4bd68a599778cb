"""What somebody owns alone, and would leave without an owner."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from domain.policy.targets import OrganizationRole, Role
from models import Organization, OrganizationMember, Project, ProjectRole, User


@dataclass(frozen=True)
class Alone:
    """What has no other owner who can act: a frozen account looks after nothing."""

    projects: list[Project]
    organizations: list[Organization]

    @property
    def names(self) -> list[str]:
        """All of it, by name."""
        return [project.name for project in self.projects] + [one.name for one in self.organizations]


def owned_alone(db: Session, user_id: int) -> Alone:
    """The projects that no organization owns, and the organizations, of which this account is the only owner."""
    other = aliased(ProjectRole)
    others = (
        select(other.id)
        .join(User, User.id == other.user_id)
        .where(other.project_id == Project.id, other.user_id != user_id, other.role == Role.OWNER.word, User.is_active)
    )
    theirs = (ProjectRole.user_id == user_id) & (ProjectRole.role == Role.OWNER.word)
    projects = select(Project).join(ProjectRole).where(theirs, Project.organization_id.is_(None), ~others.exists())
    peer = aliased(OrganizationMember)
    peers = (
        select(peer.id)
        .join(User, User.id == peer.user_id)
        .where(
            peer.organization_id == Organization.id,
            peer.user_id != user_id,
            peer.role == OrganizationRole.OWNER.word,
            User.is_active,
        )
    )
    part = (OrganizationMember.user_id == user_id) & (OrganizationMember.role == OrganizationRole.OWNER.word)
    organizations = (
        select(Organization)
        .join(OrganizationMember, OrganizationMember.organization_id == Organization.id)
        .where(part, ~peers.exists())
    )
    return Alone(
        list(db.scalars(projects.order_by(Project.normalized_name))),
        list(db.scalars(organizations.order_by(Organization.name_key))),
    )


def owned_alone_for_good(db: Session, user_id: int) -> list[str]:
    """The names of the same, with all that they own locked first: what an owner beside them does in this moment, or
    somebody who hands a project over, is waited for, and nothing of it changes until the transaction ends."""
    organization_ids = select(OrganizationMember.organization_id).where(OrganizationMember.user_id == user_id)
    locked = select(Organization.id).where(Organization.id.in_(organization_ids))
    db.execute(locked.order_by(Organization.id).with_for_update(key_share=True)).all()
    project_ids = select(ProjectRole.project_id).where(ProjectRole.user_id == user_id)
    db.execute(
        select(Project.id).where(Project.id.in_(project_ids)).order_by(Project.id).with_for_update(key_share=True)
    ).all()
    return owned_alone(db, user_id).names
