"""What a passkey or security key proves: that its holder is here and, where it checked, that it is its owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain import journal
from domain.identity import ceremonies, guesses, passkeys, throttle
from domain.identity.accounts import NOT_SIGNED_IN, AccountFrozen
from domain.identity.ceremonies import Purpose
from domain.identity.passkeys import Answer, Assertion, CeremonyFailed, Options, RelyingParty
from domain.identity.throttle import SECOND_FACTOR_FROM_ADDRESS
from domain.notices import Notices
from domain.policy.principals import Origin
from domain.problems import Problem
from models import Passkey, User


@dataclass(frozen=True)
class Proof:
    """A key that answered. verified_user: it checked that it was its owner, so that it counts as both factors.

    It has to have done so when it was added, too: many keys take a PIN from whoever sets the first one, and a thief's
    would be as good as its owner's. WebAuthn Level 3 §4 lets a site raise a key later on (uvInitialized); here its
    owner adds it anew, which asks for a fresh proof and is told by mail.
    """

    key: Passkey
    verified_user: bool


class UnknownKey(Problem):
    """No account has this key, or no longer: its keeper may forget it."""

    def __init__(self) -> None:
        super().__init__(
            "This passkey is not registered here, or not any more. Use another one, or sign in with your password.",
            field=passkeys.FIELD,
            code="unknown_passkey",
        )


class KeyRefused(Problem):
    """The key's counter fell: of it or of its copy, one must be false, and nobody can tell which."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"“{label}” may have been copied: it counted backwards. It is refused from now on. "
            "Use another second factor or a recovery code, then remove this one.",
            field=passkeys.FIELD,
            code="key_refused",
        )


def ask(
    db: Session,
    box: SecretBox,
    party: RelyingParty,
    purpose: Purpose,
    *,
    keys: Sequence[Passkey],
    user_id: int | None,
    session_id: int,
    now: datetime,
) -> Options:
    """What the browser is to ask its authenticators for.

    keys: those that may answer. user_id: None to sign in with a passkey that says itself whose it is; `keys` is empty
    then, so that the question tells nothing of anybody.
    """
    challenge = ceremonies.begin_challenge(db, box, purpose, now=now, user_id=user_id, session_id=session_id)
    return passkeys.request_options(party, challenge=challenge, keys=keys)


def prove(
    db: Session,
    box: SecretBox,
    notices: Notices,
    party: RelyingParty,
    purpose: Purpose,
    answer: str,
    *,
    user_id: int | None,
    session_id: int,
    origin: Origin,
    now: datetime,
) -> Proof:
    """Take an answer to what `ask` began in this browser session, for this account; None: for whoever has the key.

    The try is counted and the challenge spent first, and both are committed: nothing is answered twice.
    Raises Problem: CeremonyFailed, ChallengeOver, UnknownKey, KeyRefused, TooMany, AccountFrozen.
    """
    read = passkeys.read(answer)
    if user_id is not None:
        guesses.count(db, user_id, origin=origin, now=now)
    else:
        throttle.take(db, (SECOND_FACTOR_FROM_ADDRESS, origin.address), now=now)
    challenge = ceremonies.redeem(db, box, purpose, read.challenge, user_id=user_id, session_id=session_id, now=now)
    key = db.scalar(select(Passkey).where(Passkey.credential_id == read.credential_id))
    if key is None or user_id not in (None, key.user_id):
        _note_refusal(db, user_id, "unknown passkey", origin=origin, now=now)
        raise UnknownKey
    try:
        assertion = _checked(db, party, read, key, challenge=challenge, is_named=user_id is not None)
    except CeremonyFailed as failure:
        _note_refusal(db, key.user_id, failure.reason, origin=origin, now=now)
        raise
    if not _count_use(db, key, assertion, origin=origin, now=now):
        _refuse_for_good(db, notices, key, origin=origin, now=now)
    guesses.forgive(db, key.user_id, origin=origin)  # whichever way it was asked: it is a second factor that succeeded
    if not db.get_one(User, key.user_id).is_active:
        db.commit()  # the key's counter stays
        _note(db, NOT_SIGNED_IN, key.user_id, "the account is frozen", origin=origin, now=now)
        raise AccountFrozen
    return Proof(key, assertion.verified_user and key.verifies_user)


def _checked(
    db: Session, party: RelyingParty, read: Answer, key: Passkey, *, challenge: bytes, is_named: bool
) -> Assertion:
    """is_named: the account is known; otherwise the key has to say whose it is (WebAuthn Level 3 §7.2, step 6)."""
    handle = db.scalar(select(User.passkey_handle).where(User.id == key.user_id))
    if read.user_handle != handle and not (is_named and read.user_handle is None):
        raise CeremonyFailed("another account's name in the answer")
    return passkeys.check_assertion(party, read, challenge=challenge, key=key)


def _count_use(db: Session, key: Passkey, assertion: Assertion, *, origin: Origin, now: datetime) -> bool:
    """One statement keeps the counter and says whether it has grown; keys that have none stay at zero."""
    count = assertion.sign_count
    grows = Passkey.sign_count < count if count else Passkey.sign_count == 0
    used = update(Passkey).where(Passkey.id == key.id, Passkey.refused_since.is_(None), grows)
    values = {
        "sign_count": count,
        "is_backed_up": assertion.is_backed_up,
        "last_used_at": now,
        "last_used_with": origin.user_agent[:255],
    }
    result = db.execute(used.values(values))
    assert isinstance(result, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return result.rowcount == 1


def _refuse_for_good(db: Session, notices: Notices, key: Passkey, *, origin: Origin, now: datetime) -> None:
    """Keep that a copy of the key is about, tell its owner once, and raise KeyRefused. Commits."""
    label, user = key.label, db.get_one(User, key.user_id)
    first = db.execute(
        update(Passkey).where(Passkey.id == key.id, Passkey.refused_since.is_(None)).values(refused_since=now)
    )
    assert isinstance(first, CursorResult)  # noqa: S101 - an UPDATE has a row count
    details = {"label": label, "kind": key.kind}
    journal.record(
        db, "account:passkey:refused", now=now, origin=origin, actor_id=None, user_id=user.id, details=details
    )
    if first.rowcount == 1:
        notices.tell(db, user, "key-refused", now=now, origin=origin, label=label)
    db.commit()
    raise KeyRefused(label)


def _note_refusal(db: Session, user_id: int | None, reason: str, *, origin: Origin, now: datetime) -> None:
    if user_id is not None:
        guesses.note_refusal(db, user_id, reason, origin=origin, now=now)
    else:
        _note(db, NOT_SIGNED_IN, None, reason, origin=origin, now=now)


def _note(db: Session, tag: str, user_id: int | None, reason: str, *, origin: Origin, now: datetime) -> None:
    details = {"reason": reason}
    journal.refuse(db, tag, now=now, origin=origin, actor_id=None, user_id=user_id, details=details)
