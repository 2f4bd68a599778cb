"""A token as pages show it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models import ApiToken

SOON = timedelta(days=7)


@dataclass(frozen=True)
class Row:
    """A token in a list.

    last_used: with which client and from where. stamp: what to know of its end, and how urgently.
    former_until: until when the secret before this one works; None where it does not.
    """

    token: ApiToken
    last_used: str
    former_until: datetime | None
    stamp: tuple[str, str] | None
    has_ended: bool


def row_of(token: ApiToken, *, now: datetime) -> Row:
    """What there is to say of it now."""
    last_used = ", ".join(filter(None, (token.last_used_with, token.last_used_from)))
    former = token.former_until if token.former_until is not None and token.former_until > now else None
    has_ended = token.expires_at is not None and token.expires_at <= now
    return Row(token, last_used, former, _stamp(token.expires_at, now=now), has_ended)


def _stamp(expires_at: datetime | None, *, now: datetime) -> tuple[str, str] | None:
    if expires_at is None or expires_at - now > SOON:
        return None
    if expires_at <= now:
        return "Ended", "danger"
    days = -((now - expires_at) // timedelta(days=1))
    return ("1 day" if days == 1 else f"{days} days"), "warn"
