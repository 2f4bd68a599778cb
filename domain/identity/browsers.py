"""Browsers that an account was signed in with before: known ones, and trusted ones that are not asked for a second
factor for a while. A browser is told by a cookie of its own, never by its network address: those change, and strangers
share them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from domain import journal
from domain.identity import ceremonies, sessions
from domain.identity.ceremonies import Purpose
from domain.identity.handles import digest, new_handle
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from models import BrowserSession, KnownBrowser, User

KNOWN_FOR = timedelta(days=400)  # since it was seen last; longer than that no browser keeps a cookie
TRUST_LASTS = timedelta(days=30)  # NIST SP 800-63B-4 §5.1 leaves the figure to us


@dataclass(frozen=True)
class Met:
    """A browser that somebody signs in from. is_new: the account has not seen it before."""

    row: KnownBrowser
    handle: str
    is_new: bool


def find(db: Session, user_id: int, handle: str | None, *, now: datetime) -> KnownBrowser | None:
    """The browser behind a cookie, if this account knows it."""
    if not handle:
        return None
    row = db.scalar(select(KnownBrowser).where(_is(handle), KnownBrowser.user_id == user_id))
    return row if row is not None and now - row.last_seen_at <= KNOWN_FOR else None


def meet(db: Session, user_id: int, handle: str | None, *, origin: Origin, now: datetime) -> Met:
    """Know the browser from now on. handle: what its cookie holds; None begins a new one."""
    row = find(db, user_id, handle, now=now)
    is_new = row is None
    handle = handle or new_handle()
    if row is None:
        db.execute(delete(KnownBrowser).where(_is(handle), KnownBrowser.user_id == user_id))  # known too long ago
        row = KnownBrowser(user_id=user_id, handle_hash=digest(handle), first_seen_at=now, trusted_until=None)
        db.add(row)
    row.last_seen_at, row.address, row.user_agent = now, origin.address[:64], origin.user_agent[:255]
    db.flush()
    return Met(row, handle, is_new)


def is_trusted(db: Session, user: User, handle: str | None, *, now: datetime) -> bool:
    """Whether the password is enough here."""
    row = find(db, user.id, handle, now=now)
    return may_trust(user) and row is not None and row.trusted_until is not None and row.trusted_until > now


def may_trust(user: User) -> bool:
    """Whether the account may have trusted browsers. Never an administrator's, which opens everybody's."""
    return not user.is_admin


def trust(db: Session, notices: Notices, user: User, row: KnownBrowser, *, origin: Origin, now: datetime) -> str:
    """Ask this browser for no second factor for thirty days. For whoever has just given one, and for nobody else.

    Returns the handle that its cookie holds from now on, for every account that knows it: whoever planted or read the
    former one, on a computer that others use, must not share in the trust.
    """
    handle = new_handle()
    same = update(KnownBrowser).where(KnownBrowser.handle_hash == row.handle_hash)
    db.execute(same.values(handle_hash=digest(handle)))
    row.trusted_until = now + TRUST_LASTS
    details = {"until": f"{row.trusted_until:%Y-%m-%d}"}
    journal.record(db, "account:browser:trusted", now=now, origin=origin, actor_id=user.id, details=details)
    notices.tell(db, user, "browser-trusted", now=now, origin=origin, until=row.trusted_until)
    return handle


def trusted_of(db: Session, user_id: int, *, now: datetime) -> list[KnownBrowser]:
    """The account's trusted browsers, the last seen first."""
    trusted = (KnownBrowser.user_id == user_id) & (KnownBrowser.trusted_until > now)
    return list(db.scalars(select(KnownBrowser).where(trusted).order_by(KnownBrowser.last_seen_at.desc())))


def distrust(db: Session, permit: Permit, browser: KnownBrowser, *, now: datetime) -> None:
    """Ask this browser for a second factor again."""
    permit.covers(Action.DISTRUST_BROWSER, browser)
    browser.trusted_until = None
    origin, actor_id = permit.principal.origin, permit.account.user_id
    journal.record(db, "account:browser:distrusted", now=now, origin=origin, actor_id=actor_id)


def end_others(db: Session, permit: Permit, *, now: datetime) -> None:
    """Leave this session as the only one, at the owner's wish."""
    permit.covers(Action.END_OTHER_SESSIONS)
    member = permit.member
    sign_out_others(db, member.account.user_id, kept=member.session_id)
    actor_id = member.account.user_id
    journal.record(db, "account:sessions:ended", now=now, origin=member.origin, actor_id=actor_id)


def sign_out_others(db: Session, user_id: int, *, kept: int | None) -> None:
    """What a change of credentials does to browsers: their sessions end, nobody's trust outlives it, each has to
    introduce itself anew, and mailed links let nobody in any more. kept: the session that made the change, which goes
    on; its browser stays known.

    In the order in which a sign-in takes these rows, so that the two never wait for each other.
    """
    for purpose in (Purpose.RESET_PASSWORD, Purpose.CONFIRM_BROWSER):
        ceremonies.abandon(db, purpose, user_id=user_id)
    this = select(BrowserSession.browser_id).where(BrowserSession.id == kept, BrowserSession.browser_id.is_not(None))
    others = (KnownBrowser.user_id == user_id) & KnownBrowser.id.not_in(this)
    db.execute(delete(KnownBrowser).where(others).execution_options(synchronize_session=False))
    mine = update(KnownBrowser).where(KnownBrowser.user_id == user_id).values(trusted_until=None)
    db.execute(mine.execution_options(synchronize_session=False))
    sessions.end_all(db, user_id, but=kept)


def sweep(db: Session, *, now: datetime) -> None:
    """Forget browsers that have not come back."""
    db.execute(delete(KnownBrowser).where(KnownBrowser.last_seen_at < now - KNOWN_FOR))


def _is(handle: str) -> ColumnElement[bool]:
    return KnownBrowser.handle_hash == digest(handle)
