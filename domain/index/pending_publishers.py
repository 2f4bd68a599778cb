"""CI identities that wait for their project: the first upload of each creates it, for whoever registered them.

They give no claim to the name: whoever is faster has it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from domain import journal
from domain.index import free_names, organizations, projects, publishers
from domain.index.names import lookalike_key
from domain.index.publisher_identities import CheckedIdentity, Provider, title_of
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import Origin
from domain.policy.targets import OrganizationRole, Role, Target
from domain.problems import Problem
from models import Issuer, Organization, PendingPublisher, Project, User

MOST = 3  # for one person, those of organizations among them
KEPT = timedelta(days=30)
REMIND = timedelta(days=5)  # before the end


def of_user(db: Session, user_id: int, *, now: datetime) -> list[PendingPublisher]:
    """What somebody registered for projects of their own, oldest first."""
    own = (PendingPublisher.user_id == user_id) & PendingPublisher.organization_id.is_(None)
    return _waiting(db, own, now=now)


def of_organization(db: Session, organization: Organization, *, now: datetime) -> list[PendingPublisher]:
    """What waits to create projects of an organization, oldest first."""
    return _waiting(db, PendingPublisher.organization_id == organization.id, now=now)


def count_of(db: Session, user_id: int, *, now: datetime) -> int:
    """How many somebody has registered, for themselves and for organizations."""
    theirs = (PendingPublisher.user_id == user_id) & (PendingPublisher.expires_at > now)
    return db.scalar(select(func.count()).where(theirs)) or 0


def find(db: Session, pending_id: int) -> PendingPublisher | None:
    """The pending publisher of this number."""
    return db.get(PendingPublisher, pending_id)


def waiting_for(db: Session, *, issuer: str, place: str, now: datetime) -> list[PendingPublisher]:
    """What waits for jobs of this place, oldest first."""
    return _waiting(db, (PendingPublisher.issuer == issuer) & (PendingPublisher.place == place), now=now)


def target_of(pending: PendingPublisher) -> Target:
    """One that somebody registered for a project of their own, as theirs."""
    return Target(pending, called(pending), owner_id=pending.user_id)


def called(pending: PendingPublisher) -> str:
    """How lists, mails and the journal call it."""
    return title_of(pending.provider, pending.issuer, pending.facts)


def add(
    db: Session,
    permit: Permit,
    notices: Notices,
    *,
    project_name: str,
    provider: Provider,
    values: Mapping[str, str],
    now: datetime,
) -> PendingPublisher:
    """Let the first upload of a CI job create a project, which is then the permit holder's.

    Raises Problem at the field: a name that cannot be had, an identity that cannot be named, or one that waits for this
    name already; and for a fourth one. The caller counts the try, for the account and its address.
    """
    permit.covers(Action.ADD_PENDING_PUBLISHER)
    identity = publishers.read_identity(db, provider, values)
    return _add(db, permit, notices, project_name, identity, None, now=now)


def add_for_organization(
    db: Session,
    permit: Permit,
    notices: Notices,
    organization: Organization,
    *,
    project_name: str,
    provider: Provider,
    values: Mapping[str, str],
    now: datetime,
) -> PendingPublisher:
    """The same for a project of an organization. It counts as one of the permit holder's three."""
    permit.covers(Action.ADD_ORGANIZATION_PUBLISHER, organization)
    organizations.lock(db, permit, organization, OrganizationRole.OWNER)
    identity = publishers.read_identity(db, provider, values)
    return _add(db, permit, notices, project_name, identity, organization, now=now)


def remove(db: Session, permit: Permit, notices: Notices, pending: PendingPublisher, *, now: datetime) -> None:
    """Take back what one registered for oneself. Raises Problem if it is gone already."""
    permit.covers(Action.REMOVE_PENDING_PUBLISHER, pending)
    _remove(db, permit, notices, pending, now=now)


