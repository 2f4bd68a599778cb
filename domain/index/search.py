"""Lists of projects: what was searched for, and what changed last."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from domain.index.full_text import Found, Order
from domain.index.latest import Versioned, latest
from domain.policy.targets import ProjectStatus
from domain.problems import Problem
from models import Project, Release

PAGE_SIZE = 20
MAX_QUERY = 200  # characters
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # PostgreSQL takes no NUL, not even to look for


@dataclass(frozen=True)
class Listed:
    """A project as a list shows it. version: of its latest release; None while the name is only reserved. status: PEP
    792's word."""

    name: str
    normalized_name: str
    summary: str
    updated_at: datetime
    version: str | None
    is_prerelease: bool
    status: str
    is_private: bool = False

    @property
    def mark(self) -> str | None:
        """What stands beside its name; None for a project as any other."""
        if self.status != ProjectStatus.ACTIVE.value:
            state: str | None = self.status
        else:
            state = "reserved" if self.version is None else "pre-release" if self.is_prerelease else None
        words = [word for word in ("private" if self.is_private else None, state) if word]
        return ", ".join(words).capitalize() or None


@dataclass(frozen=True)
class Results:
    """One page of what was found. total: on all pages together. pages: at least one.

    statuses, pythons: how many there would be with each, by PEP 792's word and by version, the newest first.
    """

    projects: list[Listed]
    total: int
    pages: int
    statuses: Mapping[str, int] = field(default_factory=dict)
    pythons: Mapping[str, int] = field(default_factory=dict)


def clean_query(text: str) -> str:
    """What somebody typed, with single spaces and without signs that cannot be printed."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def search(
    db: Session,
    query: str,
    *,
    among: ColumnElement[bool],
    order: Order,
    page: int,
    status: str | None = None,
    python: str | None = None,
) -> Results | None:
    """The projects that hold every word of `query`, or words that begin so, in name, summary, keywords, classifiers or
    description, and those with the query in their name; all projects where it has no words.

    query: a clean one. among: which projects are there for whoever searches. page: counted from 1.
    status: PEP 792's word, python: such as "3.12"; None for any.
    Returns None for a page that there is not. Raises Problem if the query is too long.
    """
    if len(query) > MAX_QUERY:
        raise Problem(f"That is too long to search for. The limit is {MAX_QUERY} characters.", field="q")
    found = Found(db, query, among)
    narrowed = found.narrowed(status, python)
    total = db.scalar(select(func.count()).select_from(Project).where(*narrowed)) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    if not 1 <= page <= pages:
        return None
    rows = db.scalars(found.arranged(order).where(*narrowed).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    return Results(listed(db, rows), total, pages, statuses=found.statuses(python), pythons=found.pythons(status))


def recently_updated(db: Session, *, among: ColumnElement[bool], most: int) -> list[Listed]:
    """The projects whose files changed last; names that are only reserved are left out. among: as in `search`."""
    is_released = select(Release.id).where(Release.project_id == Project.id).exists()
    newest = select(Project).where(is_released, among).order_by(Project.updated_at.desc(), Project.id)
    return listed(db, db.scalars(newest.limit(most)).all())


def listed(db: Session, projects: Sequence[Project]) -> list[Listed]:
    """Projects as lists show them, in the order given."""
    columns = select(Release.project_id, Release.version, Release.is_prerelease, Release.yanked_at)
    releases = db.execute(columns.where(Release.project_id.in_([project.id for project in projects]))).all()
    grouped: dict[int, list[Versioned]] = {project.id: [] for project in projects}
    for row in releases:
        grouped[row.project_id].append(row)
    return [_line(project, latest(grouped[project.id])) for project in projects]


def _line(project: Project, release: Versioned | None) -> Listed:
    return Listed(
        name=project.name,
        normalized_name=project.normalized_name,
        summary=project.summary,
        updated_at=project.updated_at,
        version=release.version if release is not None else None,
        is_prerelease=release is not None and release.is_prerelease,
        status=project.status,
        is_private=project.is_private,
    )
