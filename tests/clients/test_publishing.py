"""Six tools publish, called as README says."""

from importlib import metadata
from pathlib import Path

import pytest
import sqlalchemy as sa

from models import Event, File, db
from tests.browser.live import Live
from tests.clients import readme
from tests.clients.checkouts import a_checkout
from tests.clients.tools import PUBLISHERS, publish, shell

pytestmark = pytest.mark.clients
FILES = ["tide_tables-1.0-py3-none-any.whl", "tide_tables-1.0.tar.gz"]


def uploads(server: Live) -> int:
    """How many files the journal tells of."""
    with server.app.app_context():
        found = sa.select(sa.func.count()).select_from(Event).where(Event.tag == "project:file:added")
        return db.session.scalar(found) or 0


def uploaded_with(server: Live) -> dict[str, str]:
    """The files that are there, and how whoever brought them named itself."""
    with server.app.app_context():
        return {file.filename: file.uploaded_with for file in db.session.scalars(sa.select(File))}


def test_the_readme_says_how_each_tool_publishes() -> None:
    assert sorted(readme.commands("Publish")) == sorted(PUBLISHERS)


@pytest.mark.parametrize("tool", PUBLISHERS)
def test_a_tool_publishes_a_wheel_and_an_sdist_and_does_so_again_without_complaint(
    live_server: Live, token: str, tmp_path: Path, tool: str
) -> None:
    checkout = a_checkout(tmp_path, "tide-tables")

    first = publish(tool, live_server.url, token, checkout)
    files = uploaded_with(live_server)
    second = publish(tool, live_server.url, token, checkout)

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    assert sorted(files) == FILES
    assert uploads(live_server) == 2
    if tool not in ("pdm", "flit"):  # these do not say which version they are
        assert {name.lower().split()[0] for name in files.values()} == {f"{tool}/{metadata.version(tool)}"}


def test_uv_skips_what_it_finds_on_the_index(live_server: Live, token: str, tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path, "tide-tables")
    check = readme.commands("Publish")["uv"] + f" --check-url {readme.ADDRESS}/simple/"
    publish("uv", live_server.url, token, checkout)

    again = shell(checkout, readme.typed(check, live_server.url, token))
    changed = a_checkout(tmp_path / "changed", "tide-tables", module="HIGH = 1\n")
    other = shell(changed, readme.typed(check, live_server.url, token))

    assert again.returncode == 0, again.stdout
    assert again.stdout.count("already exists, skipping") == 2
    assert [path for path in live_server.asked if path == "/legacy/"] == ["/legacy/"] * 2
    assert other.returncode != 0, other.stdout
