"""Whether the files that are kept are those that the index gives out, and the removal of what nobody asks for."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import CompoundSelect, func, select, union
from sqlalchemy.orm import Session

from adapters.storage import BlobStore, StoreFault
from domain import journal
from domain.index import pages
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import DeletedFile, File, KeptPage, Project, Release, begin_writing

SPARED = timedelta(hours=1)  # a blob lies there before the row that names it is committed


@dataclass
class Findings:
    """What was looked at, and what is wrong with it, a sentence each. orphans: blobs that no row names."""

    files: int = 0
    faults: list[str] = field(default_factory=list)
    orphans: int = 0
    orphan_bytes: int = 0


def verify(db: Session, store: BlobStore, *, quick: bool) -> Findings:
    """Hold every file that is on the index, or can be restored, against its blob, and every simple page against what it
    would be if it were rendered now.

    quick: blobs are asked for their size only; else all bytes are read. Memory stays small.
    """
    found = Findings()
    for table in (File, DeletedFile):
        rows = select(table.filename, table.sha256, table.size_bytes, table.metadata_sha256).order_by(table.id)
        for filename, sha256, size_bytes, metadata_sha256 in db.execute(rows).yield_per(500):
            found.files += 1
            _look(store, found, filename, sha256, size_bytes, quick=quick)
            if metadata_sha256 is not None:
                _look(store, found, f"{filename}.metadata", metadata_sha256, None, quick=quick)
    _look_at_pages(db, found)
    named = set(db.scalars(_named()))
    try:
        for sha256, size_bytes, _ in store.listed():
            if sha256 not in named:
                found.orphans += 1
                found.orphan_bytes += size_bytes
    except StoreFault as fault:
        found.faults.append(f"What belongs to nothing cannot be told: {fault}")
    return found


def sweep(db: Session, permit: Permit, store: BlobStore, *, now: datetime) -> tuple[int, int]:
    """Remove the blobs that no row names and that are older than an hour: of releases deleted for good, and of uploads
    that came to nothing. How many, and how many bytes. Each removal is a transaction of its own, and commits."""
    permit.covers(Action.SWEEP_BLOBS)
    named, count, size = set(db.scalars(_named())), 0, 0
    old = [(sha256, length) for sha256, length, at in store.listed() if sha256 not in named and at < now - SPARED]
    for sha256, length in old:
        begin_writing(db)
        hold_alone(db)
        if db.scalar(select(func.count()).select_from(_named(sha256).subquery())) == 0:
            store.remove(sha256)
            count, size = count + 1, size + length
        db.commit()
    if count:
        begin_writing(db)
        origin, details = permit.principal.origin, {"count": count, "bytes": size}
        journal.record(db, "operator:blobs:swept", now=now, origin=origin, actor_id=None, details=details)
        db.commit()
    return count, size


def hold(db: Session) -> None:
    """Keep blobs from being swept until the transaction ends, so that one may be put before the row that names it is
    there. SQLite has one writer, which is enough."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock_shared(func.hashtextextended("blobs", 0))))


def hold_alone(db: Session) -> None:
    """Wait until nobody holds blobs, and have whoever wants to wait."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("blobs", 0))))


def _named(sha256: str | None = None) -> CompoundSelect[str]:
    """The digests that rows name; only this one, where it is named."""
    columns = [column for table in (File, DeletedFile) for column in (table.sha256, table.metadata_sha256)]
    return union(*(select(column).where(column == sha256 if sha256 else column.is_not(None)) for column in columns))


def _look(store: BlobStore, found: Findings, name: str, sha256: str, size_bytes: int | None, *, quick: bool) -> None:
    try:
        blob = store.open(sha256)
        if size_bytes is not None and blob.size_bytes != size_bytes:
            found.faults.append(f"{name}: has {blob.size_bytes} bytes and should have {size_bytes}.")
        elif not quick and _digest(blob) != sha256:
            found.faults.append(f"{name}: has other bytes than those that were uploaded ({sha256}).")
    except FileNotFoundError:
        found.faults.append(f"{name}: its bytes are missing ({sha256}).")
    except StoreFault as fault:
        found.faults.append(f"{name}: its bytes cannot be read: {fault}")


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _look_at_pages(db: Session, found: Findings) -> None:
    with_pages = union(select(KeptPage.project_id), select(Release.project_id))
    for project_id in sorted(db.scalars(with_pages)):
        project = db.get_one(Project, project_id)
        if not pages.are_right(db, project):
            found.faults.append(f"{project.name}: its simple page does not say what is there.")
