"""Budgets of attempts, kept in the database so that a restart or a second process gives nobody new ones."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from domain.problems import Problem
from models import Attempt, begin_writing, insert_into


@dataclass(frozen=True)
class Limit:
    """At most `most` attempts in a window of this length, counted from the window's first attempt."""

    most: int
    window: timedelta


@dataclass(frozen=True)
class Budget:
    """A named set of limits. `words` completes "Too many …". `by_network`: its keys are network addresses."""

    name: str
    words: str
    limits: tuple[Limit, ...]
    by_network: bool = False


def _limits(*pairs: tuple[int, timedelta]) -> tuple[Limit, ...]:
    return tuple(Limit(most, window) for most, window in pairs)


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVER = timedelta(days=20_000)  # until a success starts the count over; its seconds fit into 32 bits

# The figures are PyPI's where it has them. One account's second factors share one budget: more apps must not mean
# more guesses.
# A stranger can spend it, so it holds for minutes only, and never for whoever is signed in: that is PRESENCE. Nor does
# whoever found a key spend that one: its owner has to confirm before it can be removed.
PASSWORD_OF_ACCOUNT = Budget("password:account", "wrong passwords", _limits((10, 5 * MINUTE)))
PASSWORD_AFTER_KEY = Budget("password:key", "wrong passwords", _limits((10, 5 * MINUTE), (50, DAY)))
PRESENCE = Budget("presence:account", "wrong passwords", _limits((10, 5 * MINUTE), (50, DAY)))
PASSWORD_FROM_ADDRESS = Budget(
    "password:address", "wrong passwords", _limits((20, 5 * MINUTE), (200, HOUR)), by_network=True
)
SECOND_FACTOR = Budget("factor:account", "wrong codes", _limits((5, 5 * MINUTE), (20, HOUR), (50, DAY)))
SECOND_FACTOR_FROM_ADDRESS = Budget(
    "factor:address", "wrong codes", _limits((10, 5 * MINUTE), (50, HOUR)), by_network=True
)
# NIST SP 800-63B-4 §3.2.2: after a hundred wrong codes in a row, codes of apps are over until another factor succeeds.
CODES_IN_A_ROW = Budget("codes:account", "wrong codes in a row", _limits((100, EVER)))
# A lecturer's room of laptops registers from one address within minutes.
REGISTER = Budget("register:address", "new accounts from here", _limits((40, HOUR), (200, DAY)), by_network=True)
RESET_MAIL = Budget("reset:account", "password resets", _limits((5, HOUR), (20, DAY)))
RESET_FROM_ADDRESS = Budget("reset:address", "password resets", _limits((20, HOUR)), by_network=True)
NEW_BROWSER_MAIL = Budget("browser:account", "sign-ins from new browsers", _limits((6, HOUR), (20, DAY)))
UNFINISHED_MAIL = Budget("unfinished:account", "unfinished sign-ins", _limits((1, DAY)))
VERIFICATION_MAIL = Budget("verify:account", "verification mails", _limits((6, 6 * HOUR)))
RESERVE_NAME = Budget("reserve:account", "new projects", _limits((20, HOUR)))
INVITE = Budget("invite:account", "invitations", _limits((40, HOUR)))
OFFER = Budget("offer:account", "offered projects", _limits((20, HOUR)))
OFFER_TO = Budget("offer:receiver", "offers to this receiver", _limits((5, DAY)))
# Only what loosens is counted, for a stolen token or session could spend it: yanking, archiving and closing to readers
# protect others, and are never refused for having been done often.
CHANGE_YANKS = Budget("yank:account", "changes of yanks", _limits((200, HOUR)))
CHANGE_YANK = Budget("yank:release", "changes of this release's yank", _limits((5, HOUR)))
OPEN_AGAIN = Budget("open:project", "openings of this project", _limits((5, HOUR)))
INVITE_ADDRESS = Budget("invite:address", "invitations to this address", _limits((5, DAY)))
INVITE_PERSON = Budget("invite:person", "invitations to this person", _limits((5, DAY)))
REQUEST_ORGANIZATION = Budget("organization:account", "requests for organizations", _limits((10, DAY)))
ADD_PUBLISHER = Budget("publisher:account", "new trusted publishers", _limits((100, DAY)))
ADD_PUBLISHER_FROM_ADDRESS = Budget(
    "publisher:address", "new trusted publishers from here", _limits((100, DAY)), by_network=True
)
# Of exchanges that came to nothing; one that succeeds gives its try back, for CI jobs share addresses.
MINT_FROM_ADDRESS = Budget("mint:address", "refused identity tokens from here", _limits((200, HOUR)), by_network=True)
NEW_TOKENS = Budget("token:account", "new API tokens", _limits((50, HOUR)))


