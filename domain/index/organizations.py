"""Organizations: finding one, and which part somebody has in it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.policy.targets import OrganizationRole, Subject, Target
from models import Organization, OrganizationMember
from models.organization import organization_key


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
