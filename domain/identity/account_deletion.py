"""How an account ends: everything that is its own goes, what it published stays, and its name is nobody's for ever."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from domain import journal
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import RetiredName, User

RETIRED_AS = "user"


def delete_account(
    db: Session,
    permit: Permit,
    notices: Notices,
    *,
    confirmation: str,
    owned_alone: Callable[[Session, int], list[str]],
    now: datetime,
) -> None:
    """Delete one's own account; all its verified addresses are told. Its sessions and tokens end with it.

    confirmation: the username, as it was typed again.
    owned_alone: the names of all that would have no owner left, locked until the transaction ends.
    Raises Problem: not confirmed, something would be left without an owner, or the index without an administrator.
    """
    permit.covers(Action.DELETE_ACCOUNT)
    user_id = permit.member.account.user_id
    owned_alone(db, user_id)  # all locks are taken in one order: organizations, projects, accounts
    administrators = _locked_administrators(db)
    user = db.get_one(User, user_id, with_for_update=True, populate_existing=True)
    names = owned_alone(db, user_id)  # with what came to the account until it was locked itself
    if confirmation != user.username:
        raise Problem(f"Type the username {user.username} to delete the account.", field="confirm")
    if names:
        raise Problem(f"You are the only owner of {', '.join(names)}. Hand over or delete what is yours alone first.")
    if administrators == [user_id]:
        raise Problem(
            "You are the only administrator, and this index needs one. Have the operator create another one first."
        )
    notices.tell(db, user, "account-deleted", now=now, origin=permit.principal.origin)
    _record(db, permit, user, now=now)
    db.add(RetiredName(kind=RETIRED_AS, key=user.username_key, retired_at=now))
    db.flush()
    db.expunge(user)
    db.execute(delete(User).where(User.id == user_id).execution_options(synchronize_session=False))


def is_last_administrator(db: Session, user_id: int) -> bool:
    """Whether this account is the only administrator who can act."""
    return list(db.scalars(select(User.id).where(User.is_admin, User.is_active))) == [user_id]


def is_retired(db: Session, key: str) -> bool:
    """Whether an account that was deleted had this name; key: in lower case."""
    return db.get(RetiredName, (RETIRED_AS, key)) is not None


def _locked_administrators(db: Session) -> list[int]:
    """Always in one order, so that two who leave at once wait for each other and do not block."""
    return list(db.scalars(select(User.id).where(User.is_admin, User.is_active).order_by(User.id).with_for_update()))


def _record(db: Session, permit: Permit, user: User, *, now: datetime) -> None:
    origin, details = permit.principal.origin, {"username": user.username}
    journal.record(db, "account:user:deleted", now=now, origin=origin, actor_id=user.id, details=details)
