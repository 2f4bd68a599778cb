"""What the owners of a project decide about it as a whole: whether it is archived, who may read it, and its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from packaging.requirements import InvalidRequirement, Requirement
from sqlalchemy import ColumnElement, Select, Text, cast, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from domain import journal
from domain.index import downloads, invitations, kept_names, name_list, pages, projects, transfers
from domain.index.announcements import announce
from domain.index.keepers import keepers_of
from domain.index.names import is_typed, normalize
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import ProjectStatus
from domain.problems import Problem
from models import (
    DeletedFilename,
    File,
    Project,
    Release,
    TrustedPublisher,
    User,
    token_project,
)
from models.base import UtcDateTime

LATELY = timedelta(days=30)  # in which downloads are counted before a project is deleted


@dataclass(frozen=True)
class Impact:
    """What hangs on a project. people: all who look after it. tokens: those made for it, and perhaps for others.
    downloads: of the last thirty days."""

    releases: int
    files: int
    downloads: int
    people: int
    tokens: int
    publishers: int
    invitations: int


def impact_of(db: Session, project: Project, *, now: datetime) -> Impact:
    """What it would concern to archive, hand over or delete the project."""
    of_project = select(Release.id).where(Release.project_id == project.id)
    return Impact(
        releases=_count(db, select(func.count(Release.id)).where(Release.project_id == project.id)),
        files=_count(db, select(func.count(File.id)).where(File.release_id.in_(of_project))),
        downloads=downloads.total(db, project, since=now.date() - LATELY),
        people=len(keepers_of(db, project)),
        tokens=_count(db, select(func.count()).where(token_project.c.project_id == project.id)),
        publishers=_count(db, select(func.count()).where(TrustedPublisher.project_id == project.id)),
        invitations=len(invitations.of_place(db, project, now=now)),
    )


def dependents_of(db: Session, project: Project, *, among: ColumnElement[bool]) -> list[str]:
    """The other projects here of which a release needs this one, by name. Reads through all metadata.

    among: which projects are there for the reader.

    The database finds what may be meant by the letters of the name, whichever signs divide them; the requirement is
    then read (PEP 508).
    """
    letters = "%".join(["", *project.normalized_name.split("-"), ""])
    found = select(Project.name, Release.core_metadata).join(Release, Release.project_id == Project.id)
    others = found.where(among, Project.id != project.id, cast(Release.core_metadata, Text).ilike(letters))
    names = set()
    for name, metadata in db.execute(others.order_by(Project.normalized_name)).yield_per(100):
        if any(_is_for(requirement, project) for requirement in metadata.get("requires_dist", [])):
            names.add(name)
    return sorted(names, key=normalize)


def archive(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """Say that nothing will follow: installers go on, uploads are refused, until an owner opens the project again.

    Everybody who looks after it is told. Raises Problem if it is archived already, and as `projects.lock` does.
    """
    permit.covers(Action.ARCHIVE_PROJECT, project)
    _set_status(db, permit, notices, project, ProjectStatus.ARCHIVED, now=now)


def unarchive(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """Open an archived project again. Raises Problem if it is not archived."""
    permit.covers(Action.UNARCHIVE_PROJECT, project)
    _set_status(db, permit, notices, project, ProjectStatus.ACTIVE, now=now)


def change_readers(
    db: Session, permit: Permit, notices: Notices, project: Project, *, is_private: bool, now: datetime
) -> None:
    """Have a project be there for its people only, or for everybody who may read the index. All who look after it are
    told. Raises Problem if it is so already, and as `projects.lock` does."""
    permit.covers(Action.CHANGE_READERS, project)
    projects.lock(db, permit, project)
    if project.is_private == is_private:
        raise Problem(f"{project.name} is {'private' if is_private else 'not private'} already.")
    project.is_private = is_private
    db.flush()
    name_list.changed(db, project.normalized_name)
    _record(db, permit, f"project:reading:{'private' if is_private else 'open'}", project, now=now)
    people = [keeper.user for keeper in keepers_of(db, project)]
    announce(db, permit, notices, "project-readers", people, project=project, now=now)


def remove(
    db: Session, permit: Permit, notices: Notices, project: Project, *, confirmation: str, now: datetime
) -> None:
    """Delete a project with all its releases and files. Everybody who looks after it is told.

    Its name is kept for its owners (`kept_names.KEPT`); the names of its files are never given out again.
    confirmation: the project's name as the person typed it. Raises Problem if it is another one, and projects.Gone.
    """
    permit.covers(Action.DELETE_PROJECT, project)
    if not is_typed(confirmation, project.normalized_name):
        raise Problem(f"That is not the name of the project. Type {project.name} to delete it.", field="confirm")
    projects.lock(db, permit, project)  # an upload to it waits here and finds it gone, or was finished before
    transfers.end_with(db, permit, notices, project, now=now)
    people = [keeper.user for keeper in keepers_of(db, project)]
    kept = kept_names.keep(db, project, now=now)
    _record(db, permit, "project:name:deleted", project, now=now)
    for user in people:
        if user.id != permit.account.user_id:  # the history of the project ends here; theirs goes on
            _record(db, permit, "project:name:deleted", project, user=user, now=now)
    announce(db, permit, notices, "project-deleted", people, project=project, now=now, until=kept.kept_until)
    names = select(File.filename, literal(now, UtcDateTime())).join(Release).where(Release.project_id == project.id)
    db.execute(insert(DeletedFilename).from_select(["filename", "deleted_at"], names))
    db.flush()
    db.execute(delete(Project).where(Project.id == project.id))
    name_list.changed(db, project.normalized_name)


def _set_status(
    db: Session, permit: Permit, notices: Notices, project: Project, status: ProjectStatus, *, now: datetime
) -> None:
    projects.lock(db, permit, project)
    if project.status == status.value:
        is_archived = status is ProjectStatus.ARCHIVED
        raise Problem(f"{project.name} is {'archived already' if is_archived else 'not archived'}.")
    project.status = status.value
    pages.refresh(db, project)
    _record(db, permit, f"project:status:{status.value}", project, now=now)
    people = [keeper.user for keeper in keepers_of(db, project)]
    announce(db, permit, notices, "project-status", people, project=project, now=now)


def _is_for(requirement: str, project: Project) -> bool:
    try:
        return normalize(Requirement(requirement).name) == project.normalized_name
    except InvalidRequirement:  # the library has become stricter since it was uploaded
        return False


def _count(db: Session, counted: Select[int]) -> int:
    return db.scalar(counted) or 0


def _record(
    db: Session,
    permit: Permit,
    tag: str,
    project: Project,
    *,
    now: datetime,
    user: User | None = None,
) -> None:
    """user: whom it concerns; without one, the permit's holder and the project's organization."""
    journal.record(
        db,
        tag,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        user_id=user.id if user is not None else None,
        project_id=project.id,
        organization_id=project.organization_id if user is None else None,
        details={"project": project.name},
    )
