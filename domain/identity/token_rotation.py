"""A new secret for a token. The former one works on for as long as its owner needs to put the new one everywhere."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from domain import journal
from domain.identity import throttle
from domain.identity.throttle import NEW_TOKENS
from domain.identity.token_texts import hint, new_token, token_hash
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import ApiToken, User

LONGEST_OVERLAP = timedelta(days=7)


def rotate(
    db: Session,
    permit: Permit,
    notices: Notices,
    token: ApiToken,
    *,
    replaces: str,
    overlap: timedelta,
    longest: timedelta | None,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Give a token a new secret, and return it; it is kept nowhere. What the token may do stays as it is.

    It ends as `next_end` says. A secret that an earlier rotation left working is void at once.
    replaces: the hint of the secret that is replaced; of two forms sent at once, the second would void the secret that
        everybody still uses. Empty for whichever it is.
    overlap: how long the former secret works on, at most seven days, and never longer than it would have.
    longest: how long a token may live on this index; None for as long as its owner likes.
    Raises Problem if the token or that secret is gone, and for too many new ones.
    """
    permit.covers(Action.ROTATE_TOKEN, token)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Problem("Choose one of these times.", field="overlap")
    token_id = token.id
    throttle.take(db, (NEW_TOKENS, str(permit.account.user_id)), now=now)
    owner = db.get_one(User, permit.account.user_id, with_for_update={"key_share": True})
    row = _locked(db, token_id, replaces=replaces)
    text = new_token(random_bytes)
    _replace(row, text, overlap=overlap, longest=longest, now=now)
    db.flush()
    until = row.former_until.isoformat() if row.former_until else None
    details = {"token": row.description, "former_until": until}
    origin = permit.principal.origin
    journal.record(db, "account:token:rotated", now=now, origin=origin, actor_id=owner.id, details=details)
    notices.tell(db, owner, "token-rotated", now=now, token=row, origin=origin)
    return text


def _locked(db: Session, token_id: int, *, replaces: str) -> ApiToken:
    locked = select(ApiToken).where(ApiToken.id == token_id).with_for_update()
    row = db.scalar(locked.execution_options(populate_existing=True))
    if row is None:
        raise Problem("This token was removed meanwhile.")
    if replaces and replaces != row.hint:
        raise Problem("This token was given a new secret a moment ago. Look at the list before you replace that one.")
    return row


def _replace(row: ApiToken, text: str, *, overlap: timedelta, longest: timedelta | None, now: datetime) -> None:
    until = min(end for end in (now + overlap, row.expires_at) if end is not None)
    works_on = until > now
    row.former_hash = row.token_hash if works_on else None
    row.former_hint = row.hint if works_on else None
    row.former_until = until if works_on else None
    row.expires_at = next_end(row, longest=longest, now=now)
    row.token_hash, row.hint, row.rotated_at = token_hash(text), hint(text), now


def next_end(token: ApiToken, *, longest: timedelta | None, now: datetime) -> datetime | None:
    """When the token would end with a secret that is made now: it lives anew for as long as it was made for, and no
    longer than this index allows. None for never."""
    made_for = None if token.expires_at is None else token.expires_at - (token.rotated_at or token.created_at)
    lengths = [length for length in (made_for, longest) if length is not None]
    return now + min(lengths) if lengths else None


def end_former(db: Session, permit: Permit, notices: Notices, token: ApiToken, *, now: datetime) -> None:
    """Void the secret that a rotation left working, at once. Harmless if it has ended already."""
    permit.covers(Action.ROTATE_TOKEN, token)
    working = update(ApiToken).where(ApiToken.id == token.id, ApiToken.former_until > now)
    ended = db.execute(working.values(former_hash=None, former_hint=None, former_until=None))
    assert isinstance(ended, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if ended.rowcount != 1:
        return
    owner, origin = db.get_one(User, token.user_id), permit.principal.origin
    details = {"token": token.description}
    journal.record(db, "account:token:former_ended", now=now, origin=origin, actor_id=owner.id, details=details)
    notices.tell(db, owner, "token-former-ended", now=now, token=token, origin=origin)
