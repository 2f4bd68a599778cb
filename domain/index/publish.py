"""Publishing: from a file that has arrived to one that anybody can install."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from packaging.version import Version
from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from adapters.storage import BlobStore
from domain import journal
from domain.index import blobs, free_names, pages, projects, quotas, releases, reservations
from domain.index.announcements import announce
from domain.index.digests import Received
from domain.index.filenames import FileKind, Filename
from domain.index.keepers import keepers_of
from domain.index.upload_rules import UploadRules
from domain.index.uploads import Checked, Upload, identify, read
from domain.index.versions import version_key
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Denial, NoLongerPermitted, Permit
from domain.policy.judge import judge
from domain.policy.principals import Operator, Principal, Publisher
from domain.policy.rules import Policy
from domain.policy.targets import Role
from domain.problems import Problem
from models import DeletedFilename, File, Project, Release, begin_writing

ONE_MAIL = timedelta(hours=1)  # a release's wheels and its sdist arrive one by one, and are told of once


class FileExists(Problem):
    """A filename, or bytes, that this index has given out already."""

    def __init__(self, filename: str, blake2_256: str) -> None:
        # twine, uv and scripts look for how this begins.
        super().__init__(
            f"File already exists ({filename!a}, with blake2_256 hash {blake2_256!a})."
            " A filename keeps its contents for ever: raise the version.",
            field="content",
            code="file_exists",
        )


class ProjectExists(Problem):
    """The project that this upload was to create was created by another one in the same moment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The project {name} was created just now by another upload. Upload again.", code="try_again")


@dataclass(frozen=True)
class Published:
    """What became of an upload. is_new: False if the very same file was there already, and nothing has changed.

    project_id: what it belongs to.
    """

    filename: str
    project_id: int
    is_new: bool


def publish(
    db: Session,
    permit: Permit,
    store: BlobStore,
    notices: Notices,
    upload: Upload,
    *,
    rules: UploadRules,
    policy: Policy,
    asks_again: Callable[[], Principal],
    now: datetime,
) -> Published:
    """Check a file, put it on the index and keep its bytes; a project comes into being with its first file.

    The archive is read before the writing transaction begins, so that a large one holds nobody up; for that, what
    the session has read or changed so far is left behind. What is here already is not read again. The blob is kept
    last and before the caller commits: a row never stands for bytes that are not there, and a blob without a row does
    no harm.
    policy: what the permit is judged by once more, under the project's lock. asks_again: gives whoever asks as they are
        by then: a token may have been removed, or its owner have lost the last second factor, while the file was read.
    Raises Problem with what is wrong with the file, and NoLongerPermitted; the caller rolls back, and nothing was
    stored.
    """
    filename = identify(upload, rules)
    is_here = _find_same(db, filename, upload.file) is not None
    db.rollback()  # no transaction is open while the archive is read
    checked = None if is_here else read(upload, filename, rules)
    begin_writing(db)
    quotas.take_turns(db, rules)
    blobs.hold(db)
    spelling = checked.metadata.name if checked is not None else upload.name
    judge_again = partial(_judge_again, db, permit, asks_again(), policy, now)
    project, is_created = _project_for(db, permit, notices, spelling, judge_again, now=now)
    if (same := _find_same(db, filename, upload.file)) is not None:
        return Published(same.filename, same.release.project_id, is_new=False)
    if permit.action is Action.CREATE_PROJECT and not is_created:
        raise ProjectExists(project.name)
    checked = checked or read(upload, filename, rules)  # it was here a moment ago, and was deleted
    quotas.check(db, project, rules, more_bytes=checked.file.size_bytes)
    _add(db, permit, notices, project, checked, now=now)
    store.put(checked.file.sha256, checked.file.path)
    if checked.metadata_file is not None and checked.metadata_sha256 is not None:
        store.put_bytes(checked.metadata_sha256, checked.metadata_file)
    return Published(checked.filename.text, project.id, is_new=True)


_SAME = select(File).where(or_(File.filename == bindparam("filename"), File.sha256 == bindparam("sha256")))


def _find_same(db: Session, filename: Filename, received: Received) -> File | None:
    """The very same file, if it is here. Raises Problem if another one stands in the way of this one."""
    text, digest = filename.text, received.sha256
    for file in db.scalars(_SAME, {"filename": text, "sha256": digest}):
        if (file.filename, file.sha256) == (text, digest):
            return file
        raise FileExists(file.filename, file.blake2_256)
    if db.get(DeletedFilename, text) is not None:
        raise Problem(
            "This filename was previously used by a file that has since been deleted. Use a different version.",
            field="content",
            code="filename_reused",
        )
    return None


