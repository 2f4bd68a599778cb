"""API tokens: a form that scanners recognise, a hash that cannot be turned back, and a life that ends."""

import base64
import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from domain import journal
from domain.identity import throttle
from domain.identity.labels import clean_label
from domain.identity.standing import standing_of
from domain.identity.throttle import NEW_TOKENS
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Grant, Origin, TokenHolder
from domain.problems import Problem
from models import ApiToken, Project, ProjectRole, User

# Prefix, random part, checksum, as GitHub's tokens have them: the prefix lets a scanner find a token that was
# published by mistake, and the checksum lets it, and us, drop a look-alike without asking the database.
PREFIX = "csn_"
RANDOM_BYTES = 32
RANDOM_CHARACTERS = 43  # 32 bytes in unpadded base64
CHECKSUM_CHARACTERS = 6  # 62^6 > 2^32
BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
FORM = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{{RANDOM_CHARACTERS}}})([A-Za-z0-9]{{{CHECKSUM_CHARACTERS}}})")
HINT_CHARACTERS = 4

MAX_DESCRIPTION = 100
MAX_TOKENS = 25
USED_EVERY = timedelta(minutes=1)  # how exact `last_used_at` is; a row written at every file would buy nothing
CLIENT = re.compile(r"[A-Za-z][\w.-]{0,63}", re.ASCII)  # the product that a user agent begins with (RFC 9110 §10.1.5)


def new_token(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh token, 53 characters long. random_bytes: gives that many unpredictable bytes."""
    random_part = base64.urlsafe_b64encode(random_bytes(RANDOM_BYTES)).decode().rstrip("=")
    return PREFIX + random_part + _checksum(random_part)


def looks_like_token(text: str) -> bool:
    """Whether this has the form of our tokens, checksum included. It may still be nobody's."""
    form = FORM.fullmatch(text)
    return form is not None and form[2] == _checksum(form[1])


def token_hash(token: str) -> bytes:
    """What is kept of a token: 32 bytes of SHA-256.

    A slow hash is for what people think up; nobody guesses 256 random bits. token: it `looks_like_token`.
    """
    return hashlib.sha256(token.encode()).digest()


def hint(token: str) -> str:
    """The last four characters of the random part, by which an owner recognises a token in a list."""
    end = len(PREFIX) + RANDOM_CHARACTERS
    return token[end - HINT_CHARACTERS : end]


def mint(
    db: Session,
    permit: Permit,
    notices: Notices,
    *,
    description: str,
    project_ids: frozenset[int] | None,
    expires_at: datetime | None,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[ApiToken, str]:
    """Make a token for whoever holds the permit; returns its row and its text, which is kept nowhere.

    description: what its owner calls it, at most 100 characters.
    project_ids: what it may upload to; None for everything its owner may, projects to come included.
    expires_at: None for never.
    Raises Problem: no name or one in use, no project or one that is not theirs, 25 tokens, or too many new ones.
    """
    permit.covers(Action.CREATE_TOKEN)
    description = clean_label(description, most=MAX_DESCRIPTION, field="description")
    if not description:
        raise Problem("Give the token a name.", field="description")
    throttle.take(db, (NEW_TOKENS, str(permit.account.user_id)), now=now)
    # The lock has two forms sent at once wait for each other, so that both rules below see all tokens.
    owner = db.get_one(User, permit.account.user_id, with_for_update={"key_share": True})
    others = list_of(db, owner.id)
    if description in {other.description for other in others}:
        raise Problem(f"The name “{description}” is already in use. Give this token another one.", field="description")
    if len(others) >= MAX_TOKENS:
        raise Problem(f"You have {MAX_TOKENS} tokens, and that is the limit. Remove one that is no longer used.")
    text = new_token(random_bytes)
    token = ApiToken(
        user_id=owner.id,
        description=description,
        token_hash=token_hash(text),
        hint=hint(text),
        reaches_all=project_ids is None,
        projects=_projects(db, owner.id, project_ids) if project_ids is not None else [],
        grants=[Grant.UPLOAD.value],
        created_at=now,
        expires_at=expires_at,
    )
    db.add(token)
    db.flush()
    _tell(db, permit, notices, owner, "added", token, now=now)
    return token, text


def remove(db: Session, permit: Permit, notices: Notices, token: ApiToken, *, now: datetime) -> None:
    """Void a token at once. Harmless if somebody was faster."""
    permit.covers(Action.REMOVE_TOKEN, token)
    owner = db.get_one(User, token.user_id, with_for_update={"key_share": True})
    if db.scalar(select(ApiToken.id).where(ApiToken.id == token.id)) is None:
        return
    _tell(db, permit, notices, owner, "removed", token, now=now)
    db.delete(token)
    db.flush()


def list_of(db: Session, user_id: int) -> list[ApiToken]:
    """The account's tokens, newest first."""
    return list(db.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id.desc())))


def find(db: Session, text: str, *, origin: Origin) -> TokenHolder | None:
    """Whoever may act with this token, expired or not (that is for the judge to say); None if nobody may.

    text: what the client sent as a password; what does not look like one of our tokens never reaches the database.
    """
    if not looks_like_token(text):
        return None
    token = db.scalar(select(ApiToken).where(ApiToken.token_hash == token_hash(text)))
    account = standing_of(db, token.user_id) if token is not None else None
    if token is None or account is None:
        return None
    return TokenHolder(
        origin=origin,
        account=account,
        token_id=token.id,
        expires_at=token.expires_at,
        reaches_all=token.reaches_all,
        project_ids=frozenset(project.id for project in token.projects),
        creates_project=token.creates_project,
        grants=frozenset(Grant(word) for word in token.grants),
        networks=tuple(token.networks),
    )


def record_use(db: Session, holder: TokenHolder, *, now: datetime) -> None:
    """Remember when, from where and with which client a token was used; to the minute."""
    client = CLIENT.match(holder.origin.user_agent)
    is_due = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USED_EVERY)
    db.execute(
        update(ApiToken)
        .where(ApiToken.id == holder.token_id, is_due)
        .values(
            last_used_at=now,
            last_used_with=client[0] if client else None,
            last_used_from=holder.origin.address[:64],
        )
    )


def _projects(db: Session, owner_id: int, project_ids: frozenset[int]) -> list[Project]:
    if not project_ids:
        raise Problem("Choose at least one project, or everything.", field="scope")
    theirs = select(Project).join(ProjectRole).where(ProjectRole.user_id == owner_id, Project.id.in_(project_ids))
    projects = list(db.scalars(theirs))
    if len(projects) != len(project_ids):
        raise Problem("Choose among the projects that you have a role in.", field="scope")
    return projects


def _tell(
    db: Session, permit: Permit, notices: Notices, owner: User, what: str, token: ApiToken, *, now: datetime
) -> None:
    reach = "everything" if token.reaches_all else [project.name for project in token.projects]
    details = {"token": token.description, "reach": reach}
    origin = permit.principal.origin
    journal.record(db, f"account:token:{what}", now=now, origin=origin, actor_id=owner.id, details=details)
    notices.tell(db, owner, f"token-{what}", now=now, token=token, origin=origin)


def _checksum(random_part: str) -> str:
    """CRC32 of the random part in base 62, six characters."""
    number = zlib.crc32(random_part.encode())
    symbols = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(BASE_62))
        symbols.append(BASE_62[digit])
    return "".join(reversed(symbols))
