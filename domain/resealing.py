"""Sealing everything anew under the first key of the ring, so that the older keys can go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import InstrumentedAttribute, Session

from adapters.secretbox import SecretBox, Unsealable
from domain import journal
from domain.identity import ceremonies
from domain.identity.factors import secret_context
from domain.notices import part_context
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import Ceremony, Mail, TotpApp

BATCH = 100  # rows of a transaction: others wait for it, and it is what an interruption undoes


@dataclass(frozen=True)
class Place:
    """A column of sealed boxes.

    made_of: the columns that say what the box of a row is sealed for, in the order in which `context` takes them.
    """

    table: type[TotpApp] | type[Mail] | type[Ceremony]
    column: InstrumentedAttribute[bytes]
    made_of: tuple[InstrumentedAttribute[Any], ...]  # Any: texts, numbers and hashes
    context: Callable[..., str]

    @property
    def name(self) -> str:
        """Table and column, as an operator would type them in SQL."""
        return f"{self.table.__tablename__}.{self.column.key}"


# Every column of sealed boxes; a test compares it with the tables.
PLACES = (
    Place(
        TotpApp,
        TotpApp.secret_sealed,
        (TotpApp.user_id, TotpApp.public_id),
        lambda user_id, public_id: secret_context(user_id=user_id, public_id=public_id),
    ),
    Place(Mail, Mail.text_sealed, (Mail.message_id,), lambda message_id: part_context(message_id, "text")),
    Place(Mail, Mail.html_sealed, (Mail.message_id,), lambda message_id: part_context(message_id, "html")),
    Place(Ceremony, Ceremony.payload_sealed, (Ceremony.purpose, Ceremony.handle_hash), ceremonies.payload_context),
)


@dataclass(frozen=True)
class Unopened:
    """A box that was left as it is. key_id: of the key that sealed it, by its own account. why: in a sentence."""

    row_id: int
    key_id: str
    why: str


@dataclass
class Tally:
    """What became of the boxes of one place: sealed anew, found under the first key already, or not to be opened."""

    name: str
    resealed: int = 0
    current: int = 0
    unopened: list[Unopened] = field(default_factory=list)


def rotate_keys(db: Session, permit: Permit, box: SecretBox, *, now: datetime) -> list[Tally]:
    """Seal anew what another key of the ring than the first has sealed, and say what became of it, place by place.

    Commits after every hundred rows: a run that was interrupted goes on where it stopped, and the server may work
    meanwhile, provided that it seals with the same first key. What does not open is reported and left alone. The event
    that tells of it is left to be committed.
    """
    permit.covers(Action.ROTATE_KEYS)
    ceremonies.sweep(db, now=now)  # nobody will open what has expired
    db.commit()
    tallies = [_reseal(db, box, place) for place in PLACES]
    counts = {tally.name: {"resealed": tally.resealed, "unopened": len(tally.unopened)} for tally in tallies}
    details = {"key": box.key_id, "places": counts}
    journal.record(db, "operator:keys:rotated", now=now, origin=permit.principal.origin, actor_id=None, details=details)
    return tallies


def _reseal(db: Session, box: SecretBox, place: Place) -> Tally:
    tally = Tally(place.name)
    last_id = 0
    while rows := db.execute(_rows(place, place.table.id > last_id).limit(BATCH)).all():
        busy = [row.id for row in rows if not _renew(db, box, place, row, tally)]
        db.commit()
        for row_id in busy:  # somebody had it in hand: wait for them, now that we hold nothing that they may wait for
            row = db.execute(_rows(place, place.table.id == row_id).with_for_update()).one_or_none()
            if row is not None:
                _renew(db, box, place, row, tally)
            db.commit()
        last_id = rows[-1].id
    return tally


def _renew(db: Session, box: SecretBox, place: Place, row: Row[*tuple[Any, ...]], tally: Tally) -> bool:
    """Seal the box of one row anew, if need be. False if the row is locked, or was changed since it was read: a change
    of somebody else wins."""
    sealed: bytes = row[1]
    if not box.needs_resealing(sealed):
        tally.current += 1
        return True
    context = place.context(*row[2:])
    try:
        plaintext = box.open(sealed, context=context)
    except Unsealable as fault:
        tally.unopened.append(Unopened(row.id, box.key_id_of(sealed), str(fault)))
        return True
    resealed = box.seal(plaintext, context=context)
    is_same = (place.table.id == row.id) & (place.column == sealed)
    free = select(place.table.id).where(is_same).with_for_update(skip_locked=True)
    renewed = update(place.table).where(place.table.id.in_(free)).values({place.column: resealed})
    result = db.execute(renewed.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101 - an UPDATE has a row count
    tally.resealed += result.rowcount
    return result.rowcount == 1


def _rows(place: Place, condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(place.table.id, place.column, *place.made_of).where(condition).order_by(place.table.id)
