"""What has to be done from time to time, whoever is looking."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from adapters.secretbox import SecretBox
from adapters.storage import BlobStore
from domain.identity import browsers, ceremonies, sessions, sign_ins, throttle
from domain.index import invitations, kept_names, pending_publishers, removals, transfers, trusted_publishing
from domain.notices import Notices

ABANDONED_AFTER = timedelta(days=1)  # no upload takes so long


def sweep(db: Session, store: BlobStore, box: SecretBox, notices: Notices, *, now: datetime) -> None:
    """Remove what has expired: sessions, one-shot rows, budgets, invitations and offers, browsers that never came back,
    kept names, pending publishers, minted tokens, what was deleted a week ago, uploads that a crash cut short; and tell
    people of sign-ins that stopped half way and of pending publishers that end soon.

    Harmless to do twice at once.
    """
    store.clear_incoming(before=now - ABANDONED_AFTER)
    sign_ins.tell_of_unfinished(db, box, notices, now=now)
    ceremonies.sweep(db, now=now)
    browsers.sweep(db, now=now)
    sessions.sweep(db, now=now)
    throttle.sweep(db, now=now)
    invitations.sweep(db, now=now)
    transfers.sweep(db, now=now)
    kept_names.sweep(db, now=now)
    pending_publishers.remind(db, notices, now=now)
    pending_publishers.sweep(db, notices, now=now)
    trusted_publishing.sweep(db, now=now)
    removals.sweep(db, now=now)
