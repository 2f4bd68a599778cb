"""Confirming that it is you: by a passkey that checks who holds it, or by the password and a second factor."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain import journal
from domain.identity import factors, guesses, passkey_proofs, recovery, second_step, throttle
from domain.identity.ceremonies import Purpose
from domain.identity.passkeys import Options, RelyingParty
from domain.identity.passwords import PasswordHasher
from domain.identity.throttle import PRESENCE, TooMany
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import User

FIELD = "password"


@dataclass(frozen=True)
class Ways:
    """What this account may give beside its password. A recovery code only where nothing else works any more: whoever
    found the sheet must not be able to change the second factors of somebody who has them."""

    has_app: bool
    has_key: bool
    has_code: bool

    @property
    def is_password_enough(self) -> bool:
        """Whether there is no second factor at all."""
        return not (self.has_app or self.has_key or self.has_code)


def ways_of(db: Session, user_id: int) -> Ways:
    """The second proofs that work for this account now."""
    has_app, has_key = bool(factors.apps_of(db, user_id)), bool(factors.working_keys_of(db, user_id))
    has_refused_key = not has_key and bool(factors.keys_of(db, user_id))
    return Ways(has_app, has_key, has_code=has_refused_key and not has_app)


def prove_presence(
    db: Session,
    permit: Permit,
    hasher: PasswordHasher,
    box: SecretBox,
    notices: Notices,
    *,
    password: str,
    code: str,
    recovery_code: str,
    now: datetime,
) -> None:
    """Return if whoever holds this session knows the password and holds an app; a session alone may be stolen.

    code, recovery_code: whichever `ways_of` asks for; neither where the account has no second factor.
    Raises Problem at the field.
    """
    permit.covers(Action.CONFIRM_PRESENCE)
    user_id, origin, ways = permit.account.user_id, permit.principal.origin, ways_of(db, permit.account.user_id)
    _check_password(db, permit, hasher, password, now=now)
    if ways.has_app:
        second_step.check_code(db, box, user_id, code, origin=origin, now=now)
    elif ways.has_key:
        raise Problem("Your second factor is a passkey or security key. Use the button for it, with your password.")
    elif ways.has_code:
        recovery.use_code(db, notices, user_id, recovery_code, origin=origin, now=now)
    second = "code" if ways.has_app else "recovery code" if ways.has_code else ""
    _record(db, permit, by=f"password and {second}" if second else "password", now=now)


def ask_for_key(db: Session, permit: Permit, box: SecretBox, party: RelyingParty, *, now: datetime) -> Options:
    """What the browser is to ask the account's keys for. Raises Problem if there is none that works."""
    permit.covers(Action.CONFIRM_PRESENCE)
    user_id = permit.account.user_id
    keys = factors.working_keys_of(db, user_id)
    if not keys:
        raise Problem("This account has no passkey or security key that could answer.")
    return passkey_proofs.ask(
        db,
        box,
        party,
        Purpose.PASSKEY_PRESENCE,
        keys=keys,
        user_id=user_id,
        session_id=permit.member.session_id,
        now=now,
    )


def prove_presence_by_key(
    db: Session,
    permit: Permit,
    hasher: PasswordHasher,
    box: SecretBox,
    notices: Notices,
    party: RelyingParty,
    *,
    answer: str,
    password: str,
    now: datetime,
) -> None:
    """Return if a key of this very account answers; one that has not shown that it checks its owner needs the password
    beside it.

    Raises Problem, at the field where it is the password's.
    """
    permit.covers(Action.CONFIRM_PRESENCE)
    member = permit.member
    proof = passkey_proofs.prove(
        db,
        box,
        notices,
        party,
        Purpose.PASSKEY_PRESENCE,
        answer,
        user_id=member.account.user_id,
        session_id=member.session_id,
        origin=member.origin,
        now=now,
    )
    kind = proof.key.kind
    db.commit()  # the key's counter stays, whatever becomes of the password
    if not proof.verified_user:
        if not password:
            words = "This key has not shown that it checks who you are. Type your password, then use it again."
            raise Problem(words, field=FIELD)
        _check_password(db, permit, hasher, password, now=now)
    _record(db, permit, by=kind if proof.verified_user else f"password and {kind}", now=now)


def _check_password(db: Session, permit: Permit, hasher: PasswordHasher, password: str, *, now: datetime) -> None:
    """Every try is counted in a budget that only a session of this account can spend, so that no stranger's guesses
    stand in its way; and committed, so that the slow comparison holds no lock of the database."""
    user_id = permit.account.user_id
    kept_hash = db.scalar(select(User.password_hash).where(User.id == user_id))
    try:
        throttle.take(db, (PRESENCE, str(user_id)), now=now)
    except TooMany:
        _note_refusal(db, permit, guesses.TOO_MANY, now=now)
        raise
    if not hasher.verify(kept_hash, password):
        _note_refusal(db, permit, "wrong password", now=now)
        raise Problem("This is not your password.", field=FIELD)


def _record(db: Session, permit: Permit, *, by: str, now: datetime) -> None:
    user_id, origin = permit.account.user_id, permit.principal.origin
    throttle.clear(db, PRESENCE, str(user_id))
    journal.record(db, "account:presence:confirmed", now=now, origin=origin, actor_id=user_id, details={"by": by})


def _note_refusal(db: Session, permit: Permit, reason: str, *, now: datetime) -> None:
    journal.refuse(
        db,
        "account:presence:refused",
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        details={"reason": reason},
    )
