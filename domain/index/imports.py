"""Files that the operator brings along from elsewhere, for somebody's account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
from sqlalchemy.orm import Session

from adapters.storage import BlobStore
from domain import journal
from domain.index import projects
from domain.index.digests import Received, receive
from domain.index.filenames import FileKind, InvalidFile
from domain.index.publish import Published, publish
from domain.index.quotas import largest_file
from domain.index.upload_rules import UploadRules
from domain.index.uploads import Upload, identify, read
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.rules import Policy
from domain.problems import Problem
from models import Project, User

# The permit for a file of this project; of one that it will create, where there is none yet.
PermitFor = Callable[[Project | None], Permit]


class Outcome(Enum):
    """What became of a file; the value is its word in reports."""

    ADDED = "added"
    WAS_HERE = "was here"
    REFUSED = "refused"


@dataclass(frozen=True)
class Came:
    """A file and what became of it. reason: why it was refused, empty otherwise."""

    path: Path
    outcome: Outcome
    reason: str = ""
    project_id: int | None = None


def files_in(folder: Path) -> list[Path]:
    """The wheels and sdists in a folder and its folders, by project, version and name, so that an old release comes
    before a newer one. What only looks like one is among them, to be refused with its reason."""
    found = [path for path in folder.rglob("*") if path.name.endswith((".whl", ".tar.gz", ".zip")) and path.is_file()]
    return sorted(found, key=_place)


def take_in(
    db: Session,
    permit_for: PermitFor,
    store: BlobStore,
    notices: Notices,
    path: Path,
    owner: User,
    *,
    rules: UploadRules,
    policy: Policy,
    now: datetime,
) -> Came:
    """Publish a file from the disk, by the rules that hold for uploads, as its owner's; the file itself stays where it
    is. The caller commits; where the file was refused, there is nothing to commit."""
    owner_id = owner.id
    most = largest_file(db, rules)
    db.rollback()
    received = None
    try:
        with path.open("rb") as file:
            received = receive(file, store.incoming, limit_bytes=most)
        upload = _upload(path, received)
        project = projects.find(db, upload.name)
        if project is not None and projects.role_of(db, project, owner_id) is None:
            raise Problem(f"{project.name} is here already, and {owner.username} has no role in it.")
        permit = permit_for(project)
        done = publish(
            db,
            permit,
            store,
            notices,
            upload,
            rules=rules,
            policy=policy,
            asks_again=lambda: permit.principal,
            now=now,
        )
        return _came(path, done)
    except Problem as problem:
        db.rollback()
        return Came(path, Outcome.REFUSED, problem.message)
    except OSError as error:
        db.rollback()
        return Came(path, Outcome.REFUSED, f"The file cannot be read: {error.strerror}.")
    finally:
        if received is not None:
            received.path.unlink(missing_ok=True)


def try_out(store: BlobStore, path: Path, *, rules: UploadRules) -> Came:
    """What `take_in` would say of the file itself. Asks no database and changes nothing."""
    received = None
    try:
        with path.open("rb") as file:
            received = receive(file, store.incoming, limit_bytes=rules.max_file_bytes)
        upload = _upload(path, received)
        read(upload, identify(upload, rules), rules)
        return Came(path, Outcome.ADDED)
    except Problem as problem:
        return Came(path, Outcome.REFUSED, problem.message)
    except OSError as error:
        return Came(path, Outcome.REFUSED, f"The file cannot be read: {error.strerror}.")
    finally:
        if received is not None:
            received.path.unlink(missing_ok=True)


def tell(db: Session, permit: Permit, notices: Notices, owner: User, came: list[Came], *, now: datetime) -> None:
    """Write down and tell the owner, once, what was imported; nothing where that is nothing."""
    permit.covers(Action.IMPORT_FILES, owner)
    added = [each for each in came if each.outcome is Outcome.ADDED]
    if not added:
        return
    count, into = len(added), len({each.project_id for each in added})
    journal.record(
        db,
        "operator:files:imported",
        now=now,
        origin=permit.principal.origin,
        actor_id=None,
        user_id=owner.id,
        details={"count": count, "projects": into},
    )
    notices.tell(db, owner, "files-imported", now=now, count=count, projects=into)


def _came(path: Path, done: Published) -> Came:
    return Came(path, Outcome.ADDED if done.is_new else Outcome.WAS_HERE, project_id=done.project_id)


def _upload(path: Path, received: Received) -> Upload:
    """What a client would say of the file, read off its name. Raises InvalidFile where that says nothing."""
    name, version, kind = _told(path.name)
    return Upload(received, path.name, kind, name, version, {"sha256": received.sha256})


def _told(filename: str) -> tuple[str, str, FileKind]:
    try:
        if filename.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(filename)
            return name, str(version), FileKind.WHEEL
        name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        raise InvalidFile(f"The filename {filename!a} is not that of a wheel or an sdist.") from None
    return name, str(version), FileKind.SDIST


def _place(path: Path) -> tuple[str, Version, str]:
    try:
        name, version, _ = _told(path.name)
    except InvalidFile:
        return "", Version("0"), path.name
    return name, Version(version), path.name
