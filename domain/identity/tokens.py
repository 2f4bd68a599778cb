"""API tokens: made, found by their text, used and removed."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session, joinedload, lazyload

from domain import journal
from domain.identity import throttle
from domain.identity.labels import clean_label
from domain.identity.standing import FACTS, standing_from
from domain.identity.throttle import NEW_TOKENS
from domain.identity.token_texts import hint, looks_like_token, new_token, token_hash
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Grant, Origin, TokenHolder
from domain.problems import Problem
from models import ApiToken, Project, User, token_project

MAX_DESCRIPTION = 100
MAX_TOKENS = 25
USED_EVERY = timedelta(minutes=1)  # how exact `last_used_at` is; a row written at every file would buy nothing
CLIENT = re.compile(r"[A-Za-z][\w.-]{0,63}", re.ASCII)  # the product that a user agent begins with (RFC 9110 §10.1.5)


@dataclass(frozen=True)
class Wanted:
    """What a token is to be.

    description: what its owner calls it, at most 100 characters.
    expires_at: None for never.
    projects: names of the projects that it reaches; None for the whole account, projects to come included.
    creates_project: it reaches nothing yet, but may create one project, which is then the one that it reaches.
    networks: where it may come from, as `read_networks` has them; none for anywhere.
    """

    description: str
    expires_at: datetime | None
    projects: frozenset[str] | None = None
    creates_project: bool = False
    grants: frozenset[Grant] = frozenset({Grant.UPLOAD})
    networks: tuple[str, ...] = ()


# Gives somebody's projects by their names; raises Problem where they have no role in one of them.
Held = Callable[[Session, int, frozenset[str]], list[Project]]


def mint(
    db: Session,
    permit: Permit,
    notices: Notices,
    wanted: Wanted,
    *,
    held: Held,
    longest: timedelta | None,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[ApiToken, str]:
    """Make a token for whoever holds the permit; returns its row and its text, which is kept nowhere.

    longest: how long a token may live on this index; None for as long as its owner likes.
    Raises Problem: no name or one in use, nothing that it may do, no project or one that is not theirs, an end that is
    too far off, 25 tokens, or too many new ones.
    """
    permit.covers(Action.CREATE_TOKEN)
    description = clean_label(wanted.description, most=MAX_DESCRIPTION, field="description")
    _check(wanted, description, longest=longest, now=now)
    throttle.take(db, (NEW_TOKENS, str(permit.account.user_id)), now=now)
    # Projects are locked before accounts, as whoever deletes an account does.
    chosen = wanted.projects if wanted.projects and not wanted.creates_project else None
    projects = held(db, permit.account.user_id, chosen) if chosen else []
    # The lock has two forms sent at once wait for each other, so that both rules below see all tokens.
    owner = db.get_one(User, permit.account.user_id, with_for_update={"key_share": True})
    _check_room(list_of(db, owner.id), description)
    text = new_token(random_bytes)
    token = _row(wanted, text, user_id=owner.id, description=description, projects=projects, now=now)
    db.add(token)
    db.flush()
    _tell(db, permit, notices, owner, "added", token, now=now)
    return token, text


def _check(wanted: Wanted, description: str, *, longest: timedelta | None, now: datetime) -> None:
    """Raises Problem for what no token may be, whoever wants it."""
    if not description:
        raise Problem("Give the token a name.", field="description")
    if not wanted.grants:
        raise Problem("Choose at least one thing that it may do.", field="grants")
    if wanted.creates_project and Grant.UPLOAD not in wanted.grants:
        raise Problem("A project is created by an upload. Let the token upload.", field="grants")
    if wanted.projects is not None and not wanted.projects and not wanted.creates_project:
        raise Problem("Choose at least one project, or all that you have a role in.", field="scope")
    if longest is not None and (wanted.expires_at is None or wanted.expires_at > now + longest):
        raise Problem(f"On this index a token ends after {longest.days} days at the latest.", field="expires")


def _check_room(others: list[ApiToken], description: str) -> None:
    """Raises Problem for what the owner's other tokens leave no room for."""
    if description in {other.description for other in others}:
        raise Problem(f"The name “{description}” is already in use. Give this token another one.", field="description")
    if len(others) >= MAX_TOKENS:
        raise Problem(f"You have {MAX_TOKENS} tokens, and that is the limit. Remove one that is no longer used.")


def _row(
    wanted: Wanted, text: str, *, user_id: int, description: str, projects: list[Project], now: datetime
) -> ApiToken:
    return ApiToken(
        user_id=user_id,
        description=description,
        token_hash=token_hash(text),
        hint=hint(text),
        reaches_all=wanted.projects is None and not wanted.creates_project,
        creates_project=wanted.creates_project,
        projects=projects,
        grants=[grant.value for grant in Grant if grant in wanted.grants],
        networks=list(wanted.networks),
        created_at=now,
        expires_at=wanted.expires_at,
    )


