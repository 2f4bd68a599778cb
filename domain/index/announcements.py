"""Mail to those who look after a project together."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from domain.notices import Notices
from domain.policy.decision import Permit
from models import Project, User


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
    facts = {"project": project, "by": permit.account.username, **values}
    for user in people:
        is_theirs = user.id == permit.account.user_id
        told = {**facts, "origin": permit.principal.origin} if is_theirs else facts
        notices.tell(db, user, notice, now=now, **told)
