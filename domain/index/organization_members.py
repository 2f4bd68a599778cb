"""Who belongs to an organization, and how people come and go."""

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from models import Organization, OrganizationMember, User


def of_organization(db: Session, organization: Organization) -> list[OrganizationMember]:
    """Everybody with a part in the organization: owners first, then managers, then members; each by name."""
    parts = select(OrganizationMember).join(OrganizationMember.user).options(contains_eager(OrganizationMember.user))
    # The words happen to sort: owner, member, manager do not; so by length of power.
    return list(
        db.scalars(parts.where(OrganizationMember.organization_id == organization.id).order_by(User.username_key))
    )
