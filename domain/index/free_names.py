"""Whether somebody may have a project name."""

from datetime import datetime

from packaging.utils import NormalizedName
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.index import kept_names
from domain.index.names import check_name, lookalike_key
from domain.problems import Problem
from models import Organization, Project


class NameTaken(Problem):
    """A name that somebody has, or one so like it that people would mix them up."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="name", code="name_taken")


def check(
    db: Session, name: str, *, user_id: int, organization: Organization | None = None, now: datetime
) -> NormalizedName:
    """The normalized name, if this account may have it, for itself or for the organization that it acts for. Until the
    transaction ends nobody else gets it, or one like it.

    Raises InvalidName and NameTaken.
    """
    normalized, key = check_name(name), lookalike_key(name)
    if db.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    alike = db.scalar(select(Project).where(Project.lookalike_key == key).limit(1))
    if alike is not None and alike.normalized_name == normalized:
        raise NameTaken(f"The project name {name} is taken. Choose another one.")
    if alike is not None:
        other = "one that exists" if alike.is_private else f"{alike.name}, which exists"
        raise NameTaken(f"The project name {name} is too like {other}. Choose another one.")
    kept = kept_names.in_the_way(db, key, user_id=user_id, organization=organization, now=now)
    if kept is not None:
        what = "is kept" if kept.normalized_name == normalized else f"is too like {kept.name}, which is kept"
        raise NameTaken(f"The project name {name} {what} for its former owners for a while. Choose another one.")
    return normalized
