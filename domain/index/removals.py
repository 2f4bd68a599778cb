"""Taking releases and files off the index, and putting them back within a week (decision 0016)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from packaging.version import Version
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, defer, joinedload, selectinload

from adapters.storage import BlobStore
from domain import journal
from domain.index import pages, projects, releases
from domain.index.announcements import announce
from domain.index.filenames import FileKind, InvalidFile, parse_version
from domain.index.keepers import keepers_of
from domain.index.names import is_typed
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import DeletedFile, DeletedFilename, DeletedRelease, File, Project, Release
from models.release import FileFacts, ReleaseFacts

KEPT = timedelta(days=7)
MOST = 50  # removals that the page names; they are the work of a week


def delete_release(
    db: Session, permit: Permit, notices: Notices, release: Release, *, confirmation: str, now: datetime
) -> None:
    """Take a release and its files off the index, and tell everybody who looks after the project.

    For a week an owner can put it back. The files' names are kept for ever, so that none ever means other bytes.
    confirmation: the version as the person typed it. Raises Problem if it is another one, and Gone.
    """
    permit.covers(Action.DELETE_RELEASE, release)
    if not _is_version(confirmation, release):
        raise Problem(f"That is not the version of this release. Type {release.version} to delete it.", field="confirm")
    # An upload into this release waits here, or was finished before and its file is deleted, too.
    project = releases.lock(db, permit, release)
    removed = _move(db, permit, release, release.files, now=now)
    pages.changed(db, project, now=now)
    _tell(db, permit, notices, "project:release:removed", "release-deleted", project, removed, now=now)


def delete_file(db: Session, permit: Permit, notices: Notices, file: File, *, confirmation: str, now: datetime) -> None:
    """Take one file off the index, otherwise as `delete_release`. A release goes with its last file.

    confirmation: the project's name as the person typed it. Raises Problem if it is another one, or the file is gone.
    """
    permit.covers(Action.DELETE_FILE, file)
    release, file_id = file.release, file.id
    name = release.project.name
    if not is_typed(confirmation, release.project.normalized_name):
        raise Problem(f"That is not the name of the project. Type {name} to delete the file.", field="confirm")
    project = releases.lock(db, permit, release)
    going = [each for each in release.files if each.id == file_id]
    if not going:
        raise releases.Gone("This file was deleted already.")
    removed = _move(db, permit, release, going, now=now)
    pages.changed(db, project, now=now)
    _tell(db, permit, notices, "project:file:removed", "file-deleted", project, removed, now=now)


def find(db: Session, project: Project, deleted_id: int) -> DeletedRelease | None:
    """What was taken off this project, by its key; None if it is gone for good."""
    found = db.get(DeletedRelease, deleted_id)
    return found if found is not None and found.project_id == project.id else None


def lately(db: Session, project: Project, *, now: datetime) -> list[DeletedRelease]:
    """What can still be put back, with its files and who took it off, the last one first."""
    kept = (DeletedRelease.project_id == project.id) & (DeletedRelease.deleted_at > now - KEPT)
    lists = selectinload(DeletedRelease.files), joinedload(DeletedRelease.deleted_by)
    texts = defer(DeletedRelease.description_html), defer(DeletedRelease.core_metadata)
    last_first = DeletedRelease.deleted_at.desc(), DeletedRelease.id.desc()
    found = select(DeletedRelease).where(kept).options(*lists, *texts)
    return list(db.scalars(found.order_by(*last_first).limit(MOST)))


def restore(
    db: Session, permit: Permit, store: BlobStore, notices: Notices, removed: DeletedRelease, *, now: datetime
) -> Release:
    """Put back what was taken off, into the release of that version if there is one again, and return the release.

    Raises Problem: restored already or too late, another sdist or file stands in its place, or its bytes are gone.
    """
    permit.covers(Action.RESTORE_RELEASE, removed)
    there = select(DeletedRelease.deleted_at).where(DeletedRelease.id == removed.id).with_for_update()
    project = db.get(Project, removed.project_id)
    if project is not None:
        projects.lock(db, permit, project)
    deleted_at = db.scalar(there)
    if project is None or deleted_at is None:
        raise releases.Gone("This was restored already, or has gone for good.")
    if deleted_at <= now - KEPT:
        raise Problem("The seven days in which this could be restored are over.")
    files = removed.files
    release = releases.find(db, project, removed.version)
    _check_place(db, release, files)
    _check_bytes(store, files)
    if release is None:
        release = Release(project_id=project.id, **_facts(removed, ReleaseFacts))
        db.add(release)
    names = [file.filename for file in files]
    release.files.extend(File(filename=file.filename, **_facts(file, FileFacts)) for file in files)
    db.execute(delete(DeletedFilename).where(DeletedFilename.filename.in_(names)))
    db.delete(removed)
    pages.changed(db, project, now=now)
    _record(db, permit, "project:release:restored", project, release.version, names, now=now)
    people = [keeper.user for keeper in keepers_of(db, project)]
    values = {"version": release.version, "filenames": names}
    announce(db, permit, notices, "release-restored", people, project=project, now=now, **values)
    return release


def sweep(db: Session, *, now: datetime) -> None:
    """Forget what was taken off more than a week ago. The names of its files stay spent."""
    db.execute(delete(DeletedRelease).where(DeletedRelease.deleted_at <= now - KEPT))


def _move(db: Session, permit: Permit, release: Release, files: Sequence[File], *, now: datetime) -> DeletedRelease:
    removed = DeletedRelease(
        project_id=release.project_id,
        deleted_at=now,
        deleted_by_id=permit.account.user_id,
        files=[DeletedFile(filename=file.filename, **_facts(file, FileFacts)) for file in files],
        **_facts(release, ReleaseFacts),
    )
    db.add(removed)
    db.add_all(DeletedFilename(filename=file.filename, deleted_at=now) for file in files)
    if len(files) == len(release.files):
        db.delete(release)
    else:
        for file in list(files):
            release.files.remove(file)
    db.flush()
    return removed


def _facts(row: object, shared: type) -> dict[str, Any]:  # Any: each column has a type of its own
    """What both tables know of it: the columns that they share by their mixin."""
    return {name: getattr(row, name) for name in shared.__annotations__}


def _check_place(db: Session, release: Release | None, files: Sequence[DeletedFile]) -> None:
    sdist, there = FileKind.SDIST.value, release.files if release is not None else []
    if any(file.kind == sdist for file in files) and any(file.kind == sdist for file in there):
        raise Problem(
            "The release has another sdist by now, and may have only one. Delete that one first.", code="second_sdist"
        )
    names = [file.filename for file in files]
    if db.scalar(select(File.id).where(File.filename.in_(names)).limit(1)) is not None:
        raise Problem("A file of this name is on the index.", code="file_exists")


def _check_bytes(store: BlobStore, files: Sequence[DeletedFile]) -> None:
    for file in files:
        digests = filter(None, (file.sha256, file.metadata_sha256))
        if not all(store.exists(digest) for digest in digests):
            raise Problem(
                f"The contents of {file.filename} are not in the store any more, so nothing was restored."
                " Ask whoever runs this index.",
                code="bytes_gone",
            )


def _is_version(text: str, release: Release) -> bool:
    try:
        return parse_version(text) == Version(release.version)
    except InvalidFile:
        return False


def _record(
    db: Session, permit: Permit, tag: str, project: Project, version: str, filenames: list[str], *, now: datetime
) -> None:
    journal.record(
        db,
        tag,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        project_id=project.id,
        details={
            "project": project.name,
            "version": version,
            "files": filenames,
            "filename": ", ".join(filenames),
        },
    )


def _tell(
    db: Session,
    permit: Permit,
    notices: Notices,
    tag: str,
    notice: str,
    project: Project,
    removed: DeletedRelease,
    *,
    now: datetime,
) -> None:
    version, filenames = removed.version, [file.filename for file in removed.files]
    _record(db, permit, tag, project, version, filenames, now=now)
    people = [keeper.user for keeper in keepers_of(db, project)]
    values = {"version": version, "filenames": filenames, "until": now + KEPT}
    announce(db, permit, notices, notice, people, project=project, now=now, **values)