class TooMany(Problem):
    """A budget is spent. `retry_at`: when the next attempt is counted again."""

    def __init__(self, budget: Budget, retry_at: datetime) -> None:
        super().__init__(
            f"Too many {budget.words}. Try again after {retry_at:%H:%M} UTC on {retry_at.day} {retry_at:%B}.",
            code="too_many_attempts",
        )
        self.budget, self.retry_at = budget, retry_at


def take(db: Session, *spending: tuple[Budget, str], now: datetime) -> None:
    """Count one attempt in each budget for its key, or raise TooMany for the first that is spent.

    Commits: an attempt is counted before its outcome is known and whatever becomes of the rest, so that a hundred
    guesses at once are a hundred attempts. A spent budget takes no further count, but the others do: whoever keeps
    knocking at one account's closed door still pays by their address.
    Call it before anything was changed; what was changed is dropped.
    """
    begin_writing(db)
    refusals = [refusal for budget, key in spending if (refusal := _spend(db, budget, key, now=now)) is not None]
    db.commit()
    if refusals:
        raise refusals[0]


def _spend(db: Session, budget: Budget, key: str, *, now: datetime) -> TooMany | None:
    """Count in every window of a budget, or, if one is full, in none."""
    attempt = db.begin_nested()
    for limit in budget.limits:
        if not _count(db, _bucket(budget, key), limit, now=now):
            started_at = _started_at(db, _bucket(budget, key), limit)
            attempt.rollback()
            return TooMany(budget, started_at + limit.window)
    attempt.commit()
    return None


def clear(db: Session, budget: Budget, key: str) -> None:
    """Forget all attempts of one account's budget after a success: guessing has to start over."""
    # The rows stay: whoever is counting in the same moment would find none and take the budget for a spent one.
    for limit in budget.limits:
        db.execute(update(Attempt).where(_row(_bucket(budget, key), limit)).values(count=0))


def refund(db: Session, budget: Budget, key: str) -> None:
    """Give back the one attempt that was a success. For network addresses, where `clear` would let an attacker
    renew the budget by signing in to an account of their own."""
    for limit in budget.limits:  # in the order in which `take` locks them, so that the two never wait for each other
        spent = _row(_bucket(budget, key), limit) & (Attempt.count > 0)
        db.execute(update(Attempt).where(spent).values(count=Attempt.count - 1))


def sweep(db: Session, *, now: datetime) -> None:
    """Remove windows that are over. One without an end stays, for it would start anew."""
    over = (Attempt.window_seconds <= DAY.total_seconds()) & (Attempt.started_at < now - 2 * DAY)
    db.execute(delete(Attempt).where(over))


def _count(db: Session, bucket: str, limit: Limit, *, now: datetime) -> bool:
    """One conditional statement a try: a full window refuses, a running one counts up, an old one starts anew."""
    same = _row(bucket, limit)
    running = Attempt.started_at > now - limit.window
    started = insert_into(db, Attempt).values(bucket=bucket, window_seconds=_seconds(limit), started_at=now, count=0)
    db.execute(started.on_conflict_do_nothing())
    db.execute(update(Attempt).where(same, ~running).values(started_at=now, count=0))
    counted = db.execute(update(Attempt).where(same, Attempt.count < limit.most).values(count=Attempt.count + 1))
    assert isinstance(counted, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return counted.rowcount == 1


def _started_at(db: Session, bucket: str, limit: Limit) -> datetime:
    started_at = db.scalar(select(Attempt.started_at).where(_row(bucket, limit)))
    assert started_at is not None  # noqa: S101 - it was refused because the row is full
    return started_at


def _bucket(budget: Budget, key: str) -> str:
    return f"{budget.name}:{_network(key) if budget.by_network else key}"


def _network(address: str) -> str:
    """In IPv6 the first half counts, for every household commands the 2^64 addresses of one, and could use another
    for each try."""
    try:
        parsed = ip_address(address)
    except ValueError:  # none at all, or something that a proxy made up
        return address
    is_ipv6 = isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None
    return str(ip_network((parsed, 64), strict=False)) if is_ipv6 else address


def _row(bucket: str, limit: Limit) -> ColumnElement[bool]:
    return (Attempt.bucket == bucket) & (Attempt.window_seconds == _seconds(limit))


def _seconds(limit: Limit) -> int:
    return int(limit.window.total_seconds())
