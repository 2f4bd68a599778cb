"""How much a project, and the whole index, may hold."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from domain.index.digests import FileTooLarge
from domain.index.upload_rules import UploadRules
from domain.problems import Problem
from models import DeletedFile, File, Project, Release


@dataclass(frozen=True)
class Limits:
    """What one project may hold."""

    file_bytes: int
    total_bytes: int


def limits_of(project: Project, rules: UploadRules) -> Limits:
    """Its own limits, where the operator has set them, or those of the index."""
    return Limits(project.max_file_bytes or rules.max_file_bytes, project.max_total_bytes or rules.max_project_bytes)


def largest_file(db: Session, rules: UploadRules) -> int:
    """How large a file may be that is for a project not known yet, in bytes."""
    return max(rules.max_file_bytes, db.scalar(select(func.max(Project.max_file_bytes))) or 0)


class QuotaSpent(Problem):
    """One more file would be too much."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="content", code="quota_spent")


def take_turns(db: Session, rules: UploadRules) -> None:
    """Where the index has a limit, have all uploads wait for each other until their transactions end.

    Comes first in the transaction: whoever held another lock already could wait for one who waits for them.
    """
    if rules.max_index_bytes is not None and db.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("quota of the index", 0))))


def check(db: Session, project: Project, rules: UploadRules, *, more_bytes: int) -> None:
    """Raise QuotaSpent if a file of `more_bytes` does not fit any more, and FileTooLarge if it never did.

    The caller holds the project's lock and has taken its turn. A project's limit is for what is on the index; the
    index's, for all bytes that are kept, those of deleted files that can still be restored among them.
    """
    limits = limits_of(project, rules)
    if more_bytes > limits.file_bytes:
        raise FileTooLarge(limits.file_bytes, project=project.name)
    if _on_index(db, project) + more_bytes > limits.total_bytes:
        raise QuotaSpent(
            f"Project size too large. Limit for project {project.name!a} total size is"
            f" {_gigabytes(limits.total_bytes)}."
        )
    if rules.max_index_bytes is not None and _kept(db) + more_bytes > rules.max_index_bytes:
        raise QuotaSpent(
            f"Index size too large. Limit for all projects together is {_gigabytes(rules.max_index_bytes)}."
            " Ask the operator of this index."
        )


_TOTAL = select(func.sum(File.size_bytes)).join(File.release).where(Release.project_id == bindparam("project_id"))


def _on_index(db: Session, project: Project) -> int:
    return int(db.scalar(_TOTAL, {"project_id": project.id}) or 0)


def _kept(db: Session) -> int:
    return sum(int(db.scalar(select(func.sum(table.size_bytes))) or 0) for table in (File, DeletedFile))


def _gigabytes(count: int) -> str:
    return f"{count / 10**9:g} GB"
