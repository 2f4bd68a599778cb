"""What visitors are shown of one project: its history, its people, and what it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.requirements import InvalidRequirement, Requirement
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from domain.index import collaborators, releases
from domain.index.names import normalize
from models import File, Project, Release


@dataclass(frozen=True)
class Line:
    """One line of a project's history."""

    version: str
    created_at: datetime
    is_prerelease: bool
    yanked_at: datetime | None
    yanked_reason: str | None
    file_count: int


@dataclass(frozen=True)
class History:
    """One page of a project's history. older: the version `before` the next page begins; None on the last one."""

    lines: list[Line]
    older: str | None


@dataclass(frozen=True)
class Person:
    """Somebody who looks after a project. role: "owner" or "maintainer"."""

    username: str
    role: str


@dataclass(frozen=True)
class Dependency:
    """A requirement of a release. wants: versions, extras or an address. condition: when it counts; both may be empty.

    project: its normalised name if it is on this index, else None.
    """

    name: str
    wants: str
    condition: str
    project: str | None


def history(db: Session, project: Project, *, before: str | None = None, most: int = releases.PAGE) -> History:
    """Some of the project's releases, the highest version first: those below the version `before`, or the first ones if
    that is none."""
    columns = (
        Release.version,
        Release.created_at,
        Release.is_prerelease,
        Release.yanked_at,
        Release.yanked_reason,
        select(func.count(File.id)).where(File.release_id == Release.id).scalar_subquery(),
    )
    found = select(*columns).where(Release.project_id == project.id)
    if (key := releases.key_of(before)) is not None:
        found = found.where(Release.version_key < key)
    lines = [Line(*row) for row in db.execute(found.order_by(Release.version_key.desc()).limit(most + 1))]
    return History(lines[:most], older=lines[most - 1].version if len(lines) > most else None)


def people(db: Session, project: Project) -> list[Person]:
    """Who looks after the project: owners first, then by name."""
    return [Person(part.user.username, part.role) for part in collaborators.of_project(db, project)]


def dependencies(db: Session, requirements: Sequence[str], *, among: ColumnElement[bool]) -> list[Dependency]:
    """The requirements of a release (PEP 508), with those that are here pointed out. among: which projects are here for
    the reader."""
    read = [_read(requirement) for requirement in requirements]
    names = {normalize(found.name) for found in read if found is not None}
    here = set(db.scalars(select(Project.normalized_name).where(Project.normalized_name.in_(names), among)))
    return [_dependency(found, here) for found in read if found is not None]


def _read(requirement: str) -> Requirement | None:
    try:
        return Requirement(requirement)
    except InvalidRequirement:  # the library has become stricter since it was uploaded
        return None


def _dependency(found: Requirement, here: set[str]) -> Dependency:
    extras = f"[{', '.join(sorted(found.extras))}]" if found.extras else ""
    name = normalize(found.name)
    return Dependency(
        name=found.name,
        wants=" ".join(part for part in (extras, str(found.specifier), found.url or "") if part),
        condition=str(found.marker or ""),
        project=name if name in here else None,
    )
