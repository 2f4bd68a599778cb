"""Six installers take from the index what they should, and nothing else."""

import json
import re
import tomllib
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import sqlalchemy as sa

from domain.index import pages
from models import File, Project, Release, db
from tests.browser.live import Live
from tests.clients import readme
from tests.clients.installing import INSTALLERS, an_app, install, installed
from tests.clients.tools import shell
from tests.packages import Package, a_metadata, a_wheel
from tests.uploading import upload

pytestmark = pytest.mark.clients
LOCKERS = ("uv", "poetry", "pdm")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def wheel(name: str, version: str, **says: str) -> Package:
    return a_wheel(name, version, metadata=a_metadata(name, version, **says))


BASE = [wheel("tide-base", "1.0"), wheel("tide-base", "2.0")]
OLDER = wheel("acme-utils", "1.0", Requires_Dist="tide-base", Requires_Python=">=3.11")
NEWER = wheel("acme-utils", "1.1", Requires_Dist="tide-base>=2", Requires_Python=">=3.11")
FOR_ANOTHER_PYTHON = wheel("acme-utils", "1.2", Requires_Python=">=3.99")


@pytest.fixture
def index(live_server: Live, token: str) -> Live:
    """An index with two releases of acme-utils, the newer of which needs the newer tide-base."""
    for package in (*BASE, OLDER, NEWER):
        assert upload(live_server.app, token, package).status_code == 200
    return live_server


def change(server: Live, name: str, alter: Callable[[Project], Any]) -> None:
    """Change a project behind the back of its owner, and make its pages anew."""
    with server.app.app_context():
        project = db.session.scalars(sa.select(Project).where(Project.normalized_name == name)).one()
        alter(project)
        pages.refresh(db.session(), project)
        db.session.commit()


def yank_newer(server: Live) -> None:
    newer = sa.update(Release).where(Release.version == "1.1")
    change(
        server,
        "acme-utils",
        lambda _: db.session.execute(newer.values(yanked_at=LONG_AGO, yanked_reason="Loses low water")),
    )


