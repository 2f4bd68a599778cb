"""What a try at a second factor costs. Apps, keys, recovery codes and "confirm it is you" share the account's one
budget: a second kind of proof must not mean further guesses."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain import journal
from domain.identity import throttle
from domain.identity.throttle import CODES_IN_A_ROW, SECOND_FACTOR, SECOND_FACTOR_FROM_ADDRESS, Budget, TooMany
from domain.policy.principals import Origin
from domain.problems import Problem

TOO_MANY = "too many tries"


class CodesOver(Problem):
    """A hundred codes in a row were wrong: whoever types them is not the one who holds the app."""

    def __init__(self) -> None:
        super().__init__(
            "A hundred codes in a row were wrong, so codes of apps are refused. Use a passkey, a security key or a "
            "recovery code: then they work again. Without any, ask an administrator of this index.",
            code="codes_over",
        )


def count(db: Session, user_id: int, *more: Budget, origin: Origin, now: datetime) -> None:
    """Count a try before its outcome is known. Commits, as `throttle.take` does, and raises TooMany.

    more: further budgets of the account, for tries of one kind, spent only by tries that are looked at: whoever keeps
    trying while they have to wait is not wrong once more each time. Raises CodesOver where that of codes is spent.
    """
    key = str(user_id)
    try:
        throttle.take(db, (SECOND_FACTOR, key), (SECOND_FACTOR_FROM_ADDRESS, origin.address), now=now)
        if more:
            throttle.take(db, *((budget, key) for budget in more), now=now)
    except TooMany as spent:
        note_refusal(db, user_id, TOO_MANY, origin=origin, now=now)
        if spent.budget is CODES_IN_A_ROW:
            raise CodesOver from None
        raise


def forgive(db: Session, user_id: int, *, origin: Origin) -> None:
    """The try was right: the account starts over; the address, which others may share, gets this one back."""
    for budget in (SECOND_FACTOR, CODES_IN_A_ROW):
        throttle.clear(db, budget, str(user_id))
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
