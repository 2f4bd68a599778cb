"""What the rules need to know of an account, read in one statement."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from domain.policy.principals import Factor, Standing
from models import Email, TotpApp, User


def standing_of(db: Session, user_id: int) -> Standing | None:
    """The account's standing as it is now, or None if there is no such account."""
    verified = exists().where(Email.user_id == User.id, Email.is_primary, Email.verified_at.is_not(None))
    has_totp = exists().where(TotpApp.user_id == User.id)
    row = db.execute(
        select(User.id, User.username, User.is_active, User.registered_at, verified, has_totp).where(User.id == user_id)
    ).one_or_none()
    if row is None:
        return None
    found_id, username, is_active, registered_at, has_verified_email, has_totp_app = row
    return Standing(
        user_id=found_id,
        username=username,
        is_active=is_active,
        has_verified_email=has_verified_email,
        registered_at=registered_at,
        factors=frozenset({Factor.TOTP} if has_totp_app else ()),
    )
