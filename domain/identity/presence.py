"""Confirming that it is you: the password again and, where the account has an app, its code."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain import journal
from domain.identity import guesses, second_step, throttle
from domain.identity.factors import apps_of
from domain.identity.passwords import PasswordHasher
from domain.identity.throttle import PRESENCE, TooMany
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import User

FIELD = "password"


def prove_presence(
    db: Session,
    permit: Permit,
    hasher: PasswordHasher,
    box: SecretBox,
    *,
    password: str,
    code: str,
    now: datetime,
) -> None:
    """Return if whoever holds this session knows the password and holds an app; a session alone may be stolen.

    code: not asked for where the account has no app. Every try is counted in a budget that only a session of this
    account can spend, so that no stranger's guesses stand in its way; and committed.
    Raises Problem at the field.
    """
    permit.covers(Action.CONFIRM_PRESENCE)
    user_id, origin = permit.account.user_id, permit.principal.origin
    kept_hash = db.scalar(select(User.password_hash).where(User.id == user_id))
    # The count commits, so that the slow comparison holds no lock of the database.
    try:
        throttle.take(db, (PRESENCE, str(user_id)), now=now)
    except TooMany:
        _note_refusal(db, permit, guesses.TOO_MANY, now=now)
        raise
    if not hasher.verify(kept_hash, password):
        _note_refusal(db, permit, "wrong password", now=now)
        raise Problem("This is not your password.", field=FIELD)
    has_app = bool(apps_of(db, user_id))
    if has_app:
        second_step.check_code(db, box, user_id, code, origin=origin, now=now)
    throttle.clear(db, PRESENCE, str(user_id))
    details = {"by": "password and code" if has_app else "password"}
    journal.record(db, "account:presence:confirmed", now=now, origin=origin, actor_id=user_id, details=details)


def _note_refusal(db: Session, permit: Permit, reason: str, *, now: datetime) -> None:
    journal.refuse(
        db,
        "account:presence:refused",
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        details={"reason": reason},
    )
