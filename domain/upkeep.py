"""What has to be done from time to time, whoever is looking."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from adapters.storage import BlobStore
from domain.identity import ceremonies, sessions, throttle
from domain.index import collaborators

ABANDONED_AFTER = timedelta(days=1)  # no upload takes so long


def sweep(db: Session, store: BlobStore, *, now: datetime) -> None:
    """Remove what has expired: sessions, one-shot rows, budgets, invitations, uploads that a crash cut short.

    Harmless to do twice at once.
    """
    store.clear_incoming(before=now - ABANDONED_AFTER)
    ceremonies.sweep(db, now=now)
    sessions.sweep(db, now=now)
    throttle.sweep(db, now=now)
    collaborators.sweep(db, now=now)
