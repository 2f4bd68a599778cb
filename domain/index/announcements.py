"""Mail to those who look after a project or belong to an organization together."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from domain.notices import Notices
from domain.policy.decision import Permit
from models import Organization, Project, User


def announce(
    db: Session,
    permit: Permit,
    notices: Notices,
    notice: str,
    people: Iterable[User],
    *,
    project: Project,
    now: datetime,
    **values: object,
) -> None:
    """Tell each of these people what the permit's holder did. From where it was done is for that one alone to know.

    values: what the templates say besides `project` and `by`, the holder's username.
    """
    _announce(db, permit, notices, notice, people, now=now, facts={"project": project, **values})


def announce_in(
    db: Session,
    permit: Permit,
    notices: Notices,
    notice: str,
    people: Iterable[User],
    *,
    organization: Organization,
    now: datetime,
    **values: object,
) -> None:
    """The same for what concerns an organization: the templates know it as `organization`."""
    _announce(db, permit, notices, notice, people, now=now, facts={"organization": organization, **values})


def _announce(
    db: Session,
    permit: Permit,
    notices: Notices,
    notice: str,
    people: Iterable[User],
    *,
    now: datetime,
    facts: dict[str, object],
) -> None:
    facts["by"] = permit.by
    for user in people:
        is_theirs = user.id == permit.actor_id
        told = {**facts, "origin": permit.principal.origin} if is_theirs else facts
        notices.tell(db, user, notice, now=now, **told)
