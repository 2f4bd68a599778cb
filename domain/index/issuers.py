"""Who else may say which CI job is which: issuers of identities that administrators let in."""

import re
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adapters.in_time import is_public
from domain import journal, naming
from domain.index import pending_publishers, publishers
from domain.index.publisher_identities import GITLAB, OIDC, PROVIDERS
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Target
from domain.problems import Problem
from models import Issuer, PendingPublisher, Project, TrustedPublisher, User

KINDS = (GITLAB, OIDC)  # whose claims the tokens of an added issuer may have
MAX_URL, MAX_NAME = 255, 64
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_HOST_NAME = re.compile(rf"({_LABEL}\.)*(?=[a-z]){_LABEL}")  # resolvers take a last label of digits for an address


@dataclass(frozen=True)
class Line:
    """An issuer in the list, with how many publishers name it, pending ones among them."""

    issuer: Issuer
    publishers: int


def target_of(issuer: Issuer) -> Target:
    """An issuer as the target of what an administrator does to it."""
    return Target(issuer, issuer.name)


def find(db: Session, issuer_id: int) -> Issuer | None:
    """The issuer of this number."""
    return db.get(Issuer, issuer_id)


def listed(db: Session) -> list[Line]:
    """All that were added, by name. Administrators add a handful."""
    counted = [
        select(func.count()).where(table.issuer == Issuer.url).correlate(Issuer).scalar_subquery()
        for table in (TrustedPublisher, PendingPublisher)
    ]
    rows = db.execute(select(Issuer, *counted).order_by(Issuer.name, Issuer.id))
    return [Line(row[0], row[1] + row[2]) for row in rows]


def projects_of(db: Session, issuer: Issuer, *, most: int) -> list[str]:
    """The projects with a trusted publisher of this issuer, by name."""
    named = select(Project.name).join(TrustedPublisher).where(TrustedPublisher.issuer == issuer.url).distinct()
    return list(db.scalars(named.order_by(Project.name).limit(most)))


def pending_of(db: Session, issuer: Issuer) -> int:
    """How many pending publishers name this issuer."""
    return db.scalar(select(func.count()).where(PendingPublisher.issuer == issuer.url)) or 0


def add(
    db: Session,
    permit: Permit,
    notices: Notices,
    *,
    kind: str,
    name: str,
    url: str,
    allows_private: bool,
    now: datetime,
) -> Issuer:
    """Let publishers name another issuer; all administrators are told.

    kind: "gitlab" for a self-managed GitLab, "oidc" for anything else that signs OpenID Connect tokens.
    url: the `iss` of its tokens, to the letter: OpenID Connect Core §2 compares it so.
    Raises Problem at the field.
    """
    permit.covers(Action.ADD_ISSUER)
    if kind not in {provider.word for provider in KINDS}:
        raise Problem("Choose what it is.", field="kind")
    called = naming.clean_line(name, field="name", most=MAX_NAME)
    if not called:
        raise Problem("Give the issuer a name by which people know it.", field="name")
    address = _clean_url(url, allows_private=allows_private)
    stem = address.rstrip("/")
    if (known := db.scalar(select(Issuer.url).where(Issuer.url.in_((stem, f"{stem}/"))))) is not None:
        other = "" if known == address else " Two that differ in the last slash alone would be mixed up."
        raise Problem(f"{known} was added already.{other}", field="url")
    issuer = Issuer(
        url=address,
        provider=kind,
        name=called,
        allows_private=allows_private,
        added_by_id=permit.account.user_id,
        added_at=now,
    )
    db.add(issuer)
    db.flush()
    _tell(db, permit, notices, "added", issuer, now=now)
    return issuer


def remove(db: Session, permit: Permit, notices: Notices, issuer: Issuer, *, now: datetime) -> None:
    """Let no publisher name this issuer any more; all administrators are told. Those that do, pending ones among them,
    end with it, and their projects' people are told: an issuer that went bad can be shut off at once.

    Raises Problem if it is gone already.
    """
    permit.covers(Action.REMOVE_ISSUER, issuer)
    locked = select(Issuer).where(Issuer.id == issuer.id).with_for_update()
    if db.scalar(locked.execution_options(populate_existing=True)) is None:
        raise Problem("This issuer was removed already.")
    publishers.end_of_issuer(db, permit, notices, issuer, now=now)
    pending_publishers.end_of_issuer(db, permit, notices, issuer, now=now)
    _tell(db, permit, notices, "removed", issuer, now=now)
    db.delete(issuer)
    db.flush()


def _clean_url(typed: str, *, allows_private: bool) -> str:
    """The address as it is compared: nothing of it is changed but the case of its host."""
    text = typed.strip()
    if len(text) > MAX_URL:
        raise Problem(f"This has {len(text)} characters. The limit is {MAX_URL}.", field="url")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Problem("This is not a web address.", field="url") from None
    plain = text.isascii() and text.isprintable() and " " not in text and not (parts.query or parts.fragment)
    if parts.scheme != "https" or "@" in parts.netloc or not plain or "\\" in text or "//" in parts.path:
        raise Problem(
            "Give the issuer as its tokens name it: an address that begins with https://, without a query.", field="url"
        )
    host = _clean_host(parts.hostname or "", allows_private=allows_private)
    if port == 0:
        raise Problem("This is not a web address.", field="url")
    address = f"https://{host}{'' if port is None else f':{port}'}{parts.path}"
    if any(address.rstrip("/") in (one.issuer, one.own) for one in PROVIDERS.values()):
        raise Problem("This one is known already: choose it where a publisher is added.", field="url")
    return address


def _clean_host(host: str, *, allows_private: bool) -> str:
    """The host as it stands in an address. A name of one word is one of a private network, and so is an IP address that
    is not reached from everywhere (RFC 6890)."""
    try:
        number = None if "%" in host else ip_address(host)  # after a % stands a network card of one machine
    except ValueError:
        number = None
    if number is None and _HOST_NAME.fullmatch(host) is None:
        raise Problem("This is not a web address.", field="url")
    is_private = "." not in host if number is None else not is_public(number)
    if is_private and not allows_private:
        raise Problem("This host lies in a private network. If you mean it, tick that below.", field="url")
    return f"[{host}]" if isinstance(number, IPv6Address) else host


def _tell(db: Session, permit: Permit, notices: Notices, what: str, issuer: Issuer, *, now: datetime) -> None:
    journal.record(
        db,
        f"index:issuer:{what}",
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        details={"issuer": issuer.name, "url": issuer.url},
    )
    facts = {"issuer": issuer, "by": permit.account.username}
    for user in db.scalars(select(User).where(User.is_admin, User.is_active).order_by(User.id)):
        told = {**facts, "origin": permit.principal.origin} if user.id == permit.account.user_id else facts
        notices.tell(db, user, f"issuer-{what}", now=now, **told)
