"""Tokens that were found in public: void at once, and their owners told where."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from domain import journal
from domain.identity.token_texts import looks_like_token, token_hash
from domain.notices import Notices
from domain.policy.principals import Origin
from models import ApiToken, User

MAX_URL = 500


@dataclass(frozen=True)
class Found:
    """What a scanning service says that it found: a text that looks like one of our tokens, and where. url: as sent."""

    text: str
    url: str = ""

    @property
    def where(self) -> str:
        """The address for people to read; empty if it is none that a page or a mail should repeat."""
        try:
            is_web = urlsplit(self.url).scheme in ("http", "https")
        except ValueError:
            return ""
        is_plain = self.url.isascii() and self.url.isprintable() and " " not in self.url and len(self.url) <= MAX_URL
        return self.url if is_web and is_plain else ""


def void_leaked(db: Session, notices: Notices, leaks: Iterable[Found], *, origin: Origin, now: datetime) -> None:
    """Remove every token of which a secret, the present one or a former one that still works, is among these.

    It takes no permit: whoever calls it has checked the signature of the report, and it does what is right for whoever
    else may have read the secret (docs/decisions/0019).
    """
    found = {token_hash(leak.text): leak for leak in leaks if looks_like_token(leak.text)}
    works_on = ApiToken.former_hash.in_(found) & (ApiToken.former_until > now)
    is_found = or_(ApiToken.token_hash.in_(found), works_on)
    rows = db.scalars(select(ApiToken).where(is_found).order_by(ApiToken.user_id, ApiToken.id)).all()
    for token in rows:
        leak = found.get(token.token_hash) or found[token.former_hash or b""]
        still_found = (ApiToken.id == token.id) & is_found  # it may be given a new secret in this moment
        _void(db, notices, token, still_found, leak, origin=origin, now=now)


def _void(
    db: Session,
    notices: Notices,
    token: ApiToken,
    still_found: ColumnElement[bool],
    leak: Found,
    *,
    origin: Origin,
    now: datetime,
) -> None:
    owner = db.get_one(User, token.user_id, with_for_update={"key_share": True})
    name, last_used_at = token.description, token.last_used_at
    removed = db.execute(delete(ApiToken).where(still_found))
    assert isinstance(removed, CursorResult)  # noqa: S101 - a DELETE has a row count
    if removed.rowcount != 1:
        return
    details = {"token": name, "where": leak.where or "a place that was not named"}
    journal.record(db, "account:token:leaked", now=now, origin=origin, actor_id=None, user_id=owner.id, details=details)
    notices.tell(db, owner, "token-leaked", now=now, name=name, where=leak.where, last_used_at=last_used_at)
