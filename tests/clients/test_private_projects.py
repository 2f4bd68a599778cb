"""Installing a private project from an index that everybody may read: nothing asks for credentials there, so tools must
send them of their own accord."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clock import SettableClock
from domain.index import projects
from domain.policy.principals import Grant
from models import db
from tests.browser.live import Live
from tests.builders import People
from tests.clients.test_members_only import has_installed, with_credentials, write_netrc
from tests.clients.tools import install, run, twine_upload, uv_publish
from tests.packages import a_metadata, a_wheel

pytestmark = pytest.mark.clients
NO_INPUT = {"pip": ("--no-input",), "uv pip": ()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody works, at home there."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def reader(live_server: Live, folder: Path) -> str:
    """A token of Ana's that may read. Her acme-utils is private; open-tool, which needs it, is not."""
    with live_server.app.app_context():
        people = People(live_server.app, SettableClock(datetime.now(UTC)))
        ana = people.a_member("ana")
        uploads, reads = people.a_token(ana, "ci")[1], people.a_token(ana, "reader", grants=(Grant.READ,))[1]
    needing = a_metadata("open-tool", "1.0", Requires_Dist="acme-utils")
    wheels = [a_wheel(), a_wheel("open-tool", metadata=needing)]
    done = twine_upload(live_server.url, uploads, [wheel.write(folder) for wheel in wheels])
    assert done.returncode == 0, done.stdout
    with live_server.app.app_context():
        project = projects.find(db.session(), "acme-utils")
        assert project is not None
        project.is_private = True
        db.session.commit()
    return reads


@pytest.mark.parametrize("tool", NO_INPUT)
@pytest.mark.parametrize("wanted", ["acme-utils", "open-tool"])
def test_credentials_in_the_address(live_server: Live, reader: str, folder: Path, tool: str, wanted: str) -> None:
    done = install(tool, with_credentials(live_server.url, reader), folder, wanted)

    assert has_installed(done, folder), done.stdout


@pytest.mark.parametrize("tool", NO_INPUT)
def test_credentials_in_netrc(live_server: Live, reader: str, folder: Path, tool: str) -> None:
    write_netrc(folder, reader)

    done = install(tool, live_server.url, folder, "acme-utils")

    assert has_installed(done, folder), done.stdout


def test_credentials_in_the_variables_that_uv_has_for_them(live_server: Live, reader: str, folder: Path) -> None:
    command = ("uv pip install", "--no-cache", "--default-index", f"team={live_server.url}/simple/")
    variables = {"UV_INDEX_TEAM_USERNAME": "__token__", "UV_INDEX_TEAM_PASSWORD": reader}

    done = run(folder, *command, "--target", str(folder / "target"), "acme-utils", **variables)

    assert has_installed(done, folder), done.stdout


@pytest.mark.parametrize(
    ("tool", "says"), [("pip", "No matching distribution found"), ("uv pip", "was not found in the package registry")]
)
def test_without_credentials_there_is_no_such_project(
    live_server: Live, reader: str, folder: Path, tool: str, says: str
) -> None:
    done = install(tool, live_server.url, folder, *NO_INPUT[tool], "acme-utils")

    assert not has_installed(done, folder)
    assert says in done.stdout


@pytest.mark.parametrize(("tool", "says"), [("pip", "No matching distribution found"), ("uv pip", "401 Unauthorized")])
def test_a_wrong_token_installs_nothing_and_uv_says_why(
    live_server: Live, reader: str, folder: Path, tool: str, says: str
) -> None:
    url = with_credentials(live_server.url, "csn_mistyped")

    done = install(tool, url, folder, *NO_INPUT[tool], "acme-utils")

    assert not has_installed(done, folder)
    assert says in done.stdout


def test_a_new_project_is_published_beside_it_with_a_check_by_a_token_that_only_uploads(
    live_server: Live, reader: str, folder: Path
) -> None:
    with live_server.app.app_context():
        people = People(live_server.app, SettableClock(datetime.now(UTC)))
        uploads = people.a_token(people.a_member("cleo"), "ci")[1]

    options = ("--check-url", with_credentials(f"{live_server.url}/simple/", uploads))
    done = uv_publish(live_server.url, uploads, [a_wheel("buoy").write(folder)], options)

    assert done.returncode == 0, done.stdout
