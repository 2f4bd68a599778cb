"""What the operator does when an account may be in the wrong hands: end its sessions, or freeze it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain import journal
from domain.identity import browsers
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import User


def end_sessions(db: Session, permit: Permit, user: User, *, now: datetime) -> None:
    """Sign one account out everywhere; its browsers are neither trusted nor known any more."""
    permit.covers(Action.END_SESSIONS, user)
    _sign_out(db, permit, user.id, now=now)


def end_everybodys_sessions(db: Session, permit: Permit, *, now: datetime) -> int:
    """The same for all accounts, administrators too; returns how many there are."""
    permit.covers(Action.END_SESSIONS)
    user_ids = db.scalars(select(User.id).order_by(User.id)).all()
    for user_id in user_ids:
        _sign_out(db, permit, user_id, now=now)
    return len(user_ids)


def freeze(db: Session, permit: Permit, user: User, *, now: datetime) -> None:
    """Let an account do nothing any more, by browser or by token, and sign it out everywhere. What it published stays.

    Raises Problem if it is frozen already.
    """
    permit.covers(Action.FREEZE_ACCOUNT, user)
    if not user.is_active:
        raise Problem(f"{user.username} is frozen already.")
    user.is_active = False
    browsers.sign_out_others(db, user.id, kept=None)
    _record(db, permit, "operator:account:frozen", user.id, now=now)


def unfreeze(db: Session, permit: Permit, user: User, *, now: datetime) -> None:
    """Let it do again what it could; its tokens work at once. Raises Problem if it is not frozen."""
    permit.covers(Action.UNFREEZE_ACCOUNT, user)
    if user.is_active:
        raise Problem(f"{user.username} is not frozen.")
    user.is_active = True
    _record(db, permit, "operator:account:unfrozen", user.id, now=now)


def _sign_out(db: Session, permit: Permit, user_id: int, *, now: datetime) -> None:
    browsers.sign_out_others(db, user_id, kept=None)
    _record(db, permit, "operator:sessions:ended", user_id, now=now)


def _record(db: Session, permit: Permit, tag: str, user_id: int, *, now: datetime) -> None:
    journal.record(db, tag, now=now, origin=permit.principal.origin, actor_id=None, user_id=user_id)
