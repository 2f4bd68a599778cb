"""How a project name is given out, and what comes with it."""

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from domain import journal
from domain.index import free_names, kept_names, name_list, pending_publishers, search_texts
from domain.index.names import lookalike_key
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.principals import TokenHolder
from domain.policy.targets import Role
from domain.problems import Problem
from models import ApiToken, Organization, Project, ProjectRole, token_project


class TokenSpent(Problem):
    """The token that was to create this project has just created another one, or was removed."""

    def __init__(self) -> None:
        super().__init__("This API token creates no project any more. Use one that may.", code="token_scope")


def reserve(db: Session, permit: Permit, notices: Notices, *, name: str, now: datetime) -> Project:
    """Give a name to whoever holds the permit, before anything is uploaded.

    Raises InvalidName and NameTaken. The caller counts the try in `throttle.RESERVE_NAME`.
    """
    permit.covers(Action.RESERVE_PROJECT)
    return _give(db, permit, notices, name, event="project:name:reserved", now=now)


def reserve_for_organization(
    db: Session, permit: Permit, notices: Notices, organization: Organization, *, name: str, now: datetime
) -> Project:
    """Give a name to an organization: its owners own the project, and nobody has a role of their own in it.

    Raises as `reserve` does. The caller holds the organization's lock and counts the try in `throttle.RESERVE_NAME`.
    """
    permit.covers(Action.CREATE_ORGANIZATION_PROJECT, organization)
    return _give(db, permit, notices, name, event="organization:project:reserved", now=now, organization=organization)


def create_by_upload(db: Session, permit: Permit, notices: Notices, *, name: str, now: datetime) -> Project:
    """Give a name to whoever uploads the first file under it. The same rules as for `reserve` hold.

    A token that was made for one new project is spent with it, and reaches this one from now on. Raises TokenSpent if
    another upload was faster.
    """
    permit.covers(Action.CREATE_PROJECT)
    project = _give(db, permit, notices, name, event="project:name:created", now=now)
    if isinstance(permit.principal, TokenHolder) and not permit.principal.reaches_all:
        _spend(db, permit.principal.token_id, project)
    return project


def _spend(db: Session, token_id: int, project: Project) -> None:
    unspent = update(ApiToken).where(ApiToken.id == token_id, ApiToken.creates_project)
    spent = db.execute(unspent.values(creates_project=False))
    assert isinstance(spent, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if spent.rowcount != 1:
        raise TokenSpent
    db.execute(insert(token_project).values(token_id=token_id, project_id=project.id))


def _give(
    db: Session,
    permit: Permit,
    notices: Notices,
    name: str,
    *,
    event: str,
    now: datetime,
    organization: Organization | None = None,
) -> Project:
    user_id = permit.account.user_id
    normalized = free_names.check(db, name, user_id=user_id, organization=organization, now=now)
    kept_names.let_go(db, normalized)
    project = Project(
        name=name, normalized_name=normalized, lookalike_key=lookalike_key(name), created_at=now, updated_at=now
    )
    details = {"name": name}
    if organization is None:
        project.roles = [ProjectRole(user_id=user_id, role=Role.OWNER.word, since=now)]
    else:
        project.organization = organization
        details["organization"] = organization.name
    db.add(project)
    db.flush()
    name_list.changed(db, normalized)
    search_texts.refresh(db, project, None)
    journal.record(
        db,
        event,
        now=now,
        origin=permit.principal.origin,
        actor_id=user_id,
        project_id=project.id,
        organization_id=project.organization_id,
        details=details,
    )
    pending_publishers.name_given(db, permit, notices, project, now=now)
    return project
