"""What an organization says of itself, and which names it may have."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain import naming
from domain.index.names import lookalike_key
from domain.problems import Problem
from models import Organization, RetiredName
from models.organization import organization_key

MAX_DISPLAY_NAME, MAX_URL, MAX_DESCRIPTION = 100, 400, 400
RETIRED_AS = "organization"


@dataclass(frozen=True)
class Facts:
    """What everybody may read of an organization. url, description: may be empty."""

    display_name: str
    url: str
    description: str


def clean(facts: Facts) -> Facts:
    """The facts as they are kept. Raises Problem at the field."""
    display_name = naming.clean_line(facts.display_name, field="display_name", most=MAX_DISPLAY_NAME)
    if not display_name:
        raise Problem("Say what the organization is called.", field="display_name")
    return Facts(
        display_name,
        _clean_url(facts.url.strip()),
        naming.clean_line(facts.description, field="description", most=MAX_DESCRIPTION),
    )


def check_free(db: Session, name: str) -> None:
    """Raise Problem at the field `name` unless an organization may be called so today.

    Until the transaction ends nobody else can take the name, or one that looks like it.
    """
    naming.check_name(name, field="name", what="a name")
    key, alike = organization_key(name), lookalike_key(name)
    if db.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"organization:{alike}", 0))))
    taken = db.scalars(select(Organization.name).where(_looks(Organization.name_key) == alike)).all()
    if any(organization_key(other) == key for other in taken):
        raise Problem(f"The name {name} is taken. Choose another one.", field="name")
    if taken:
        raise Problem(f"The name {name} is too like {taken[0]}, which exists. Choose another one.", field="name")
    retired = select(RetiredName.key).where(RetiredName.kind == RETIRED_AS, _looks(RetiredName.key) == alike)
    if db.scalar(retired.limit(1)) is not None:
        raise Problem(f"An organization called {name}, or nearly so, was deleted. Choose another name.", field="name")


def _looks(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """`lookalike_key` of a column in lower case. There are few organizations: looking through all of them is quick."""
    shown: ColumnElement[str] = func.replace(func.replace(func.replace(column, "0", "o"), "l", "1"), "i", "1")
    return func.replace(func.replace(func.replace(shown, "-", ""), "_", ""), ".", "")


def _clean_url(url: str) -> str:
    if not url:
        return ""
    if len(url) > MAX_URL:
        raise Problem(f"Use at most {MAX_URL} characters.", field="url")
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:  # as for http://[
        is_good = False
    if not is_good or not url.isprintable() or " " in url:
        raise Problem("Write a web address that begins with https:// or http://.", field="url")
    return url