def remove_of_organization(
    db: Session, permit: Permit, notices: Notices, pending: PendingPublisher, *, now: datetime
) -> None:
    """Take back what somebody registered for an organization. Raises Problem if it is gone already."""
    permit.covers(Action.REMOVE_ORGANIZATION_PUBLISHER, pending)
    assert pending.organization is not None  # noqa: S101 - the action is one on an organization
    organizations.lock(db, permit, pending.organization, OrganizationRole.OWNER)
    _remove(db, permit, notices, pending, now=now)


def name_given(db: Session, permit: Permit, notices: Notices, project: Project, *, now: datetime) -> None:
    """A name was given out: what waited for just it, for whoever has it now, is a trusted publisher of the project; all
    else that waited for it or a name like it waits in vain, and whoever registered it is told.

    The caller holds the name, as `free_names.check` does.
    """
    alike = select(PendingPublisher).where(PendingPublisher.lookalike_key == project.lookalike_key)
    for pending in db.scalars(alike.order_by(PendingPublisher.id)).all():
        if not _spend(db, pending):  # taken back at this very moment
            continue
        same_name = pending.normalized_name == project.normalized_name and pending.expires_at > now
        if same_name and _is_for_owner(pending, project, permit.account.user_id):
            publishers.adopt(db, permit, notices, project, pending, now=now)
        else:
            _end(db, notices, pending, "taken", now=now)


def remind(db: Session, notices: Notices, *, now: datetime) -> None:
    """Tell of what ends within five days, once, however many processes do this at once."""
    soon = (PendingPublisher.expires_at > now) & (PendingPublisher.expires_at <= now + REMIND)
    for pending in db.scalars(select(PendingPublisher).where(soon, PendingPublisher.reminded_at.is_(None))).all():
        claim = update(PendingPublisher).where(
            PendingPublisher.id == pending.id, PendingPublisher.reminded_at.is_(None)
        )
        claimed: CursorResult[Any] = db.execute(claim.values(reminded_at=now))  # type: ignore[assignment]  # of an UPDATE
        if claimed.rowcount == 1:
            _tell_concerned(db, notices, pending, "pending-publisher-reminder", now=now, until=pending.expires_at)


def sweep(db: Session, notices: Notices, *, now: datetime) -> None:
    """Let go of what waited for thirty days, and tell those concerned."""
    for pending in db.scalars(select(PendingPublisher).where(PendingPublisher.expires_at <= now)).all():
        if _spend(db, pending):
            _end(db, notices, pending, "expired", now=now)


def end_of_issuer(db: Session, permit: Permit, notices: Notices, issuer: Issuer, *, now: datetime) -> None:
    """The issuer that they name was let go: what waited for it waits in vain."""
    permit.covers(Action.REMOVE_ISSUER, issuer)
    for pending in db.scalars(select(PendingPublisher).where(PendingPublisher.issuer == issuer.url)).all():
        if _spend(db, pending):
            _end(db, notices, pending, "issuer_removed", now=now)


def _add(
    db: Session,
    permit: Permit,
    notices: Notices,
    project_name: str,
    identity: CheckedIdentity,
    organization: Organization | None,
    *,
    now: datetime,
) -> PendingPublisher:
    # NO KEY: two forms at once see each other, so that the limit holds.
    user = db.get_one(User, permit.account.user_id, with_for_update={"key_share": True})
    normalized = _free(db, project_name, user.id, organization, now=now)
    same = (PendingPublisher.normalized_name == normalized) & (PendingPublisher.fingerprint == identity.fingerprint)
    db.execute(delete(PendingPublisher).where(same, PendingPublisher.expires_at <= now))
    if db.scalar(select(PendingPublisher.id).where(same)) is not None:
        raise Problem(f"{identity.title} waits for {project_name} already, with just these limits.")
    if count_of(db, user.id, now=now) >= MOST:
        raise Problem(f"You have {MOST} pending publishers, and that is the limit. Remove one, or let one be used.")
    pending = PendingPublisher(
        project_name=project_name,
        normalized_name=normalized,
        lookalike_key=lookalike_key(project_name),
        provider=identity.provider,
        issuer=identity.issuer,
        facts=identity.facts,
        fingerprint=identity.fingerprint,
        place=identity.place,
        user=user,
        organization=organization,
        created_at=now,
        expires_at=now + KEPT,
    )
    db.add(pending)
    db.flush()
    _tell(db, permit, notices, "added", pending, now=now)
    return pending


