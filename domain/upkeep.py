"""What has to be done from time to time, whoever is looking."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain.identity import ceremonies, sessions, throttle
from domain.index import collaborators


def sweep(db: Session, *, now: datetime) -> None:
    """Remove what has expired: sessions, one-shot rows, budgets, invitations. Harmless to do twice at once."""
    ceremonies.sweep(db, now=now)
    sessions.sweep(db, now=now)
    throttle.sweep(db, now=now)
    collaborators.sweep(db, now=now)
