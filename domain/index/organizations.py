"""Organizations: finding one, and which part somebody has in it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session, contains_eager

from domain.policy.decision import Permit
from domain.policy.targets import OrganizationRole, Subject, Target
from domain.problems import Problem
from models import Organization, OrganizationMember, Project, User
from models.organization import organization_key

PAGE = 50


def find(db: Session, name: str) -> Organization | None:
    """The organization of this name, in whichever case it is spelt; None if there is none."""
    if not (name.isascii() and name.isprintable()):  # none has such a name, and PostgreSQL takes no NUL
        return None
    return db.scalar(select(Organization).where(Organization.name_key == organization_key(name)))


def role_of(db: Session, organization: Organization, user_id: int) -> OrganizationRole | None:
    """The part that somebody has in an organization; None for none."""
    part = select(OrganizationMember.role).where(
        OrganizationMember.organization_id == organization.id, OrganizationMember.user_id == user_id
    )
    return OrganizationRole.from_word(db.scalar(part))


def target_of(
    db: Session, organization: Organization, user_id: int, *, subject: Subject | None = None, name: str | None = None
) -> Target:
    """An organization, or something that belongs to it, as the target of an action by this account.

    subject, name: what of the organization it is, such as a team; the organization itself unless said otherwise.
    """
    return Target(
        subject or organization,
        name or organization.name,
        organization_role=role_of(db, organization, user_id),
        asks_for_key=organization.name if organization.asks_for_key else None,
    )


def owners_of(db: Session, organization: Organization) -> list[User]:
    """The owners of the organization who can act, by name."""
    owners = select(User).join(OrganizationMember, OrganizationMember.user_id == User.id)
    is_owner = OrganizationMember.role == OrganizationRole.OWNER.word
    here = owners.where(OrganizationMember.organization_id == organization.id, is_owner, User.is_active)
    return list(db.scalars(here.order_by(User.username_key)))


def lock(db: Session, permit: Permit, organization: Organization, least: OrganizationRole) -> None:
    """Have all changes to an organization wait for each other, and look again whether the permit's holder has the
    role that it was given for. Raises Problem if it is gone."""
    there = select(Organization.id).where(Organization.id == organization.id).with_for_update(key_share=True)
    if db.scalar(there) is None:
        raise Problem("This organization is gone: somebody deleted it.")
    held = role_of(db, organization, permit.account.user_id)
    if held is None or held < least:
        raise Problem(f"You no longer have the role in {organization.name} that this asks for.")


@dataclass(frozen=True)
class PartsLeaf:
    """One page of somebody's parts in organizations. next: what `after` the next page begins; None for the last."""

    parts: list[OrganizationMember]
    next: str | None


def parts_of_user(db: Session, user_id: int, *, after: str = "", most: int = PAGE) -> PartsLeaf:
    """Somebody's parts in organizations, each with its organization, by name: those behind the key `after`."""
    parts = select(OrganizationMember).join(OrganizationMember.organization)
    parts = parts.options(contains_eager(OrganizationMember.organization))
    behind = Organization.name_key > after if after.isascii() and after.isprintable() else true()
    found = parts.where(OrganizationMember.user_id == user_id, behind).order_by(Organization.name_key).limit(most + 1)
    rows = list(db.scalars(found))
    return PartsLeaf(rows[:most], next=rows[most - 1].organization.name_key if len(rows) > most else None)


@dataclass(frozen=True)
class ProjectsLeaf:
    """One page of an organization's projects. next: what `after` the next page begins; None for the last."""

    projects: list[Project]
    next: str | None


def projects_of(
    db: Session, organization: Organization, *, among: ColumnElement[bool], after: str = "", most: int = PAGE
) -> ProjectsLeaf:
    """The projects that an organization owns, by name: those behind the normalized name `after`. among: which projects
    are there for the reader."""
    behind = Project.normalized_name > after if after.isascii() and after.isprintable() else true()
    owned = select(Project).where(Project.organization_id == organization.id, behind, among)
    rows = list(db.scalars(owned.order_by(Project.normalized_name).limit(most + 1)))
    return ProjectsLeaf(rows[:most], next=rows[most - 1].normalized_name if len(rows) > most else None)
