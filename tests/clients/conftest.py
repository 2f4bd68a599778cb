"""A live index for real tools, in this process and by the real clock."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clock import SettableClock
from tests.browser.live import Live
from tests.builders import People
from tests.clients.nginx import find_nginx
from tests.clients.site import Site
from tests.conftest import unavailable


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


@pytest.fixture(scope="session")
def nginx() -> None:
    """There must be one."""
    if find_nginx() is None:
        unavailable("no nginx is installed; on Debian: apt-get install nginx")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, nginx: None) -> Iterator[Site]:
    """An index for everybody behind nginx, with acme-utils on it."""
    found = Site(tmp_path_factory.mktemp("open"))
    found.publish("acme-utils")
    found.index.flask("pages", "write")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory, nginx: None) -> Iterator[Site]:
    """The same for members."""
    found = Site(tmp_path_factory.mktemp("club"), COUNTERSIGN_READ_ACCESS="members")
    found.publish("acme-utils")
    found.index.flask("pages", "write")
    yield found
    found.stop()
