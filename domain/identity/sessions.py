"""Browser sessions: how they begin, rise, and end."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from domain.policy.principals import Origin
from models import BrowserSession

HANDLE_BYTES = 32
IDLE = timedelta(hours=1)  # NIST SP 800-63B-4 §2.2.3, AAL2
ABSOLUTE = timedelta(hours=24)  # the same
HALF_LASTS = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)  # how exact `seen_at` is; a write at every request would buy nothing


class Level(Enum):
    """How far a browser has come."""

    ANONYMOUS = "anonymous"
    HALF = "half"  # the password was given, a second factor is still to come: counts as nobody
    FULL = "full"


def find(db: Session, handle: str, *, now: datetime) -> BrowserSession | None:
    """The session behind a cookie's handle, unless it has ended."""
    row = db.scalar(select(BrowserSession).where(BrowserSession.handle_hash == _digest(handle)))
    if row is None or row.expires_at <= now or now - row.seen_at > IDLE:
        return None
    return row


def level_of(row: BrowserSession, *, now: datetime) -> Level:
    """The session's level now: a half sign-in that was left lying falls back to anonymous."""
    level = Level(row.level)
    if level is Level.HALF and (row.stepped_up_at is None or now - row.stepped_up_at > HALF_LASTS):
        return Level.ANONYMOUS
    return level


def start(db: Session, *, origin: Origin, now: datetime) -> tuple[BrowserSession, str]:
    """Begin an anonymous session; returns it and the handle for the cookie, which is kept nowhere else."""
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    row = BrowserSession(
        handle_hash=_digest(handle),
        level=Level.ANONYMOUS.value,
        created_at=now,
        seen_at=now,
        expires_at=now + ABSOLUTE,
        address=origin.address[:64],
        user_agent=origin.user_agent[:255],
        data={},
    )
    db.add(row)
    db.flush()
    return row, handle


def step_up(
    db: Session,
    row: BrowserSession,
    *,
    user_id: int,
    level: Level,
    method: str,
    origin: Origin,
    now: datetime,
) -> str:
    """Raise a session to `level` for an account and return its new handle: the old one is dead at once, so that a
    handle planted in somebody's browser before they signed in is worth nothing afterwards. What the session had kept
    (form secrets, notices) is dropped for the same reason."""
    row.user_id = user_id
    row.method = method
    row.stepped_up_at = now
    row.expires_at = now + ABSOLUTE
    row.address = origin.address[:64]
    row.user_agent = origin.user_agent[:255]
    row.data = {}
    row.level = level.value
    if level is Level.FULL:
        row.confirmed_at = now
    return _renew_handle(db, row, now=now)


def confirm(db: Session, row: BrowserSession, *, now: datetime) -> str:
    """Remember that the person proved to be there just now; returns the new handle."""
    row.confirmed_at = now
    return _renew_handle(db, row, now=now)


def end(db: Session, session_id: int) -> None:
    """End one session."""
    db.execute(delete(BrowserSession).where(BrowserSession.id == session_id))


def end_all(db: Session, user_id: int, *, but: int | None = None) -> None:
    """End every session of an account, half signed in ones too; all but the one named `but`."""
    statement = delete(BrowserSession).where(BrowserSession.user_id == user_id)
    if but is not None:
        statement = statement.where(BrowserSession.id != but)
    db.execute(statement.execution_options(synchronize_session=False))


def sweep(db: Session, *, now: datetime) -> None:
    """Remove sessions that have ended by themselves."""
    over = (BrowserSession.expires_at <= now) | (BrowserSession.seen_at < now - IDLE)
    db.execute(delete(BrowserSession).where(over).execution_options(synchronize_session=False))


def _renew_handle(db: Session, row: BrowserSession, *, now: datetime) -> str:
    """Give the session a new handle and void the old one."""
    handle = secrets.token_urlsafe(HANDLE_BYTES)
    row.handle_hash = _digest(handle)
    row.seen_at = now
    db.flush()
    return handle


def _digest(handle: str) -> bytes:
    return hashlib.sha256(handle.encode("utf-8", "replace")).digest()
