"""One-shot things with a handle: begun once, finished once, gone when they expire."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import orjson
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes

from adapters.secretbox import SecretBox, Unsealable
from domain.identity.handles import digest, new_handle
from domain.problems import Problem
from models import Ceremony


class Purpose(Enum):
    """What is begun, and how long it stays good."""

    VERIFY_EMAIL = ("verify-email", timedelta(hours=24))
    RESET_PASSWORD = ("reset-password", timedelta(hours=1))
    SET_UP_ADMIN = ("set-up-admin", timedelta(hours=24))
    TOTP = ("totp", timedelta(minutes=30))
    RECOVERY_CODES = ("recovery-codes", timedelta(minutes=30))
    INTENT = ("intent", timedelta(minutes=30))
    SECOND_STEP = ("second-step", timedelta(minutes=10))  # as long as half a sign-in lasts
    # A minute longer than browsers give their person, for the way back.
    ADD_PASSKEY = ("add-passkey", timedelta(minutes=6))
    PASSKEY_SIGN_IN = ("passkey-sign-in", timedelta(minutes=6))
    PASSKEY_SECOND_STEP = ("passkey-second-step", timedelta(minutes=6))
    PASSKEY_PRESENCE = ("passkey-presence", timedelta(minutes=6))
    CONFIRM_BROWSER = ("confirm-browser", timedelta(hours=1))

    def __init__(self, word: str, lasts: timedelta) -> None:
        self.word = word
        self.lasts = lasts


class ChallengeOver(Problem):
    """The challenge that an authenticator answered does not wait any more, or never did here."""

    def __init__(self) -> None:
        super().__init__("This took longer than five minutes, or was answered before. Try again.", code="over")


Payload = Mapping[str, Any]  # Any: JSON of a shape that each purpose knows


@dataclass(frozen=True)
class Begun:
    """A ceremony that waits to be finished."""

    id: int
    user_id: int | None
    session_id: int | None
    payload: dict[str, Any]
    created_at: datetime
    expires_at: datetime


def begin(
    db: Session,
    box: SecretBox,
    purpose: Purpose,
    *,
    now: datetime,
    payload: Payload,
    user_id: int | None = None,
    session_id: int | None = None,
) -> str:
    """Begin a ceremony and return its handle."""
    handle = new_handle()
    handle_hash = digest(handle)
    db.add(
        Ceremony(
            purpose=purpose.word,
            handle_hash=handle_hash,
            user_id=user_id,
            session_id=session_id,
            payload_sealed=box.seal(orjson.dumps(payload), context=payload_context(purpose.word, handle_hash)),
            created_at=now,
            expires_at=now + purpose.lasts,
        )
    )
    db.flush()
    return handle


def begin_challenge(
    db: Session, box: SecretBox, purpose: Purpose, *, now: datetime, user_id: int | None, session_id: int
) -> bytes:
    """Begin a ceremony whose handle is the challenge of a passkey: 32 random bytes, of which we keep the hash alone.

    The answer brings it back in its client data, so each tab of a browser finds its own.
    """
    handle = begin(db, box, purpose, now=now, payload={}, user_id=user_id, session_id=session_id)
    return base64url_to_bytes(handle)


def redeem(
    db: Session,
    box: SecretBox,
    purpose: Purpose,
    challenge: str,
    *,
    user_id: int | None,
    session_id: int,
    now: datetime,
) -> bytes:
    """Spend the challenge that an answer names, and commit that before anybody looks at the answer: one that was
    refused, or recorded, is good for nothing any more. Returns it as bytes.

    user_id: the account that it was made for, None for none. Raises ChallengeOver: unknown, too old, answered before,
    or another session's or purpose's.
    """
    begun = look_up(db, box, purpose, challenge, now=now)
    if begun is None or (begun.user_id, begun.session_id) != (user_id, session_id):
        raise ChallengeOver
    is_first = spend(db, begun, now=now)
    db.commit()
    if not is_first:
        raise ChallengeOver
    return base64url_to_bytes(challenge)


def look_up(db: Session, box: SecretBox, purpose: Purpose, handle: str, *, now: datetime) -> Begun | None:
    """The ceremony behind a handle, without finishing it; None if there is none, or no longer."""
    return _find(db, box, purpose, Ceremony.handle_hash == digest(handle), now=now)


def current(
    db: Session, box: SecretBox, purpose: Purpose, *, user_id: int, session_id: int, now: datetime
) -> Begun | None:
    """The newest ceremony of this purpose that this browser session began for this account; None if there is none."""
    mine = (Ceremony.user_id == user_id) & (Ceremony.session_id == session_id)
    return _find(db, box, purpose, mine, now=now)


def spend(db: Session, ceremony: Begun, *, now: datetime) -> bool:
    """Finish a ceremony. True for exactly one caller, however many try at once."""
    return _remove(db, ceremony.id, Ceremony.expires_at > now)


def take_lapsed(db: Session, box: SecretBox, purpose: Purpose, *, now: datetime) -> Iterator[Begun]:
    """Remove what was begun and never finished, and yield it: each to one caller, however many ask at once.

    One by one, so that whoever commits after each has lost nothing of the rest if the machine fails on the way.
    """
    lapsed = select(Ceremony).where(Ceremony.purpose == purpose.word, Ceremony.expires_at <= now)
    opened = [(row.id, _opened(box, purpose, row)) for row in db.scalars(lapsed.order_by(Ceremony.id)).all()]
    for row_id, begun in opened:
        if _remove(db, row_id) and begun is not None:
            yield begun


def abandon(db: Session, purpose: Purpose, *, user_id: int, session_id: int | None = None) -> None:
    """Void what this account began for this purpose: in one browser session, or everywhere."""
    statement = delete(Ceremony).where(Ceremony.purpose == purpose.word, Ceremony.user_id == user_id)
    if session_id is not None:
        statement = statement.where(Ceremony.session_id == session_id)
    db.execute(statement)


def sweep(db: Session, *, now: datetime) -> None:
    """Remove what has expired, but for what somebody has to be told of: `take_lapsed` does that."""
    db.execute(delete(Ceremony).where(Ceremony.expires_at <= now, Ceremony.purpose != Purpose.SECOND_STEP.word))


def payload_context(purpose: str, handle_hash: bytes) -> str:
    """What a payload is sealed for: one handle and one purpose, so that swapped rows do not open.

    purpose: its word, as the row has it.
    """
    return f"ceremony:{purpose}:{handle_hash.hex()}"


def _find(
    db: Session, box: SecretBox, purpose: Purpose, condition: ColumnElement[bool], *, now: datetime
) -> Begun | None:
    row = db.scalar(
        select(Ceremony)
        .where(condition, Ceremony.purpose == purpose.word, Ceremony.expires_at > now)
        .order_by(Ceremony.id.desc())
        .limit(1)
    )
    return _opened(box, purpose, row) if row is not None else None


def _opened(box: SecretBox, purpose: Purpose, row: Ceremony) -> Begun | None:
    try:
        payload = orjson.loads(box.open(row.payload_sealed, context=payload_context(row.purpose, row.handle_hash)))
    except Unsealable:  # altered, or sealed with a key that was dropped: as good as never begun
        return None
    return Begun(row.id, row.user_id, row.session_id, payload, row.created_at, row.expires_at)


def _remove(db: Session, ceremony_id: int, *conditions: ColumnElement[bool]) -> bool:
    """One statement decides who of many was the first."""
    result = db.execute(delete(Ceremony).where(Ceremony.id == ceremony_id, *conditions))
    assert isinstance(result, CursorResult)  # noqa: S101 - a DELETE has a row count
    return result.rowcount == 1
