"""What visitors are shown of one project: its history, its people, and what it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.requirements import InvalidRequirement, Requirement
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.index import collaborators
from domain.index.latest import newest_first
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


def history(db: Session, project: Project) -> list[Line]:
    """The project's releases, the highest version first."""
    columns = (
        Release.version,
        Release.created_at,
        Release.is_prerelease,
        Release.yanked_at,
        Release.yanked_reason,
        func.count(File.id),
    )
    releases = select(*columns).outerjoin(Release.files).where(Release.project_id == project.id).group_by(Release.id)
    return newest_first(Line(*row) for row in db.execute(releases))


def people(db: Session, project: Project) -> list[Person]:
    """Who looks after the project: owners first, then by name."""
    return [Person(part.user.username, part.role) for part in collaborators.of_project(db, project)]


def dependencies(db: Session, requirements: Sequence[str]) -> list[Dependency]:
    """The requirements of a release (PEP 508), with those that are here pointed out."""
    read = [_read(requirement) for requirement in requirements]
    names = {normalize(found.name) for found in read if found is not None}
    here = set(db.scalars(select(Project.normalized_name).where(Project.normalized_name.in_(names))))
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
