"""What a try at a second factor costs. Apps, recovery codes and "confirm it is you" share the account's one budget:
a second kind of code must not mean further guesses."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain import journal
from domain.identity import throttle
from domain.identity.throttle import SECOND_FACTOR, SECOND_FACTOR_FROM_ADDRESS, TooMany
from domain.policy.principals import Origin

TOO_MANY = "too many tries"


def count(db: Session, user_id: int, *, origin: Origin, now: datetime) -> None:
    """Count a try before its outcome is known. Commits, as `throttle.take` does, and raises TooMany."""
    try:
        throttle.take(db, (SECOND_FACTOR, str(user_id)), (SECOND_FACTOR_FROM_ADDRESS, origin.address), now=now)
    except TooMany:
        note_refusal(db, user_id, TOO_MANY, origin=origin, now=now)
        raise


def forgive(db: Session, user_id: int, *, origin: Origin) -> None:
    """The try was right: the account starts over; the address, which others may share, gets this one back."""
    throttle.clear(db, SECOND_FACTOR, str(user_id))
    throttle.refund(db, SECOND_FACTOR_FROM_ADDRESS, origin.address)


def note_refusal(db: Session, user_id: int, reason: str, *, origin: Origin, now: datetime) -> None:
    """Leave an event of a try that failed. Commits it alone. reason: for the owner to read, such as "wrong code"."""
    journal.refuse(
        db,
        "account:second_factor:refused",
        now=now,
        origin=origin,
        actor_id=None,  # nobody knows who is typing
        user_id=user_id,
        details={"reason": reason},
    )
