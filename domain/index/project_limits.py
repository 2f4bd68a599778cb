"""Limits that the operator sets for one project."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain import journal
from domain.index import quotas
from domain.index.keepers import keepers_of
from domain.index.upload_rules import UploadRules
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.targets import Role
from models import Project


def set_limits(
    db: Session,
    permit: Permit,
    notices: Notices,
    project: Project,
    *,
    file_bytes: int | None,
    total_bytes: int | None,
    rules: UploadRules,
    now: datetime,
) -> quotas.Limits:
    """Let the project take larger or smaller files, and hold more or less, than others; None for what others may.

    Its owners are told. Returns what holds from now on; what is there already stays.
    """
    permit.covers(Action.LIMIT_PROJECT, project)
    project.max_file_bytes, project.max_total_bytes = file_bytes, total_bytes
    limits = quotas.limits_of(project, rules)
    file, total = f"{limits.file_bytes / 10**6:g} MB", f"{limits.total_bytes / 10**9:g} GB"
    journal.record(
        db,
        "project:limits:set",
        now=now,
        origin=permit.principal.origin,
        actor_id=None,
        project_id=project.id,
        details={"project": project.name, "file": file, "total": total},
    )
    for keeper in keepers_of(db, project):
        if keeper.role is Role.OWNER:
            notices.tell(db, keeper.user, "project-limits", now=now, project=project, file=file, total=total)
    return limits