def _free(db: Session, name: str, user_id: int, organization: Organization | None, *, now: datetime) -> str:
    """The normalized name, if it can still be had. Raises Problem at the field; one that is one's own is pointed to."""
    own = projects.find(db, name)
    if own is not None and projects.role_of(db, own, user_id) is Role.OWNER:
        raise Problem(
            f"{own.name} is yours already. Add the publisher on its own page, at"
            f" /manage/project/{own.normalized_name}/publishing/.",
            field="project_name",
        )
    try:
        return free_names.check(db, name, user_id=user_id, organization=organization, now=now)
    except Problem as problem:
        raise Problem(problem.message, field="project_name", code=problem.code) from None


def _remove(db: Session, permit: Permit, notices: Notices, pending: PendingPublisher, *, now: datetime) -> None:
    if not _spend(db, pending):
        raise Problem("This pending publisher is gone already: it was removed, used, or its time is over.")
    _tell(db, permit, notices, "removed", pending, now=now)


def _spend(db: Session, pending: PendingPublisher) -> bool:
    """Delete it; whether it was still there."""
    spent: CursorResult[Any] = db.execute(  # type: ignore[assignment]  # of a DELETE it is one
        delete(PendingPublisher).where(PendingPublisher.id == pending.id).execution_options(synchronize_session=False)
    )
    return spent.rowcount == 1


def _is_for_owner(pending: PendingPublisher, project: Project, user_id: int) -> bool:
    if project.organization_id is not None:
        return pending.organization_id == project.organization_id
    return pending.organization_id is None and pending.user_id == user_id


def _waiting(db: Session, which: ColumnElement[bool], *, now: datetime) -> list[PendingPublisher]:
    found = select(PendingPublisher).where(which, PendingPublisher.expires_at > now)
    return list(db.scalars(found.order_by(PendingPublisher.id)))


def _end(db: Session, notices: Notices, pending: PendingPublisher, why: str, *, now: datetime) -> None:
    """Write down and tell that one waits no longer, without anybody having taken it back.

    why: "taken", "expired" or "issuer_removed". Who took the name is not said: it is no business of those who waited.
    """
    journal.record(
        db,
        f"account:publisher:{why}",
        now=now,
        origin=Origin(),
        actor_id=None,
        user_id=pending.user_id,
        organization_id=pending.organization_id,
        details={"publisher": called(pending), "project": pending.project_name},
    )
    _tell_concerned(db, notices, pending, "pending-publisher-ended", now=now, why=why)


def _tell_concerned(
    db: Session, notices: Notices, pending: PendingPublisher, notice: str, *, now: datetime, **facts: object
) -> None:
    for user in _concerned(db, pending):
        notices.tell(
            db,
            user,
            notice,
            now=now,
            publisher=called(pending),
            project_name=pending.project_name,
            organization=pending.organization,
            **facts,
        )


def _concerned(db: Session, pending: PendingPublisher) -> list[User]:
    """Whoever registered it, and the owners of the organization that it is for."""
    owners = organizations.owners_of(db, pending.organization) if pending.organization is not None else []
    return list({one.id: one for one in (pending.user, *owners)}.values())


def _tell(
    db: Session, permit: Permit, notices: Notices, what: str, pending: PendingPublisher, *, now: datetime
) -> None:
    origin, by = permit.principal.origin, permit.account
    journal.record(
        db,
        f"account:publisher:{what}",
        now=now,
        origin=origin,
        actor_id=by.user_id,
        user_id=pending.user_id,
        organization_id=pending.organization_id,
        details={"publisher": called(pending), "project": pending.project_name},
    )
    facts: dict[str, object] = {
        "publisher": called(pending),
        "project_name": pending.project_name,
        "organization": pending.organization,
        "until": pending.expires_at,
        "by": by.username,
    }
    for user in _concerned(db, pending):
        told = {**facts, "origin": origin} if user.id == by.user_id else facts
        notices.tell(db, user, f"pending-publisher-{what}", now=now, **told)
