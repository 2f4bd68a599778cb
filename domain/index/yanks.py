"""Yanking: keeping a release for those who pinned it, and hiding it from everybody else (PEP 592)."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain import journal
from domain.index import pages, releases
from domain.index.announcements import announce
from domain.index.keepers import keepers_of
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Project, Release

MAX_REASON = 255


def yank(db: Session, permit: Permit, notices: Notices, release: Release, *, reason: str, now: datetime) -> bool:
    """Mark a release as yanked, with why, which may be empty; whether anything changed. Installers are told the reason.

    A release that is yanked already gets the new reason. Raises Problem for a reason that cannot be kept, and
    Gone.
    """
    permit.covers(Action.YANK_RELEASE, release)
    reason = checked(reason)
    project = releases.lock(db, permit, release)
    if release.yanked_at is not None and (release.yanked_reason or "") == reason:
        return False
    release.yanked_at, release.yanked_reason = release.yanked_at or now, reason
    pages.changed(db, project, now=now)
    _record(db, permit, "project:release:yanked", project, release, reason=reason, now=now)
    _tell(db, permit, notices, "release-yanked", project, release, reason=reason, now=now)
    return True


def unyank(db: Session, permit: Permit, notices: Notices, release: Release, *, now: datetime) -> bool:
    """Take a yank back; whether there was one. Raises Gone."""
    permit.covers(Action.UNYANK_RELEASE, release)
    project = releases.lock(db, permit, release)
    if release.yanked_at is None:
        return False
    reason = release.yanked_reason or ""
    release.yanked_at = release.yanked_reason = None
    pages.changed(db, project, now=now)
    _record(db, permit, "project:release:unyanked", project, release, reason=reason, now=now)
    _tell(db, permit, notices, "release-unyanked", project, release, reason=reason, now=now)
    return True


def checked(reason: str) -> str:
    """A reason as it is kept. Raises Problem: too long, or not one line of text."""
    reason = reason.strip()
    if not reason.isprintable():
        raise Problem("Give the reason as one line of text, without control characters.", field="reason")
    if len(reason) > MAX_REASON:
        raise Problem(
            f"The reason has {len(reason)} characters. The limit is {MAX_REASON}.", field="reason", code="too_long"
        )
    return reason


def _record(
    db: Session, permit: Permit, tag: str, project: Project, release: Release, *, reason: str, now: datetime
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
            "version": release.version,
            "reason": reason,
            "why": f": {reason}" if reason else "",
        },
    )


def _tell(
    db: Session,
    permit: Permit,
    notices: Notices,
    notice: str,
    project: Project,
    release: Release,
    *,
    reason: str,
    now: datetime,
) -> None:
    people = [keeper.user for keeper in keepers_of(db, project)]
    announce(db, permit, notices, notice, people, project=project, now=now, version=release.version, reason=reason)