def _project_for(
    db: Session,
    permit: Permit,
    notices: Notices,
    name: str,
    judge_again: Callable[[Project | None], None],
    *,
    now: datetime,
) -> tuple[Project, bool]:
    """The project, locked so that uploads to it take turns, and whether it was created for this upload."""
    project = projects.find(db, name)
    if project is None and permit.action is not Action.CREATE_PROJECT:
        raise projects.Gone(name)
    if project is None:
        judge_again(None)
        try:
            return reservations.create_by_upload(db, permit, notices, name=name, now=now), True
        except free_names.NameTaken:
            project = projects.find(db, name)  # another upload was faster, perhaps of this very file
            if project is None:
                raise
    if permit.action is not Action.CREATE_PROJECT:
        permit.covers(Action.UPLOAD_FILE, project)
    locked = select(Project).where(Project.id == project.id).with_for_update(key_share=True)
    if db.scalar(locked.execution_options(populate_existing=True)) is None:
        raise projects.Gone(project.name)
    if permit.action is not Action.CREATE_PROJECT:
        judge_again(project)
    return project, False


def _judge_again(
    db: Session, permit: Permit, principal: Principal, policy: Policy, now: datetime, project: Project | None
) -> None:
    """What was judged before the file was read must still be so. Raises NoLongerPermitted."""
    target = projects.target_of(db, project, permit.actor_id) if project is not None else None
    decision = judge(principal, permit.action, target, policy, now)
    if isinstance(decision, Denial):
        raise NoLongerPermitted(decision)


def _add(db: Session, permit: Permit, notices: Notices, project: Project, checked: Checked, *, now: datetime) -> None:
    release = releases.find(db, project, checked.metadata.version)
    is_first = release is None
    if release is None:
        release = _release(permit, project, checked, now=now)
        db.add(release)
    _check_sdists(release, checked)
    is_told = _was_told_lately(release, permit, now=now)
    file = _file(permit, checked, now=now)
    release.files.append(file)
    pages.changed(db, project, now=now)
    if is_first:
        _record(db, permit, "project:release:added", project, {"version": release.version}, now=now)
    details = {"version": release.version, "filename": file.filename, "sha256": file.sha256}
    _record(db, permit, "project:file:added", project, details, now=now)
    if not is_told and not isinstance(permit.principal, Operator):  # of an import is told once, when it is over
        _tell(db, permit, notices, project, file, is_first=is_first, now=now)


def _check_sdists(release: Release, checked: Checked) -> None:
    sdist = FileKind.SDIST
    if checked.filename.kind is sdist and any(file.kind == sdist.value for file in release.files):
        raise Problem("Only one sdist may be uploaded per release.", field="content", code="second_sdist")


def _release(permit: Permit, project: Project, checked: Checked, *, now: datetime) -> Release:
    metadata = checked.metadata
    version = Version(metadata.version)
    return Release(
        project_id=project.id,
        version=metadata.version,
        version_key=version_key(version),
        is_prerelease=version.is_prerelease,
        created_at=now,
        uploaded_by_id=permit.actor_id,
        summary=metadata.summary,
        requires_python=metadata.requires_python,
        description_html=checked.description_html,
        core_metadata={**metadata.raw, "project_urls": metadata.links},
        yanked_at=None,
    )


def _file(permit: Permit, checked: Checked, *, now: datetime) -> File:
    return File(
        filename=checked.filename.text,
        kind=checked.filename.kind.value,
        tags=checked.filename.tags,
        size_bytes=checked.file.size_bytes,
        sha256=checked.file.sha256,
        blake2_256=checked.file.blake2_256,
        metadata_sha256=checked.metadata_sha256,
        requires_python=checked.metadata.requires_python,
        uploaded_at=now,
        uploaded_with=permit.principal.origin.user_agent[:255],
        publisher=_job(permit),
    )


def _job(permit: Permit) -> dict[str, str] | None:
    """The CI job that publishes, as it is kept with the file; None for whoever has a token of their own."""
    job = permit.principal
    return {"title": job.name, "ref": job.ref, "sha": job.sha} if isinstance(job, Publisher) else None


def _was_told_lately(release: Release, permit: Permit, *, now: datetime) -> bool:
    """Whether this is one more file of what the same person is publishing just now. A file that comes later, or from
    somebody else, is news: that is how a stolen token would change a release that people trust."""
    mine, job = release.uploaded_by_id == permit.actor_id, _job(permit)
    return mine and any(now - file.uploaded_at < ONE_MAIL and file.publisher == job for file in release.files)


def _record(
    db: Session, permit: Permit, tag: str, project: Project, details: Mapping[str, object], *, now: datetime
) -> None:
    journal.record(
        db,
        tag,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.actor_id,
        project_id=project.id,
        details={"project": project.name, **details, **({"job": job["title"]} if (job := _job(permit)) else {})},
    )


def _tell(
    db: Session, permit: Permit, notices: Notices, project: Project, file: File, *, is_first: bool, now: datetime
) -> None:
    """Tell the owners, and whoever uploads if that is no owner: a token in wrong hands is to be noticed."""
    keepers = keepers_of(db, project)
    told = [each.user for each in keepers if each.role is Role.OWNER or each.user.id == permit.actor_id]
    announce(
        db,
        permit,
        notices,
        "file-published",
        told,
        project=project,
        now=now,
        version=file.release.version,
        filename=file.filename,
        is_first=is_first,
    )
