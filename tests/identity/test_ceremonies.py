"""One-shot things: found by their handle, bound to their purpose, spent once."""

import threading
from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.secretbox import SecretBox
from blueprints import wiring
from domain.identity import ceremonies
from domain.identity.ceremonies import Purpose
from models import Base, Ceremony, db
from tests.conftest import MakeApp
from tests.requirements import requirement


def begin(box: SecretBox, clock: SettableClock, purpose: Purpose = Purpose.RESET_PASSWORD) -> str:
    return ceremonies.begin(db.session(), box, purpose, now=clock.now(), payload={"a": "b"})


@pytest.fixture
def box(app: Flask) -> SecretBox:
    return wiring.services().box


def test_a_handle_finds_what_was_begun(box: SecretBox, clock: SettableClock) -> None:
    handle = begin(box, clock)

    found = ceremonies.look_up(db.session(), box, Purpose.RESET_PASSWORD, handle, now=clock.now())

    assert found is not None
    assert found.payload == {"a": "b"}


@requirement("R74")
def test_a_handle_has_256_random_bits(box: SecretBox, clock: SettableClock) -> None:
    handles = {begin(box, clock) for _ in range(50)}

    assert len(handles) == 50
    assert {len(urlsafe_b64decode(f"{handle}=")) for handle in handles} == {32}


@pytest.mark.parametrize("other", ["", "x", "\x00", "é" * 43, "\ud800", "a" * 1_000_000])
def test_another_handle_finds_nothing(box: SecretBox, clock: SettableClock, other: str) -> None:
    begin(box, clock)

    assert ceremonies.look_up(db.session(), box, Purpose.RESET_PASSWORD, other, now=clock.now()) is None


def test_a_handle_is_good_for_its_own_purpose_only(box: SecretBox, clock: SettableClock) -> None:
    handle = begin(box, clock)

    assert ceremonies.look_up(db.session(), box, Purpose.VERIFY_EMAIL, handle, now=clock.now()) is None


def test_a_ceremony_ends_by_itself(box: SecretBox, clock: SettableClock) -> None:
    handle = begin(box, clock)
    begun = ceremonies.look_up(db.session(), box, Purpose.RESET_PASSWORD, handle, now=clock.now())
    assert begun is not None
    late = clock.now() + Purpose.RESET_PASSWORD.lasts

    assert ceremonies.look_up(db.session(), box, Purpose.RESET_PASSWORD, handle, now=late) is None
    assert not ceremonies.spend(db.session(), begun, now=late)


@requirement("R74")
def test_the_table_holds_neither_handle_nor_payload(box: SecretBox, clock: SettableClock) -> None:
    handle = ceremonies.begin(db.session(), box, Purpose.TOTP, now=clock.now(), payload={"secret": "JBSWY3DP"})

    row = db.session.execute(sa.text("SELECT * FROM ceremony")).one()

    assert not [value for value in row if handle in str(value) or "JBSWY3DP" in str(value)]


def test_a_payload_moved_to_another_row_does_not_open(box: SecretBox, clock: SettableClock) -> None:
    first, second = begin(box, clock), begin(box, clock)
    rows = db.session.scalars(sa.select(Ceremony)).all()
    rows[0].payload_sealed, rows[1].payload_sealed = rows[1].payload_sealed, rows[0].payload_sealed
    db.session.flush()

    for handle in (first, second):
        assert ceremonies.look_up(db.session(), box, Purpose.RESET_PASSWORD, handle, now=clock.now()) is None


def test_what_was_sealed_with_a_dropped_key_is_as_good_as_never_begun(box: SecretBox, clock: SettableClock) -> None:
    handle = begin(box, clock)
    other = SecretBox([b"another key of thirty-two bytes."])

    assert ceremonies.look_up(db.session(), other, Purpose.RESET_PASSWORD, handle, now=clock.now()) is None


def test_twenty_at_once_spend_it_once(app: Flask, box: SecretBox, clock: SettableClock) -> None:
    assert _spenders(app, box, clock) == 1


def test_twenty_at_once_spend_it_once_on_postgresql(make_app: MakeApp, postgres_url: str, clock: SettableClock) -> None:
    app = make_app(database_url=postgres_url)
    with app.app_context():
        Base.metadata.create_all(db.engine)

        assert _spenders(app, wiring.services().box, clock) == 1
        db.session.remove()
        db.engine.dispose()


def test_sweeping_removes_what_is_over_and_nothing_else(box: SecretBox, clock: SettableClock) -> None:
    begin(box, clock, Purpose.VERIFY_EMAIL)
    begin(box, clock, Purpose.RESET_PASSWORD)

    ceremonies.sweep(db.session(), now=clock.now() + timedelta(hours=2))

    assert [row.purpose for row in db.session.scalars(sa.select(Ceremony))] == [Purpose.VERIFY_EMAIL.word]


def _spenders(app: Flask, box: SecretBox, clock: SettableClock) -> int:
    handle = begin(box, clock)
    begun = ceremonies.look_up(db.session(), box, Purpose.RESET_PASSWORD, handle, now=clock.now())
    assert begun is not None
    db.session.commit()
    won: list[bool] = []
    together = threading.Barrier(20)

    def one() -> None:
        with app.app_context():
            together.wait()
            won.append(ceremonies.spend(db.session(), begun, now=clock.now()))
            db.session.commit()

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(won)
