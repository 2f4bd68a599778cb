"""Browser sessions: how they begin, rise, and end."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from domain import journal
from domain.identity.handles import digest, new_handle
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from domain.problems import Problem
from models import BrowserSession

IDLE = timedelta(hours=1)  # NIST SP 800-63B-4 §2.2.3, AAL2
ABSOLUTE = timedelta(hours=24)  # the same
ABSOLUTE_OF_ADMINISTRATORS = timedelta(hours=12)
HALF_LASTS = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)  # how exact `seen_at` is; a write at every request would buy nothing


class Level(Enum):
    """How far a browser has come."""

    ANONYMOUS = "anonymous"
    HALF = "half"  # one proof was given, another is still to come: counts as nobody
    FULL = "full"


class SessionOver(Problem):
    """The session was ended, or went on under another handle, while a request was under way."""

    def __init__(self) -> None:
        super().__init__("This browser was signed in or out in another tab just now. Reload the page.")


def longest(*, is_admin: bool) -> timedelta:
    """After how long a session ends, however much it is used."""
    return ABSOLUTE_OF_ADMINISTRATORS if is_admin else ABSOLUTE


def find(db: Session, handle: str, *, now: datetime) -> BrowserSession | None:
    """The session behind a cookie's handle, unless it has ended.

    What comes back is detached, a picture of the moment: it stays readable when the row goes, and it is changed by the
    functions below only.
    """
    row = db.scalar(select(BrowserSession).where(BrowserSession.handle_hash == digest(handle)))
    if row is None or row.expires_at <= now or now - row.seen_at > IDLE:
        return None
    db.expunge(row)
    return row


def level_of(row: BrowserSession, *, now: datetime) -> Level:
    """The session's level now: a half sign-in that was left lying falls back to anonymous."""
    level = Level(row.level)
    if level is Level.HALF and (row.stepped_up_at is None or now - row.stepped_up_at > HALF_LASTS):
        return Level.ANONYMOUS
    return level


def start(db: Session, *, origin: Origin, now: datetime) -> tuple[BrowserSession, str]:
    """Begin an anonymous session; returns it and the handle for the cookie, which is kept nowhere else."""
    handle = new_handle()
    row = BrowserSession(
        handle_hash=digest(handle),
        level=Level.ANONYMOUS.value,
        created_at=now,
        seen_at=now,
        expires_at=now + ABSOLUTE,
        address=origin.address[:64],
        user_agent=origin.user_agent[:255],
        method="",
        user_id=None,
        browser_id=None,
        stepped_up_at=None,
        confirmed_at=None,
        data={},
    )
    db.add(row)
    db.flush()
    db.expunge(row)
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
    lasts: timedelta = ABSOLUTE,
    browser_id: int | None = None,
    confirmed_at: datetime | None = None,
) -> str:
    """Raise a session to `level` for an account and return its new handle: the old one is dead at once, so that a
    handle planted in somebody's browser before they signed in is worth nothing afterwards. What the session had kept
    (form secrets, notices) is dropped for the same reason. Raises SessionOver.

    confirmed_at: when the person proved to be there; None where a browser was trusted instead, or one proof is missing.
    """
    return _renew(
        db,
        row,
        user_id=user_id,
        browser_id=browser_id,
        method=method,
        stepped_up_at=now,
        confirmed_at=confirmed_at,
        seen_at=now,
        expires_at=now + lasts,
        address=origin.address[:64],
        user_agent=origin.user_agent[:255],
        data={},
        level=level.value,
    )


def confirm(db: Session, row: BrowserSession, *, now: datetime) -> str:
    """Remember that the person proved to be there just now; returns the new handle. Raises SessionOver."""
    return _renew(db, row, confirmed_at=now, seen_at=now)


def keep(db: Session, row: BrowserSession, data: dict[str, Any], *, now: datetime) -> None:
    """Write what the session holds for the next page, unless it has ended or risen meanwhile."""
    _change(db, row, data=data, seen_at=now)


def list_of(db: Session, user_id: int, *, now: datetime) -> list[BrowserSession]:
    """Where the account is signed in, the last seen first."""
    alive = (BrowserSession.expires_at > now) & (BrowserSession.seen_at >= now - IDLE)
    mine = (BrowserSession.user_id == user_id) & (BrowserSession.level == Level.FULL.value)
    return list(db.scalars(select(BrowserSession).where(mine, alive).order_by(BrowserSession.seen_at.desc())))


def revoke(db: Session, permit: Permit, session: BrowserSession, *, now: datetime) -> None:
    """End one session of one's own. Its browser is at once nobody's."""
    permit.covers(Action.END_SESSION, session)
    details = {"method": session.method, "address": session.address}
    origin, actor_id = permit.principal.origin, permit.account.user_id
    journal.record(db, "account:session:revoked", now=now, origin=origin, actor_id=actor_id, details=details)
    end(db, session.id)


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


def _renew(db: Session, row: BrowserSession, **values: Any) -> str:  # Any: columns of the table
    """Give the session a new handle with these values, and void the old one. Raises SessionOver."""
    handle = new_handle()
    if not _change(db, row, handle_hash=digest(handle), **values):
        raise SessionOver
    return handle


def _change(db: Session, row: BrowserSession, **values: Any) -> bool:  # Any: columns of the table
    """One statement writes all the values, and only while the handle is still the one that was found: of two sign-ins
    sent at once through one cookie, one wins whole, and neither finds the other's account under its own level."""
    same = (BrowserSession.id == row.id) & (BrowserSession.handle_hash == row.handle_hash)
    changed = db.execute(update(BrowserSession).where(same).values(**values))
    assert isinstance(changed, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if changed.rowcount != 1:
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True
