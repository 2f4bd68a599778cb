"""poetry, pdm and hatch send the credentials that docs/reading.md tells them to, also where nothing asks for them: pip
and uv have files of their own."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.clock import SettableClock
from domain.policy.principals import Grant
from models import Project, db
from tests.browser.live import Live
from tests.builders import People
from tests.clients.installing import install, installed
from tests.clients.test_members_only import with_credentials, write_netrc
from tests.packages import a_wheel
from tests.uploading import upload

pytestmark = pytest.mark.clients
TOOLS = ("poetry", "pdm", "hatch")


@pytest.fixture(params=["public", "members"])
def index(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> Iterator[Live]:
    """An index of either kind, on which acme-utils is private."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(empty_database, folder / "countersign.sqlite3")
    server = Live(folder, read_access=request.param)
    yield server
    server.stop()


@pytest.fixture
def reader(index: Live) -> str:
    """A token that may read it."""
    with index.app.app_context():
        people = People(index.app, SettableClock(datetime.now(UTC)))
        ana = people.a_member("ana")
        uploads, reads = people.a_token(ana, "ci")[1], people.a_token(ana, "reader", grants=(Grant.READ,))[1]
    assert upload(index.app, uploads, a_wheel()).status_code == 200
    with index.app.app_context():
        db.session.execute(sa.update(Project).values(is_private=True))
        db.session.commit()
    return reads


@pytest.mark.parametrize("tool", TOOLS)
def test_credentials_in_netrc(index: Live, reader: str, tmp_path: Path, tool: str) -> None:
    write_netrc(tmp_path, reader)

    done = install(tool, index.url, tmp_path, "acme-utils", NETRC=str(tmp_path / ".netrc"))

    assert installed(tmp_path) == ["acme_utils-1.0"], done.stdout


@pytest.mark.parametrize("tool", TOOLS)
def test_credentials_in_the_address(index: Live, reader: str, tmp_path: Path, tool: str) -> None:
    done = install(tool, with_credentials(index.url, reader), tmp_path, "acme-utils")

    assert installed(tmp_path) == ["acme_utils-1.0"], done.stdout


@pytest.mark.parametrize(
    ("tool", "username", "password"),
    [
        ("poetry", "POETRY_HTTP_BASIC_TEAM_USERNAME", "POETRY_HTTP_BASIC_TEAM_PASSWORD"),
        ("pdm", "PDM_PYPI_USERNAME", "PDM_PYPI_PASSWORD"),
    ],
)
def test_credentials_in_the_variables_that_a_tool_has_for_them(
    index: Live, reader: str, tmp_path: Path, tool: str, username: str, password: str
) -> None:
    done = install(tool, index.url, tmp_path, "acme-utils", **{username: "__token__", password: reader})

    assert installed(tmp_path) == ["acme_utils-1.0"], done.stdout


@pytest.mark.parametrize("tool", TOOLS)
def test_without_credentials_nothing_is_installed(index: Live, reader: str, tmp_path: Path, tool: str) -> None:
    done = install(tool, index.url, tmp_path, "acme-utils", PIP_NO_INPUT="1")

    assert done.returncode != 0
    assert installed(tmp_path) == []


def test_a_lock_file_of_uv_holds_no_credentials_and_is_synced_with_those_of_netrc(
    index: Live, reader: str, tmp_path: Path
) -> None:
    write_netrc(tmp_path, reader)

    done = install("uv", with_credentials(index.url, reader), tmp_path, "acme-utils", NETRC=str(tmp_path / ".netrc"))

    assert installed(tmp_path) == ["acme_utils-1.0"], done.stdout
    assert reader not in (tmp_path / "app/uv.lock").read_text()
