"""Releases of a project: finding one, listing them page by page, and which one stands for the project."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, defer, joinedload, selectinload

from domain.index import projects
from domain.index.filenames import InvalidFile, parse_version
from domain.index.versions import version_key
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Project, Release

PAGE = 50


class Gone(Problem):
    """What something was to be done to was deleted, or put back, in the same moment."""

    def __init__(self, message: str = "This release was deleted already.") -> None:
        super().__init__(message, code="not_found")


@dataclass(frozen=True)
class Leaf:
    """One page of releases, the highest version first. older: the version `before` the next page begins; None on the
    last one."""

    releases: list[Release]
    older: str | None


_NAMED = select(Release).where(
    Release.project_id == bindparam("project_id"), Release.version_key == bindparam("version_key")
)


def find(db: Session, project: Project, version: str) -> Release | None:
    """The release of this version, however it is spelt (1.0.0 is 1.0, PEP 440); None if there is none."""
    key = key_of(version)
    if key is None:
        return None
    return db.scalar(_NAMED, {"project_id": project.id, "version_key": key})


def key_of(version: str | None) -> bytes | None:
    """Where a version stands among all others; None for what is no version."""
    try:
        return version_key(parse_version(version)) if version else None
    except InvalidFile:
        return None


def leaf(db: Session, project: Project, *, before: str | None = None, most: int = PAGE) -> Leaf:
    """Some of a project's releases with their files: those below the version `before`, or the first ones if that is
    none. Long texts are left in the database."""
    lists = selectinload(Release.files), joinedload(Release.uploaded_by)
    texts = defer(Release.description_html), defer(Release.core_metadata)
    of_project = select(Release).where(Release.project_id == project.id).options(*lists, *texts)
    if (key := key_of(before)) is not None:
        of_project = of_project.where(Release.version_key < key)
    found = list(db.scalars(of_project.order_by(Release.version_key.desc()).limit(most + 1)))
    return Leaf(found[:most], older=found[most - 1].version if len(found) > most else None)


def count(db: Session, project: Project) -> int:
    """How many releases the project has."""
    return db.scalar(select(func.count()).select_from(Release).where(Release.project_id == project.id)) or 0


def newest(db: Session, project: Project, *, besides: Release | None = None) -> Release | None:
    """The release that stands for the project, as `latest` chooses it: a pre-release only where nothing else is left, a
    yanked one if all are. besides: one that does not count."""
    ids = select(Release.id).where(Release.project_id == project.id)
    if besides is not None:
        ids = ids.where(Release.id != besides.id)
    rank = Release.yanked_at.is_not(None), Release.is_prerelease, Release.version_key.desc()
    found = db.scalar(ids.order_by(*rank).limit(1))
    return db.get(Release, found) if found is not None else None


def lock(db: Session, permit: Permit, release: Release) -> Project:
    """Take the project of a release, so that uploads to it, deletions and yanks take turns, and look again whether the
    permit's holder still has the role for it and its status allows it; read the release anew.

    Raises Gone if somebody was faster, and Problem.
    """
    release_id, project = release.id, db.get(Project, release.project_id)
    if project is None:
        raise Gone
    projects.lock(db, permit, project)
    if db.scalar(select(Release.id).where(Release.id == release_id)) is None:
        raise Gone
    db.refresh(release, with_for_update=True)
    db.expire(release, ["files"])
    return project