def simple(server: Live, name: str) -> dict[str, Any]:
    """The project's page as JSON (Any: whatever that holds)."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{server.url}/simple/{name}/", headers=accept)) as answer:
        return dict(json.load(answer))


def hashed(server: Live, **wrong: str) -> str:
    """Requirements with the hashes that the index tells. wrong: another one by the name of the project."""
    lines = []
    for name, version in (("acme-utils", "1.1"), ("tide-base", "2.0")):
        [file] = [each for each in simple(server, name)["files"] if f"-{version}-" in each["filename"]]
        sha256 = wrong.get(name.replace("-", "_"), file["hashes"]["sha256"])
        lines.append(f"{name}=={version} --hash=sha256:{sha256}")
    return "\n".join(lines)


@pytest.mark.parametrize("how", readme.commands("Install"))
def test_the_readme_says_how_each_tool_installs(index: Live, tmp_path: Path, how: str) -> None:
    settings = "[tool.poetry]\npackage-mode = false\n[tool.pdm]\ndistribution = false\n[tool.hatch.envs.default]\n"
    app = an_app(tmp_path, says=f'{settings}skip-install = true\ndependencies = ["acme-utils"]\n')

    command = readme.typed(readme.commands("Install")[how], index.url, name="acme-utils")
    done = shell(app, command, PIP_PYTHON=".venv")

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["acme_utils-1.1", "tide_base-2.0"]


@pytest.mark.parametrize("tool", ["uv", "pdm"])
def test_the_readme_says_how_a_project_takes_single_names_from_here(index: Live, tmp_path: Path, tool: str) -> None:
    says = readme.typed(readme.settings(tool), index.url, name="tide-base").replace("acme-*", "tide-*")
    app = an_app(tmp_path, "tide-base", says=f"[tool.pdm]\ndistribution = false\n{says}")

    done = shell(app, {"uv": "uv sync", "pdm": "pdm install"}[tool])

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["tide_base-2.0"]


@pytest.mark.parametrize("tool", ["pip", "uv pip"])
def test_hashes_of_the_index_are_what_is_asked_for(index: Live, tmp_path: Path, tool: str) -> None:
    requirements, wrong = tmp_path / "requirements.txt", tmp_path / "wrong.txt"
    requirements.write_text(hashed(index))
    wrong.write_text(hashed(index, tide_base="0" * 64))
    (tmp_path / "other").mkdir()

    good = install(tool, index.url, tmp_path, options=f"--require-hashes -r {requirements}")
    bad = install(tool, index.url, tmp_path / "other", options=f"--require-hashes -r {wrong}")

    assert good.returncode == 0, good.stdout
    assert installed(tmp_path) == ["acme_utils-1.1", "tide_base-2.0"]
    assert bad.returncode != 0
    assert re.search("hash", bad.stdout, re.IGNORECASE), bad.stdout
    assert installed(tmp_path / "other") == []


@pytest.mark.parametrize(
    ("tool", "option"), [("pip", "--uploaded-prior-to"), ("uv pip", "--exclude-newer"), ("uv", "--exclude-newer")]
)
def test_what_was_uploaded_after_a_day_is_not_chosen(index: Live, tmp_path: Path, tool: str, option: str) -> None:
    before = sa.update(File).where(File.filename.contains("-1.0-")).values(uploaded_at=LONG_AGO)
    for name in ("acme-utils", "tide-base"):
        change(index, name, lambda _: db.session.execute(before))

    done = install(tool, index.url, tmp_path, "acme-utils", options=f"{option} 2026-06-01T00:00:00Z")

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["acme_utils-1.0", "tide_base-1.0"]


@pytest.mark.parametrize("tool", LOCKERS)
def test_a_lock_file_holds_the_hash_of_every_file(index: Live, tmp_path: Path, tool: str) -> None:
    done = install(tool, index.url, tmp_path, "acme-utils")

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["acme_utils-1.1", "tide_base-2.0"]
    lock = (tmp_path / f"app/{tool}.lock").read_text()
    assert set(re.findall("sha256:([0-9a-f]{64})", lock)) >= {NEWER.sha256, BASE[1].sha256}


@pytest.mark.parametrize(
    ("tool", "command"), [("uv", "uv sync --frozen"), ("poetry", "poetry install --no-root"), ("pdm", "pdm sync")]
)
def test_a_file_that_is_not_what_the_lock_file_says_is_not_installed(
    index: Live, tmp_path: Path, tool: str, command: str
) -> None:
    install(tool, index.url, tmp_path, "acme-utils")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    app = an_app(elsewhere)
    for name in ("pyproject.toml", f"{tool}.lock"):
        (app / name).write_text((tmp_path / "app" / name).read_text().replace(NEWER.sha256, "0" * 64))

    done = shell(app, command)

    assert done.returncode != 0
    assert re.search("hash|checksum", done.stdout, re.IGNORECASE), done.stdout
    assert "acme_utils-1.1" not in installed(elsewhere)


def test_the_lock_file_of_uv_says_all_that_the_index_says_of_a_file(index: Live, tmp_path: Path) -> None:
    install("uv", index.url, tmp_path, "acme-utils")

    lock = tomllib.loads((tmp_path / "app/uv.lock").read_text())
    [locked] = [package for package in lock["package"] if package["name"] == "acme-utils"]
    [file] = [each for each in simple(index, "acme-utils")["files"] if "-1.1-" in each["filename"]]
    [wheel] = locked["wheels"]
    assert locked["source"] == {"registry": f"{index.url}/simple/"}
    assert wheel["url"] == urljoin(f"{index.url}/simple/acme-utils/", file["url"])
    assert wheel["hash"] == f"sha256:{file['hashes']['sha256']}"
    assert wheel["size"] == file["size"] == len(NEWER.content)
    told, kept = (datetime.fromisoformat(each["upload-time"]) for each in (file, wheel))
    assert abs(told - kept) < timedelta(milliseconds=1)  # which is what uv keeps


@pytest.mark.parametrize("tool", INSTALLERS)
def test_a_yanked_release_is_not_chosen(index: Live, tmp_path: Path, tool: str) -> None:
    yank_newer(index)

    done = install(tool, index.url, tmp_path, "acme-utils")

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["acme_utils-1.0", "tide_base-2.0"]


@pytest.mark.parametrize("tool", INSTALLERS)
def test_a_yanked_release_is_chosen_by_its_exact_version_with_the_reason(
    index: Live, tmp_path: Path, tool: str
) -> None:
    yank_newer(index)

    done = install(tool, index.url, tmp_path, "acme-utils==1.1")

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["acme_utils-1.1", "tide_base-2.0"]
    assert ("Loses low water" in done.stdout) == (tool != "pdm"), done.stdout  # which keeps the reason to itself


@pytest.mark.parametrize("tool", INSTALLERS)
def test_a_release_for_another_python_is_not_chosen(index: Live, token: str, tmp_path: Path, tool: str) -> None:
    assert upload(index.app, token, FOR_ANOTHER_PYTHON).status_code == 200
    index.asked.clear()

    done = install(tool, index.url, tmp_path, "acme-utils")

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["acme_utils-1.1", "tide_base-2.0"]
    asked = [path for path in index.asked if "acme_utils-1.2" in path]  # the project's page says enough for one Python,
    assert asked == [] or tool in ("uv", "poetry")  # but not where a lock file is for several


@pytest.mark.parametrize("tool", INSTALLERS)
def test_only_the_metadata_is_read_of_what_is_not_chosen(index: Live, tmp_path: Path, tool: str) -> None:
    index.asked.clear()

    done = install(tool, index.url, tmp_path, "acme-utils", "tide-base<2")

    assert done.returncode == 0, done.stdout
    assert installed(tmp_path) == ["acme_utils-1.0", "tide_base-1.0"]
    read = {path.rpartition("/")[2] for path in index.asked if path.startswith("/packages/")}
    wheels = {name for name in read if name.endswith(".whl")}
    assert wheels == {OLDER.filename, BASE[0].filename}
    assert f"{NEWER.filename}.metadata" in read