def remove(db: Session, permit: Permit, notices: Notices, token: ApiToken, *, now: datetime) -> None:
    """Void a token at once. Harmless if somebody was faster."""
    permit.covers(Action.REMOVE_TOKEN, token)
    owner = db.get_one(User, token.user_id, with_for_update={"key_share": True})
    if db.scalar(select(ApiToken.id).where(ApiToken.id == token.id)) is None:
        return
    _tell(db, permit, notices, owner, "removed", token, now=now)
    db.delete(token)
    db.flush()


def remove_all(db: Session, permit: Permit, notices: Notices, *, now: datetime) -> int:
    """Void all tokens of whoever holds the permit, at once; how many there were. One mail tells of all."""
    permit.covers(Action.REMOVE_ALL_TOKENS)
    owner = db.get_one(User, permit.account.user_id, with_for_update={"key_share": True})
    names = [token.description for token in list_of(db, owner.id)]
    if not names:
        return 0
    db.execute(delete(ApiToken).where(ApiToken.user_id == owner.id))
    origin, details = permit.principal.origin, {"count": len(names), "tokens": ", ".join(names)}
    journal.record(db, "account:token:all_removed", now=now, origin=origin, actor_id=owner.id, details=details)
    notices.tell(db, owner, "tokens-removed", now=now, names=names, origin=origin)
    return len(names)


def list_of(db: Session, user_id: int) -> list[ApiToken]:
    """The account's tokens, newest first, each with the project that it was last used for."""
    theirs = select(ApiToken).where(ApiToken.user_id == user_id).options(joinedload(ApiToken.last_used_project))
    return list(db.scalars(theirs.order_by(ApiToken.id.desc())))


_SAME = or_(ApiToken.token_hash == bindparam("hashed"), ApiToken.former_hash == bindparam("hashed"))
_KNOWN = select(ApiToken, *FACTS).join(ApiToken.user).options(lazyload(ApiToken.projects)).where(_SAME)
_REACHED = select(token_project.c.project_id).where(token_project.c.token_id == bindparam("token_id"))


def find(db: Session, text: str, *, origin: Origin) -> TokenHolder | None:
    """Whoever may act with this token, expired or not (that is for the judge to say); None if nobody may.

    With the secret that a rotation replaced, the token ends when that one does.
    text: what the client sent as a password; what does not look like one of our tokens never reaches the database.
    """
    if not looks_like_token(text):
        return None
    hashed = token_hash(text)
    row = db.execute(_KNOWN, {"hashed": hashed}).one_or_none()
    if row is None:
        return None
    token, *facts = row
    is_former = token.former_hash == hashed
    ends = [end for end in (token.expires_at, token.former_until if is_former else None) if end is not None]
    return TokenHolder(
        origin=origin,
        account=standing_from(facts),
        token_id=token.id,
        expires_at=min(ends, default=None),
        was_replaced=is_former,
        reaches_all=token.reaches_all,
        project_ids=frozenset() if token.reaches_all else frozenset(db.scalars(_REACHED, {"token_id": token.id})),
        creates_project=token.creates_project,
        grants=frozenset(Grant(word) for word in token.grants),
        networks=tuple(token.networks),
        last_used_at=token.last_used_at,
        last_used_project_id=token.last_used_project_id,
    )


def record_use(db: Session, holder: TokenHolder, *, project_id: int | None, now: datetime) -> None:
    """Remember when, from where, with which client and for which project a token was used; to the minute.

    project_id: None for what concerns no project, which leaves the last one as it is.
    """
    is_recent = holder.last_used_at is not None and now - holder.last_used_at < USED_EVERY
    if is_recent and project_id in (None, holder.last_used_project_id):
        return  # most uploads of a release: what is known is asked of nobody
    client = CLIENT.match(holder.origin.user_agent)
    used: dict[str, object] = {
        "last_used_at": now,
        "last_used_with": client[0] if client else None,
        "last_used_from": holder.origin.address[:64],
    }
    is_due = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USED_EVERY)
    if project_id is not None:
        used["last_used_project_id"] = project_id
        is_due = or_(is_due, ApiToken.last_used_project_id.is_distinct_from(project_id))
    db.execute(update(ApiToken).where(ApiToken.id == holder.token_id, is_due).values(**used))


def _tell(
    db: Session, permit: Permit, notices: Notices, owner: User, what: str, token: ApiToken, *, now: datetime
) -> None:
    """Write into the journal what became of a token, and tell its owner. what: "added", as tag and notice have it."""
    origin = permit.principal.origin
    details = {"token": token.description, "reach": _reach(token), "grants": token.grants, "networks": token.networks}
    journal.record(db, f"account:token:{what}", now=now, origin=origin, actor_id=owner.id, details=details)
    notices.tell(db, owner, f"token-{what}", now=now, token=token, origin=origin)


def _reach(token: ApiToken) -> str | list[str]:
    if token.creates_project:
        return "one new project"
    return "everything" if token.reaches_all else [project.name for project in token.projects]
