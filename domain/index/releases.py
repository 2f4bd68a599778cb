"""Releases of a project: finding one, and taking one back."""

from datetime import datetime

from packaging.version import Version
from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload, selectinload

from domain import journal
from domain.index import pages
from domain.index.announcements import announce
from domain.index.filenames import InvalidFile, parse_version
from domain.index.keepers import keepers_of
from domain.index.latest import latest, newest_first
from domain.index.versions import version_key
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import DeletedFilename, Project, Release


def find(db: Session, project: Project, version: str) -> Release | None:
    """The release of this version, however it is spelt (1.0.0 is 1.0, PEP 440); None if there is none."""
    try:
        wanted = parse_version(version)
    except InvalidFile:
        return None
    of_version = (Release.project_id == project.id) & (Release.version_key == version_key(wanted))
    return db.scalar(select(Release).where(of_version))


def of_project(db: Session, project: Project) -> list[Release]:
    """A project's releases with their files, the highest version first. Long texts are left in the database."""
    lists = selectinload(Release.files), joinedload(Release.uploaded_by)
    texts = defer(Release.description_html), defer(Release.core_metadata)
    return newest_first(db.scalars(select(Release).where(Release.project_id == project.id).options(*lists, *texts)))


def summary_of(db: Session, project: Project) -> str:
    """What the project's latest release says of itself; empty if there is none."""
    columns = select(Release.version, Release.is_prerelease, Release.yanked_at, Release.summary)
    newest = latest(db.execute(columns.where(Release.project_id == project.id)))
    return newest.summary if newest is not None else ""


def delete_release(
    db: Session, permit: Permit, notices: Notices, release: Release, *, confirmation: str, now: datetime
) -> None:
    """Take a release and its files off the index, and tell everybody who looks after the project.

    The files' names are kept for ever, so that none ever means other bytes; the bytes themselves stay in the store.
    confirmation: the version as the person typed it. Raises Problem if it is another one.
    """
    permit.covers(Action.DELETE_RELEASE, release)
    if not _names(confirmation, release):
        raise Problem(f"That is not the version of this release. Type {release.version} to delete it.", field="confirm")
    # An upload into this release waits here, or was finished before and its file is deleted, too.
    project = db.get_one(Project, release.project_id, with_for_update=True)
    if db.scalar(select(Release.id).where(Release.id == release.id)) is None:
        raise Problem("This release was deleted already.")
    db.refresh(release, ["files"], with_for_update=True)
    version, filenames = release.version, [file.filename for file in release.files]
    db.add_all(DeletedFilename(filename=filename, deleted_at=now) for filename in filenames)
    db.delete(release)
    db.flush()
    project.summary = summary_of(db, project)
    project.updated_at = now
    pages.refresh(db, project)
    _tell(db, permit, notices, project, version=version, filenames=filenames, now=now)


def _names(text: str, release: Release) -> bool:
    try:
        return parse_version(text) == Version(release.version)
    except InvalidFile:
        return False


def _tell(
    db: Session,
    permit: Permit,
    notices: Notices,
    project: Project,
    *,
    version: str,
    filenames: list[str],
    now: datetime,
) -> None:
    journal.record(
        db,
        "project:release:removed",
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        project_id=project.id,
        details={"project": project.name, "version": version, "files": filenames},
    )
    people = [keeper.user for keeper in keepers_of(db, project)]
    announce(
        db, permit, notices, "release-deleted", people, project=project, now=now, version=version, filenames=filenames
    )
