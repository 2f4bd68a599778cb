"""What twine, uv and pip make of our answers: they say our words, and do what the project page tells people to type."""

import hashlib
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.index import pages
from models import Event, Project, Release, db
from tests.browser.live import Live
from tests.browsing import Browser, wiring_of
from tests.clients.installing import an_app, installed
from tests.clients.tools import Done, install, shell, twine_upload, uv_publish
from tests.packages import Package, a_metadata, a_wheel, an_sdist

pytestmark = pytest.mark.clients

WHEEL = a_wheel(metadata=a_metadata(Requires_Python=">=3.11", Summary="Small tools"))
OTHER_BYTES = a_wheel(extra={"acme_utils/more.py": b"x = 1\n"})


def twine(server: Live, token: str, folder: Path, *packages: Package) -> Done:
    return twine_upload(server.url, token, [package.write(folder) for package in packages])


def uv(server: Live, token: str, folder: Path, *packages: Package, options: tuple[str, ...] = ()) -> Done:
    return uv_publish(server.url, token, [package.write(folder) for package in packages], options)


def uploads(server: Live) -> int:
    """How many files the journal tells of."""
    with server.app.app_context():
        found = sa.select(sa.func.count()).select_from(Event).where(Event.tag == "project:file:added")
        return db.session.scalar(found) or 0


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


def test_twine_and_uv_upload_the_same_file_twice_without_complaint(live_server: Live, token: str, folder: Path) -> None:
    for upload in (twine, uv, twine, uv):
        done = upload(live_server, token, folder, WHEEL, an_sdist())

        assert done.returncode == 0, done.stdout

    assert uploads(live_server) == 2


def test_twine_and_uv_say_that_a_file_exists(live_server: Live, token: str, folder: Path) -> None:
    twine(live_server, token, folder, WHEEL)

    for upload in (twine, uv):
        done = upload(live_server, token, folder, OTHER_BYTES)

        assert done.returncode != 0
        assert "File already exists ('acme_utils-1.0-py3-none-any.whl', with blake2_256 hash" in done.stdout


def test_twine_and_uv_say_that_a_file_is_too_large(live_server: Live, token: str, folder: Path) -> None:
    noise = hashlib.shake_256(b"").digest(1_000_000)  # cannot be packed any smaller

    for upload in (twine, uv):
        done = upload(live_server, token, folder, a_wheel(extra={"acme_utils/noise": noise}))

        assert done.returncode != 0
        assert "File too large. Limit is 1 MB." in done.stdout


def test_uv_skips_what_it_finds_on_the_index(live_server: Live, token: str, folder: Path) -> None:
    options = ("--check-url", f"{live_server.url}/simple/")
    uv(live_server, token, folder, WHEEL)

    again = uv(live_server, token, folder, WHEEL, options=options)
    other = uv(live_server, token, folder, OTHER_BYTES, options=options)

    assert (again.returncode, uploads(live_server)) == (0, 1)
    assert "already exists, skipping" in again.stdout
    assert other.returncode != 0


@pytest.mark.parametrize("tool", ["pip", "uv pip"])
def test_resolving_reads_the_metadata_and_not_the_wheel(live_server: Live, token: str, folder: Path, tool: str) -> None:
    twine(live_server, token, folder, WHEEL)
    forget_bytes(live_server, WHEEL)

    done = install(tool, live_server.url, folder, "--dry-run", "acme-utils")

    assert done.returncode == 0, done.stdout
    assert "acme-utils" in done.stdout


@pytest.mark.parametrize("tool", ["pip", "uv pip"])
def test_a_yanked_release_is_installed_by_its_exact_version_only(
    live_server: Live, token: str, folder: Path, tool: str
) -> None:
    newer = a_wheel(version="1.1", metadata=a_metadata("acme-utils", "1.1"))
    twine(live_server, token, folder, a_wheel(), newer)
    with live_server.app.app_context():
        project = db.session.scalars(sa.select(Project)).one()
        yanked = Release.version == "1.1"
        db.session.execute(
            sa.update(Release).where(yanked).values(yanked_at=project.created_at, yanked_reason="Broken")
        )
        pages.refresh(db.session(), project)
        db.session.commit()

    any_version = install(tool, live_server.url, folder, "--dry-run", "acme-utils")
    pinned = install(tool, live_server.url, folder, "--dry-run", "acme-utils==1.1")

    assert re.search(r"acme[-_]utils(==|-)1\.0", any_version.stdout), any_version.stdout
    assert re.search(r"acme[-_]utils(==|-)1\.1", pinned.stdout), pinned.stdout
    assert "Broken" in pinned.stdout


@pytest.mark.parametrize("tool", ["pip", "uv", "poetry", "pdm", "hatch"])
def test_what_the_project_page_says_works_as_it_is_written(
    live_server: Live, token: str, folder: Path, tool: str
) -> None:
    twine(live_server, token, folder, WHEEL, an_sdist())
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
