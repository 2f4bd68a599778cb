"""The journal: what happened, written down once and never changed."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from domain.policy.principals import Origin
from models import Event, begin_writing

Details = Mapping[str, object]
MAX_USER_AGENT = 255


def record(
    db: Session,
    tag: str,
    *,
    now: datetime,
    origin: Origin,
    actor_id: int | None,
    user_id: int | None = None,
    project_id: int | None = None,
    organization_id: int | None = None,
    details: Details | None = None,
) -> Event:
    """Write an event into the transaction of the change that it tells of.

    tag: "source:subject:action", such as "account:totp:added".
    actor_id: who did it; None for nobody known, or for the operator's shell.
    user_id: whose account it concerns; the actor's own unless said otherwise.
    details: a few facts that JSON can hold; never a secret.
    """
    event = Event(
        at=now,
        tag=tag,
        actor_id=actor_id,
        user_id=user_id if user_id is not None else actor_id,
        project_id=project_id,
        organization_id=organization_id,
        address=origin.address[:64],
        user_agent=origin.user_agent[:MAX_USER_AGENT],
        details=dict(details or {}),
    )
    db.add(event)
    db.flush()
    return event


def refuse(
    db: Session,
    tag: str,
    *,
    now: datetime,
    origin: Origin,
    actor_id: int | None,
    user_id: int | None = None,
    project_id: int | None = None,
    organization_id: int | None = None,
    details: Details | None = None,
) -> None:
    """Write the event of a refusal, which must survive while nothing else may: drops all that the session had begun
    to change, and commits the event alone."""
    begin_writing(db)
    record(
        db,
        tag,
        now=now,
        origin=origin,
        actor_id=actor_id,
        user_id=user_id,
        project_id=project_id,
        organization_id=organization_id,
        details=details,
    )
    db.commit()
