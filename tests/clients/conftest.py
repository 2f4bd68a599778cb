"""A live index for real tools, in this process and by the real clock."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clock import SettableClock
from tests.browser.live import Live
from tests.builders import People


@pytest.fixture
def live_server(tmp_path: Path, empty_database: Path) -> Iterator[Live]:
    """An index that takes files of up to 1 MB."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(empty_database, folder / "countersign.sqlite3")
    server = Live(folder, max_file_bytes=1_000_000)
    yield server
    server.stop()


@pytest.fixture
def token(live_server: Live) -> str:
    """A token of Ana's for everything."""
    with live_server.app.app_context():
        people = People(live_server.app, SettableClock(datetime.now(UTC)))
        return people.a_token(people.a_member("ana"))[1]
