"""What an upload leaves on disk when the machine fails in the midst of it does not stay for ever."""

import os
from datetime import timedelta

from flask import Flask

from domain import upkeep
from models.base import db
from tests.browsing import wiring_of


def test_a_file_that_came_in_more_than_a_day_ago_is_swept_up(app: Flask) -> None:
    services = wiring_of(app)
    now = services.clock.now()
    old, fresh = services.store.incoming / "old", services.store.incoming / "fresh"
    for path, age in ((old, timedelta(days=1, seconds=1)), (fresh, timedelta(hours=23))):
        path.write_bytes(b"half a wheel")
        os.utime(path, 2 * ((now - age).timestamp(),))

    with app.app_context():
        upkeep.sweep(db.session(), services.store, services.box, services.notices, now=now)

    assert list(services.store.incoming.iterdir()) == [fresh]
