"""What installers make of a project's page and of the metadata beside its files."""

from pathlib import Path

import pytest

from tests.browser.live import Live
from tests.browsing import Browser, wiring_of
from tests.clients.installing import an_app, installed
from tests.clients.tools import install, shell
from tests.packages import Package, a_metadata, a_wheel, an_sdist
from tests.uploading import upload

pytestmark = pytest.mark.clients

WHEEL = a_wheel(metadata=a_metadata(Requires_Python=">=3.11", Summary="Small tools"))


def forget_bytes(server: Live, package: Package) -> None:
    """Whoever asks for the file itself gets an error from now on."""
    path = wiring_of(server.app).store.local_path(package.sha256)
    assert path is not None
    path.unlink()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody works."""
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.mark.parametrize("tool", ["pip", "uv pip"])
def test_resolving_reads_the_metadata_and_not_the_wheel(live_server: Live, token: str, folder: Path, tool: str) -> None:
    assert upload(live_server.app, token, WHEEL).status_code == 200
    forget_bytes(live_server, WHEEL)

    done = install(tool, live_server.url, folder, "--dry-run", "acme-utils")

    assert done.returncode == 0, done.stdout
    assert "acme-utils" in done.stdout


@pytest.mark.parametrize("tool", ["pip", "uv", "poetry", "pdm", "hatch"])
def test_what_the_project_page_says_works_as_it_is_written(
    live_server: Live, token: str, folder: Path, tool: str
) -> None:
    for package in (WHEEL, an_sdist()):
        assert upload(live_server.app, token, package).status_code == 200
    page = Browser(live_server.app).page("/project/acme-utils/1.0/")
    group = page.root.find(".//div[@class='install']")
    assert group is not None
    tools = ["".join(label.itertext()) for label in group.iter("label")]
    said = dict(zip(tools, ("".join(code.itertext()) for code in group.iter("code")), strict=True))[tool]
    settings = said.replace("dependencies", "skip-install = true\ndependencies") if tool == "hatch" else ""
    app = an_app(folder, says=f"[tool.poetry]\npackage-mode = false\n[tool.pdm]\ndistribution = false\n{settings}")

    done = shell(app, "hatch env create" if tool == "hatch" else said, PIP_PYTHON=".venv")

    assert done.returncode == 0, done.stdout
    assert installed(folder) == ["acme_utils-1.0"]
