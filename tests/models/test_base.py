"""How connections behave: moments are UTC, writers hold the lock from the start, readers do not wait."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Attempt, begin_writing, db


def test_a_moment_comes_back_aware_and_in_utc(app: Flask) -> None:
    in_bombay = datetime(2026, 11, 22, 19, 35, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    db.session.add(Attempt(bucket="x", window_seconds=1, started_at=in_bombay, count=0))
    db.session.commit()
    db.session.expire_all()

    assert db.session.get_one(Attempt, ("x", 1)).started_at == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def test_a_naive_moment_is_refused(app: Flask) -> None:
    db.session.add(Attempt(bucket="x", window_seconds=1, started_at=datetime(2026, 1, 1), count=0))  # noqa: DTZ001

    with pytest.raises(sa.exc.StatementError, match="naive"):
        db.session.flush()


def test_sqlite_keeps_foreign_keys_and_a_write_ahead_log(app: Flask) -> None:
    assert db.session.scalar(sa.text("PRAGMA foreign_keys")) == 1
    assert db.session.scalar(sa.text("PRAGMA journal_mode")) == "wal"
    assert db.session.scalar(sa.text("PRAGMA busy_timeout")) >= 5_000


def test_a_reader_does_not_wait_for_a_writer(app: Flask) -> None:
    begin_writing(db.session())
    db.session.execute(sa.text("SELECT 1"))  # the writer has the lock now
    seen: list[int] = []

    def read() -> None:
        with app.app_context():
            db.session.info["reading"] = True
            seen.append(db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) or 0)

    reader = threading.Thread(target=read)
    reader.start()
    reader.join(timeout=2)

    assert seen == [0]


def test_a_reader_keeps_to_one_connection_however_much_it_reads(app: Flask) -> None:
    db.session.info["reading"] = True
    taken: list[object] = []
    sa.event.listen(db.engine, "checkout", lambda connection, *_: taken.append(connection))

    for _ in range(3):
        db.session.execute(sa.select(Attempt))

    assert len(taken) == 1


def test_a_writing_transaction_holds_the_lock_before_its_first_change(app: Flask) -> None:
    db.session.execute(sa.text("SELECT 1"))
    path = db.engine.url.database
    assert path is not None
    other = sqlite3.connect(path, timeout=0.1)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("INSERT INTO attempt VALUES ('x', 1, '2026-01-01', 1)")
    other.close()
