"""Invitations to a project or an organization: whose they are, and how they end."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.orm import Session

from domain.policy.targets import Target
from domain.problems import Problem
from models import Email, Invitation

INVITATION_LASTS = timedelta(days=7)


def find(db: Session, invitation_id: int, *, user_id: int) -> Invitation | None:
    """The invitation of this number if it is this account's to answer, open or not; else None."""
    return db.scalar(select(Invitation).where(Invitation.id == invitation_id, _is_to(user_id)))


def target_of(invitation: Invitation, user_id: int) -> Target:
    """An invitation as the target of an answer. user_id: whose it is to answer, as `find` knows."""
    organization = invitation.organization or (invitation.project.organization if invitation.project else None)
    return Target(
        invitation,
        name_of(invitation),
        owner_id=user_id,
        asks_for_key=organization.name if organization is not None and organization.asks_for_key else None,
    )


def name_of(invitation: Invitation) -> str:
    """What it invites to, by name."""
    place = invitation.project or invitation.organization
    assert place is not None  # noqa: S101 - the table has a constraint
    return place.name


def open_at(now: datetime) -> Select[Invitation]:
    """Invitations that can still be answered, oldest first."""
    return select(Invitation).where(Invitation.expires_at > now).order_by(Invitation.id)


def to_user(db: Session, user_id: int, *, now: datetime) -> list[Invitation]:
    """Somebody's open invitations, oldest first, those to proved addresses of theirs included."""
    return list(db.scalars(open_at(now).where(_is_to(user_id))))


def spend(db: Session, invitation: Invitation, *, now: datetime) -> None:
    """Use an open invitation up, once. Raises Problem if it is not open any more."""
    spent = db.scalar(
        delete(Invitation)
        .where(Invitation.id == invitation.id, Invitation.expires_at > now)
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    if spent is None:
        raise Problem(f"The invitation to {name_of(invitation)} is not open any more. Ask its owners for a new one.")
    db.expunge(invitation)


def sweep(db: Session, *, now: datetime) -> None:
    """Remove invitations that were not answered in time."""
    db.execute(delete(Invitation).where(Invitation.expires_at <= now))


def _is_to(user_id: int) -> ColumnElement[bool]:
    proved = select(Email.address_key).where(Email.user_id == user_id, Email.verified_at.is_not(None))
    return or_(Invitation.user_id == user_id, Invitation.address_key.in_(proved))
