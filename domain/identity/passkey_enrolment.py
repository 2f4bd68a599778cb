"""Adding a passkey or security key, from the challenge to the row."""

import secrets
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from domain.identity import ceremonies, factors, passkeys
from domain.identity.authenticator_makes import make_of
from domain.identity.ceremonies import Purpose
from domain.identity.passkeys import NewKey, Options, RelyingParty
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Passkey, User

MAX_KEYS = 50  # nobody carries so many; browsers are handed the list of them all
HANDLE_BYTES = 32  # random, so that it tells nothing of the account (WebAuthn Level 3 §14.6.1)


def begin_passkey(
    db: Session,
    permit: Permit,
    box: SecretBox,
    party: RelyingParty,
    *,
    label: str,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Options:
    """What the browser is to ask its authenticators for.

    label: as `confirm_passkey` will be given it. Raises Problem if it will not do, or the account has fifty keys:
    before an authenticator has made a key that would then stay in it, good for nothing.
    """
    permit.covers(Action.ENROL_PASSKEY)
    wanted = factors.clean_name(label)
    user = factors.lock(db, permit.account.user_id)
    others = factors.keys_of(db, user.id)
    _check_room(others)
    factors.check_free(db, user.id, wanted)
    if user.passkey_handle is None:
        user.passkey_handle = random_bytes(HANDLE_BYTES)
    session_id = permit.member.session_id
    challenge = ceremonies.begin_challenge(
        db, box, Purpose.ADD_PASSKEY, now=now, user_id=user.id, session_id=session_id
    )
    return passkeys.creation_options(
        party, challenge=challenge, handle=user.passkey_handle, username=user.username, others=others
    )


def confirm_passkey(
    db: Session,
    permit: Permit,
    box: SecretBox,
    notices: Notices,
    party: RelyingParty,
    *,
    answer: str,
    label: str,
    now: datetime,
) -> Passkey:
    """Add the key that an authenticator made, and recovery codes if there are none.

    The account's other browsers are signed out: they may have signed in without a second factor.
    answer: what the browser brought back, as JSON. label: what the owner calls it; empty for the name of its make.
    Raises Problem: CeremonyFailed, ChallengeOver, a name that is taken, a key that is somebody's already, fifty keys.
    """
    permit.covers(Action.ENROL_PASSKEY)
    wanted, read = factors.clean_name(label), passkeys.read(answer)
    user_id, session_id = permit.account.user_id, permit.member.session_id
    challenge = ceremonies.redeem(
        db, box, Purpose.ADD_PASSKEY, read.challenge, user_id=user_id, session_id=session_id, now=now
    )
    new = passkeys.check_registration(party, read, challenge=challenge)
    user = factors.lock(db, user_id)
    _check_room(factors.keys_of(db, user_id))
    if db.scalar(select(Passkey.id).where(Passkey.credential_id == new.credential_id)) is not None:
        raise _registered_already()
    key = _row(new, user, label=wanted, now=now)
    key.label = key.label or factors.free_label(db, user_id, _usual_name(key))
    factors.check_free(db, user_id, key.label)
    try:
        factors.welcome(db, permit, box, notices, user, key, now=now)
    except IntegrityError:  # another account's request with the same key was faster
        raise _registered_already() from None
    return key


def _row(new: NewKey, user: User, *, label: str, now: datetime) -> Passkey:
    fields = asdict(new)
    return Passkey(public_id=factors.new_public_id(), user_id=user.id, label=label, added_at=now, **fields)


def _usual_name(key: Passkey) -> str:
    return make_of(key.aaguid) or key.kind.capitalize()


def _check_room(keys: list[Passkey]) -> None:
    if len(keys) >= MAX_KEYS:
        raise Problem(f"You have {MAX_KEYS} passkeys and security keys, which is the most. Remove one first.")


def _registered_already() -> Problem:
    """The same words whoever has it: who has which key is nobody's business."""
    return Problem("This passkey or security key is registered already. Use another one.", code="registered_already")
