"""The CI identities that a project trusts to upload without a stored secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, selectinload

from domain import journal
from domain.index import projects
from domain.index.announcements import announce
from domain.index.keepers import keepers_of
from domain.index.publisher_identities import CheckedIdentity, Provider, check, title_of
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import Issuer, PendingPublisher, Project, TrustedPublisher


def of_project(db: Session, project: Project) -> list[TrustedPublisher]:
    """The project's publishers, oldest first, with who added them."""
    rows = select(TrustedPublisher).options(selectinload(TrustedPublisher.added_by))
    return list(db.scalars(rows.where(TrustedPublisher.project_id == project.id).order_by(TrustedPublisher.id)))


def find(db: Session, project: Project, publisher_id: int) -> TrustedPublisher | None:
    """The publisher of this number, if it is the project's."""
    publisher = db.get(TrustedPublisher, publisher_id)
    return publisher if publisher is not None and publisher.project_id == project.id else None


def added_issuers(db: Session, provider: Provider) -> dict[str, str]:
    """Who else may sign for this provider since an administrator said so: names by address."""
    rows = select(Issuer).where(Issuer.provider == provider.word).order_by(Issuer.name, Issuer.id)
    return {issuer.url: issuer.name for issuer in db.scalars(rows)}


def read_identity(db: Session, provider: Provider, values: Mapping[str, str]) -> CheckedIdentity:
    """The CI identity that was typed. An issuer that an administrator added stays until the transaction ends.

    Raises Problem with the field at fault.
    """
    identity = check(provider, values, added_issuers(db, provider))
    if identity.issuer not in (provider.issuer, provider.own):
        held = select(Issuer.id).where(Issuer.url == identity.issuer).with_for_update(read=True)
        if db.scalar(held) is None:
            raise Problem("This issuer was removed just now. Choose another one.", field="issuer")
    return identity


def called(publisher: TrustedPublisher) -> str:
    """How lists, mails and the journal call it."""
    return title_of(publisher.provider, publisher.issuer, publisher.facts)


def add(
    db: Session,
    permit: Permit,
    notices: Notices,
    project: Project,
    *,
    provider: Provider,
    values: Mapping[str, str],
    now: datetime,
) -> TrustedPublisher:
    """Let the CI identity that was typed upload to the project. All who look after it are told.

    Raises Problem: something in the form, or the project trusts it already.
    The caller counts the try, for the account and its address.
    """
    permit.covers(Action.ADD_PUBLISHER, project)
    identity = read_identity(db, provider, values)
    projects.lock(db, permit, project)  # nobody adds one twice at once
    same = TrustedPublisher.fingerprint == identity.fingerprint
    if db.scalar(select(TrustedPublisher.id).where(TrustedPublisher.project_id == project.id, same)) is not None:
        raise Problem(f"{identity.title} is a trusted publisher of {project.name} already, with just these limits.")
    publisher = TrustedPublisher(
        project_id=project.id,
        provider=identity.provider,
        issuer=identity.issuer,
        facts=identity.facts,
        fingerprint=identity.fingerprint,
        place=identity.place,
        added_by_id=permit.account.user_id,
        added_at=now,
    )
    db.add(publisher)
    db.flush()
    _tell(db, permit, notices, "added", project, identity.title, now=now)
    return publisher


def adopt(
    db: Session, permit: Permit, notices: Notices, project: Project, pending: PendingPublisher, *, now: datetime
) -> None:
    """Trust what waited for this very project, whose name was just given to whoever had it wait."""
    db.add(
        TrustedPublisher(
            project_id=project.id,
            provider=pending.provider,
            issuer=pending.issuer,
            facts=pending.facts,
            fingerprint=pending.fingerprint,
            place=pending.place,
            added_by_id=pending.user_id,
            added_at=now,
        )
    )
    db.flush()
    title = title_of(pending.provider, pending.issuer, pending.facts)
    _tell(db, permit, notices, "added", project, title, now=now)


def remove(db: Session, permit: Permit, notices: Notices, publisher: TrustedPublisher, *, now: datetime) -> None:
    """Trust a publisher no more. All who look after the project are told. Raises Problem if it is gone already."""
    permit.covers(Action.REMOVE_PUBLISHER, publisher)
    project, title = publisher.project, called(publisher)
    projects.lock(db, permit, project)
    spent: CursorResult[Any] = db.execute(  # type: ignore[assignment]  # of a DELETE it is one
        delete(TrustedPublisher).where(TrustedPublisher.id == publisher.id)
    )
    if spent.rowcount != 1:
        raise Problem("This trusted publisher was removed already.")
    _tell(db, permit, notices, "removed", project, title, now=now)


def end_of_issuer(db: Session, permit: Permit, notices: Notices, issuer: Issuer, *, now: datetime) -> None:
    """An administrator lets an issuer go, and with it all publishers that name it. Who looks after their projects is
    told."""
    permit.covers(Action.REMOVE_ISSUER, issuer)
    theirs = select(TrustedPublisher).where(TrustedPublisher.issuer == issuer.url).order_by(TrustedPublisher.id)
    for publisher in db.scalars(theirs).all():
        project, title = publisher.project, called(publisher)
        db.delete(publisher)
        db.flush()
        _tell(db, permit, notices, "removed", project, title, now=now)


def set_uploaders(
    db: Session, permit: Permit, notices: Notices, project: Project, *, takes_tokens: bool, now: datetime
) -> None:
    """Have the project take files from trusted publishers only, or from API tokens again. All who look after it are
    told. Raises Problem if it is so already."""
    permit.covers(Action.CHANGE_UPLOADERS, project)
    projects.lock(db, permit, project)  # an upload that is under way looks again behind this lock
    if project.takes_tokens == takes_tokens:
        raise Problem(f"{project.name} takes {'API tokens' if takes_tokens else 'trusted publishers only'} already.")
    project.takes_tokens = takes_tokens
    db.flush()
    _record(db, permit, f"project:tokens:{'accepted' if takes_tokens else 'refused'}", project, {}, now=now)
    people = [keeper.user for keeper in keepers_of(db, project)]
    announce(db, permit, notices, "project-uploaders", people, project=project, now=now)


def _tell(
    db: Session,
    permit: Permit,
    notices: Notices,
    what: str,
    project: Project,
    title: str,
    *,
    now: datetime,
) -> None:
    _record(db, permit, f"project:publisher:{what}", project, {"publisher": title}, now=now)
    people = [keeper.user for keeper in keepers_of(db, project)]
    announce(db, permit, notices, f"publisher-{what}", people, project=project, now=now, publisher=title)


def _record(
    db: Session, permit: Permit, event: str, project: Project, details: dict[str, object], *, now: datetime
) -> None:
    journal.record(
        db,
        event,
        now=now,
        origin=permit.principal.origin,
        actor_id=permit.account.user_id,
        project_id=project.id,
        details={"project": project.name, **details},
    )
