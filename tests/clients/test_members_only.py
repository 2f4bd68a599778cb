"""Installing from an index for members, with credentials in each of the places where pip and uv look for them."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clock import SettableClock
from domain.policy.principals import Grant
from tests.browser.live import Live
from tests.builders import People
from tests.clients.tools import Done, install, run, twine_upload, uv_publish
from tests.packages import a_wheel

pytestmark = pytest.mark.clients


@pytest.fixture
def live_server(tmp_path: Path, empty_database: Path) -> Iterator[Live]:
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(empty_database, folder / "countersign.sqlite3")
    server = Live(folder, read_access="members")
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody works, at home there."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def reader(live_server: Live, folder: Path) -> str:
    """A token of Ana's that may read. She has published acme-utils."""
    with live_server.app.app_context():
        people = People(live_server.app, SettableClock(datetime.now(UTC)))
        ana = people.a_member("ana")
        uploads, reads = people.a_token(ana, "ci")[1], people.a_token(ana, "reader", grants=(Grant.READ,))[1]
    done = twine_upload(live_server.url, uploads, [a_wheel().write(folder)])
    assert done.returncode == 0, done.stdout
    return reads


def with_credentials(url: str, token: str) -> str:
    return url.replace("http://", f"http://__token__:{token}@")


def write_netrc(folder: Path, token: str) -> None:
    netrc = folder / ".netrc"
    netrc.write_text(f"machine localhost login __token__ password {token}\n")
    netrc.chmod(0o600)


def has_installed(done: Done, folder: Path) -> bool:
    return done.returncode == 0 and (folder / "target" / "acme_utils").is_dir()


@pytest.mark.parametrize("tool", ["pip", "uv pip"])
def test_credentials_in_the_address(live_server: Live, reader: str, folder: Path, tool: str) -> None:
    done = install(tool, with_credentials(live_server.url, reader), folder, "acme-utils")

    assert has_installed(done, folder), done.stdout


@pytest.mark.parametrize("tool", ["pip", "uv pip"])
def test_credentials_in_netrc(live_server: Live, reader: str, folder: Path, tool: str) -> None:
    write_netrc(folder, reader)

    done = install(tool, live_server.url, folder, "acme-utils")

    assert has_installed(done, folder), done.stdout


def test_credentials_in_the_variables_that_uv_has_for_them(live_server: Live, reader: str, folder: Path) -> None:
    command = ("uv pip install", "--no-cache", "--default-index", f"team={live_server.url}/simple/")
    variables = {"UV_INDEX_TEAM_USERNAME": "__token__", "UV_INDEX_TEAM_PASSWORD": reader}

    done = run(folder, *command, "--target", str(folder / "target"), "acme-utils", **variables)

    assert has_installed(done, folder), done.stdout


@pytest.mark.parametrize(("tool", "says"), [("pip", "No matching distribution found"), ("uv pip", "401 Unauthorized")])
def test_without_credentials_nothing_is_installed_and_uv_says_why(
    live_server: Live, reader: str, folder: Path, tool: str, says: str
) -> None:
    options = ("--no-input",) if tool == "pip" else ()

    done = install(tool, live_server.url, folder, *options, "acme-utils")

    assert not has_installed(done, folder)
    assert says in done.stdout


def test_uv_skips_what_is_there_with_a_token_that_uploads_and_reads(
    live_server: Live, reader: str, folder: Path
) -> None:
    with live_server.app.app_context():
        people = People(live_server.app, SettableClock(datetime.now(UTC)))
        ana = people.a_member("cleo")
        both = people.a_token(ana, "both", grants=(Grant.UPLOAD, Grant.READ))[1]

    options = ("--check-url", with_credentials(f"{live_server.url}/simple/", both))
    done = uv_publish(live_server.url, both, [a_wheel().write(folder)], options)

    assert done.returncode == 0, done.stdout
    assert "already exists, skipping" in done.stdout
