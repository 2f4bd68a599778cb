"""One-shot things with a handle: begun once, finished once, gone when they expire."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import orjson
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox, Unsealable
from models import Ceremony

HANDLE_BYTES = 32


class Purpose(Enum):
    """What is begun, and how long it stays good."""

    VERIFY_EMAIL = ("verify-email", timedelta(hours=24))
    RESET_PASSWORD = ("reset-password", timedelta(hours=1))
    SET_UP_ADMIN = ("set-up-admin", timedelta(hours=24))
    TOTP = ("totp", timedelta(minutes=30))
    RECOVERY_CODES = ("recovery-codes", timedelta(minutes=30))
    INTENT = ("intent", timedelta(minutes=30))

    def __init__(self, word: str, lasts: timedelta) -> None:
        self.word = word
        self.lasts = lasts


Payload = Mapping[str, Any]  # Any: JSON of a shape that each purpose knows


@dataclass(frozen=True)
class Begun:
    """A ceremony that waits to be finished."""

    id: int
    user_id: int | None
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
    """Begin a ceremony and return its handle: 43 URL-safe characters that stand nowhere else."""
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    digest = _digest(handle)
    db.add(
        Ceremony(
            purpose=purpose.word,
            handle_hash=digest,
            user_id=user_id,
            session_id=session_id,
            payload_sealed=box.seal(orjson.dumps(payload), context=_context(purpose, digest)),
            created_at=now,
            expires_at=now + purpose.lasts,
        )
    )
    db.flush()
    return handle


def look_up(db: Session, box: SecretBox, purpose: Purpose, handle: str, *, now: datetime) -> Begun | None:
    """The ceremony behind a handle, without finishing it; None if there is none, or no longer."""
    return _find(db, box, purpose, Ceremony.handle_hash == _digest(handle), now=now)


def current(
    db: Session, box: SecretBox, purpose: Purpose, *, user_id: int, session_id: int, now: datetime
) -> Begun | None:
    """The newest ceremony of this purpose that this browser session began for this account; None if there is none."""
    mine = (Ceremony.user_id == user_id) & (Ceremony.session_id == session_id)
    return _find(db, box, purpose, mine, now=now)


def spend(db: Session, ceremony: Begun, *, now: datetime) -> bool:
    """Finish a ceremony. True for exactly one caller, however many try at once."""
    statement = delete(Ceremony).where(Ceremony.id == ceremony.id, Ceremony.expires_at > now)
    result = db.execute(statement)
    assert isinstance(result, CursorResult)  # noqa: S101 - a DELETE has a row count
    return result.rowcount == 1


def abandon(db: Session, purpose: Purpose, *, user_id: int, session_id: int | None = None) -> None:
    """Void what this account began for this purpose: in one browser session, or everywhere."""
    statement = delete(Ceremony).where(Ceremony.purpose == purpose.word, Ceremony.user_id == user_id)
    if session_id is not None:
        statement = statement.where(Ceremony.session_id == session_id)
    db.execute(statement)


def sweep(db: Session, *, now: datetime) -> None:
    """Remove what has expired."""
    db.execute(delete(Ceremony).where(Ceremony.expires_at <= now))


def _find(
    db: Session, box: SecretBox, purpose: Purpose, condition: ColumnElement[bool], *, now: datetime
) -> Begun | None:
    row = db.scalar(
        select(Ceremony)
        .where(condition, Ceremony.purpose == purpose.word, Ceremony.expires_at > now)
        .order_by(Ceremony.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    try:
        payload = orjson.loads(box.open(row.payload_sealed, context=_context(purpose, row.handle_hash)))
    except Unsealable:  # altered, or sealed with a key that was dropped: as good as never begun
        return None
    return Begun(row.id, row.user_id, payload, row.created_at, row.expires_at)


def _digest(handle: str) -> bytes:
    return hashlib.sha256(handle.encode("utf-8", "replace")).digest()


def _context(purpose: Purpose, digest: bytes) -> str:
    return f"ceremony:{purpose.word}:{digest.hex()}"
