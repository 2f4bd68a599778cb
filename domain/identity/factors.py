"""Second factors of an account, whatever their kind: which there are, what must stay, how they are renamed and go."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Delete, Update

from adapters.secretbox import SecretBox
from domain import journal
from domain.identity import browsers, recovery, throttle
from domain.identity.labels import clean_label
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Denial, Permit, Reason
from domain.policy.judge import judge
from domain.policy.principals import Member, Origin, Standing
from domain.policy.rules import Policy
from domain.problems import Problem
from models import Passkey, TotpApp, User

MAX_LABEL = 64
LABEL_FIELD = "label"

SecondFactor = TotpApp | Passkey
TABLES: tuple[type[SecondFactor], ...] = (TotpApp, Passkey)
TAGS = {TotpApp: "account:totp", Passkey: "account:passkey"}


def secret_context(*, user_id: int, public_id: str) -> str:
    """What an app's secret is sealed for: this row of this account, so that swapped rows do not open."""
    return f"totp:{user_id}:{public_id}"


def apps_of(db: Session, user_id: int) -> list[TotpApp]:
    """The account's authenticator apps, oldest first."""
    return list(db.scalars(select(TotpApp).where(TotpApp.user_id == user_id).order_by(TotpApp.id)))


def keys_of(db: Session, user_id: int) -> list[Passkey]:
    """The account's passkeys and security keys, oldest first; those that are refused as copied, too."""
    return list(db.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def working_keys_of(db: Session, user_id: int) -> list[Passkey]:
    """Those that may sign in."""
    return [key for key in keys_of(db, user_id) if key.refused_since is None]


def all_of(db: Session, user_id: int) -> list[SecondFactor]:
    """Every second factor of the account: keys first, for nobody can be talked out of those."""
    return [*keys_of(db, user_id), *apps_of(db, user_id)]


def find(db: Session, public_id: str) -> SecondFactor | None:
    """The second factor of this id, whoever has it."""
    app = db.scalar(select(TotpApp).where(TotpApp.public_id == public_id))
    return app or db.scalar(select(Passkey).where(Passkey.public_id == public_id))


def new_public_id() -> str:
    """A name for the addresses of a new factor's pages."""
    return secrets.token_hex(8)


def free_label(db: Session, user_id: int, wanted: str) -> str:
    """A name that no second factor of the account has yet: "My phone", "My phone 2" and so on."""
    taken = {factor.label for factor in all_of(db, user_id)}
    numbered = (f"{wanted} {number}" for number in range(2, len(taken) + 3))
    return next(label for label in (wanted, *numbered) if label not in taken)


def clean_name(typed: str) -> str:
    """What a factor is to be called; may be empty. Raises Problem at the field."""
    return clean_label(typed, most=MAX_LABEL, field=LABEL_FIELD)


def must_stay(db: Session, factor: SecondFactor, account: Standing, policy: Policy, *, now: datetime) -> bool:
    """Whether this factor is the last that works, and a rule would stop the account without it."""
    others: list[SecondFactor] = [*working_keys_of(db, factor.user_id), *apps_of(db, factor.user_id)]
    if any(other.public_id != factor.public_id for other in others):
        return False
    return is_required(account, policy, now=now)


def is_required(account: Standing, policy: Policy, *, now: datetime) -> bool:
    """Whether a rule asks this account for a second factor: the judge is asked as if it had none."""
    bare = replace(account, factors=frozenset(), has_verified_email=True)
    member = Member(Origin(), bare, session_id=0, confirmed_at=now)
    decision = judge(member, Action.REMOVE_FACTOR, None, policy, now)
    return isinstance(decision, Denial) and decision.reason is Reason.TWO_FACTOR_REQUIRED


def lock(db: Session, user_id: int) -> User:
    """The account's row, locked, so that what is counted stays so: PostgreSQL waits here, SQLite waited already.

    Other rows may still begin to refer to it. A sign-in has its key's row in hand when it writes its event; if it had
    to wait for us then, who wait for that row, neither would ever go on.
    """
    return db.scalars(select(User).where(User.id == user_id).with_for_update(key_share=True)).one()


def check_free(db: Session, user_id: int, label: str) -> None:
    """Raise Problem at the field if another second factor of the account has this name."""
    if any(factor.label == label for factor in all_of(db, user_id)):
        raise Problem(f"You have a second factor named “{label}” already. Choose another name.", field=LABEL_FIELD)


def welcome(
    db: Session, permit: Permit, box: SecretBox, notices: Notices, user: User, factor: SecondFactor, *, now: datetime
) -> None:
    """What follows when a second factor was added: recovery codes if there are none, and other browsers are signed
    out, for they may have signed in without it. permit: the one to add it."""
    db.add(factor)
    recovery.make_first_codes(db, permit, box, user, now=now)
    browsers.sign_out_others(db, user.id, kept=permit.member.session_id)
    _record(db, permit, "added", user, factor, now=now)
    notices.tell(
        db,
        user,
        "factor-added",
        now=now,
        label=factor.label,
        kind=factor.kind,
        signs_in_alone=isinstance(factor, Passkey) and factor.signs_in_alone,
        origin=permit.principal.origin,
    )


def rename(db: Session, permit: Permit, notices: Notices, factor: SecondFactor, *, label: str, now: datetime) -> None:
    """Call a second factor something else. Raises Problem at the field if that is no name, or taken."""
    permit.covers(Action.RENAME_FACTOR, factor)
    was, wanted = factor.label, clean_name(label)
    if not wanted:
        raise Problem("Type a name.", field=LABEL_FIELD)
    if wanted == was:
        return
    user, table = lock(db, factor.user_id), type(factor)
    check_free(db, user.id, wanted)
    if _rows(db, update(table).where(table.id == factor.id).values(label=wanted)) != 1:
        raise Problem("It was removed meanwhile.")
    db.refresh(factor)
    _record(db, permit, "renamed", user, factor, now=now, was=was)
    origin = permit.principal.origin
    notices.tell(db, user, "factor-renamed", now=now, label=wanted, was=was, kind=factor.kind, origin=origin)


def remove(
    db: Session, permit: Permit, notices: Notices, factor: SecondFactor, *, policy: Policy, now: datetime
) -> None:
    """Remove a second factor. Other browsers are signed out; with the last one go the recovery codes.

    Raises Problem if it is the last one and a rule asks for one, however many removals are under way at once.
    """
    permit.covers(Action.REMOVE_FACTOR, factor)
    table, label, kind = type(factor), factor.label, factor.kind
    user = lock(db, permit.account.user_id)
    if must_stay(db, factor, permit.account, policy, now=now):
        raise Problem(
            "This is your only second factor, and this index requires one. Add another first, then remove this one."
        )
    _record(db, permit, "removed", user, factor, now=now)
    if _rows(db, delete(table).where(table.id == factor.id)) != 1:
        raise Problem("It was removed already.")
    if not all_of(db, user.id):
        recovery.void_codes(db, user)
    browsers.sign_out_others(db, user.id, kept=permit.member.session_id)
    notices.tell(db, user, "factor-removed", now=now, label=label, kind=kind, origin=permit.principal.origin)


def reset_factors(db: Session, permit: Permit, notices: Notices, user: User, *, now: datetime) -> None:
    """For the operator, when all is lost: remove every second factor and recovery code, and end every session."""
    permit.covers(Action.RESET_FACTORS, user)
    lock(db, user.id)
    labels = [factor.label for factor in all_of(db, user.id)]
    for table in TABLES:
        db.execute(delete(table).where(table.user_id == user.id))
    recovery.void_codes(db, user)
    browsers.sign_out_others(db, user.id, kept=None)
    for budget in (throttle.SECOND_FACTOR, throttle.CODES_IN_A_ROW):
        throttle.clear(db, budget, str(user.id))
    journal.record(
        db,
        "operator:factors:reset",
        now=now,
        origin=permit.principal.origin,
        actor_id=None,
        user_id=user.id,
        details={"factors": labels},
    )
    notices.tell(db, user, "factors-reset", now=now)


def named(factors: Iterable[SecondFactor]) -> str:
    """Their kinds in words, each once: "passkey, authenticator app"."""
    return ", ".join(dict.fromkeys(factor.kind for factor in factors))


def _rows(db: Session, statement: Update | Delete) -> int:
    result = db.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101 - UPDATE and DELETE have a row count
    return result.rowcount


def _record(
    db: Session, permit: Permit, what: str, user: User, factor: SecondFactor, *, now: datetime, **more: str
) -> None:
    """The event of a change that somebody makes to a factor of their own."""
    origin, details = permit.principal.origin, {"label": factor.label, "kind": factor.kind, **more}
    tag = f"{TAGS[type(factor)]}:{what}"
    journal.record(db, tag, now=now, origin=origin, actor_id=permit.account.user_id, user_id=user.id, details=details)
