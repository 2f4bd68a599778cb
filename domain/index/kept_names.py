"""Names of deleted projects, which only their former owners can have again for a while."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from domain.policy.targets import OrganizationRole, Role
from models import KeptName, Organization, OrganizationMember, Project, ProjectRole, User, kept_name_owner

KEPT = timedelta(days=30)


def keep(db: Session, project: Project, *, now: datetime) -> KeptName:
    """Keep the name of a project that is about to be deleted, for its owners; that of an organization's project for the
    organization alone: else whoever owns only the project would take it out of the organization by deleting it."""
    let_go(db, project.normalized_name)
    own = (ProjectRole.project_id == project.id) & (ProjectRole.role == Role.OWNER.word)
    owners = select(User).join(ProjectRole, ProjectRole.user_id == User.id).where(own)
    kept = KeptName(
        name=project.name,
        normalized_name=project.normalized_name,
        lookalike_key=project.lookalike_key,
        organization_id=project.organization_id,
        deleted_at=now,
        kept_until=now + KEPT,
        owners=list(db.scalars(owners)) if project.organization_id is None else [],
    )
    db.add(kept)
    return kept


def in_the_way(
    db: Session, key: str, *, user_id: int, organization: Organization | None, now: datetime
) -> KeptName | None:
    """A name with this look-alike key that is kept for others than this account, and than the organization that it acts
    for; None if there is none."""
    kept = select(KeptName).where(KeptName.lookalike_key == key, KeptName.kept_until > now, ~_is_of(user_id))
    if organization is not None:
        kept = kept.where(KeptName.organization_id.is_distinct_from(organization.id))
    return db.scalar(kept.limit(1))


def let_go(db: Session, normalized_name: str) -> None:
    """Keep a name no longer: it was given out again."""
    db.execute(delete(KeptName).where(KeptName.normalized_name == normalized_name))


def of_user(db: Session, user_id: int, *, now: datetime, most: int = 50) -> list[KeptName]:
    """The names that are kept for somebody, by themselves or as an owner of an organization; the first to end first."""
    theirs = select(KeptName).where(KeptName.kept_until > now, _is_of(user_id))
    return list(db.scalars(theirs.order_by(KeptName.kept_until, KeptName.id).limit(most)))


def sweep(db: Session, *, now: datetime) -> None:
    """Let go of names that were kept long enough."""
    db.execute(delete(KeptName).where(KeptName.kept_until <= now))


def _is_of(user_id: int) -> ColumnElement[bool]:
    own = select(kept_name_owner.c.kept_name_id).where(kept_name_owner.c.user_id == user_id)
    organizations = select(OrganizationMember.organization_id).where(
        OrganizationMember.user_id == user_id, OrganizationMember.role == OrganizationRole.OWNER.word
    )
    return or_(KeptName.id.in_(own), KeptName.organization_id.in_(organizations))
