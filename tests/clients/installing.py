"""Installers, each with a project that needs packages of the index and a virtual environment to put them into."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.tools import Done, shell

APP = '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = {needs}\n'


def an_app(folder: Path, *needs: str, says: str = "") -> Path:
    """A project in the new folder `app`, with an empty virtual environment. says: more lines of its pyproject.toml."""
    app = folder / "app"
    app.mkdir()
    (app / "pyproject.toml").write_text(APP.format(needs=json.dumps(needs)) + says)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", app / ".venv"], check=True)
    return app


@dataclass(frozen=True)
class _Job:
    """Lines to type in a folder, with these variables in the environment."""

    app: Path
    commands: str
    variables: dict[str, str] = field(default_factory=dict)


def _pip(url: str, folder: Path, needs: tuple[str, ...], options: str) -> _Job:
    command = f"pip install --no-input --index-url {url} {options} {_quoted(needs)}"
    return _Job(an_app(folder), command, {"PIP_PYTHON": ".venv"})


def _uv_pip(url: str, folder: Path, needs: tuple[str, ...], options: str) -> _Job:
    return _Job(an_app(folder), f"uv pip install --default-index team={url} {options} {_quoted(needs)}")


def _uv(url: str, folder: Path, needs: tuple[str, ...], options: str) -> _Job:
    return _Job(an_app(folder, *needs), f"uv lock --default-index {url} {options}\nuv sync --frozen")


def _poetry(url: str, folder: Path, needs: tuple[str, ...], options: str) -> _Job:
    source = f'[[tool.poetry.source]]\nname = "team"\nurl = "{url}"\npriority = "primary"\n'
    return _Job(an_app(folder, *needs, says=source), f"poetry lock {options}\npoetry install --no-root")


def _pdm(url: str, folder: Path, needs: tuple[str, ...], options: str) -> _Job:
    source = f'[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{url}"\n'
    return _Job(an_app(folder, *needs, says=source), f"pdm lock {options}\npdm sync")


def _hatch(url: str, folder: Path, needs: tuple[str, ...], options: str) -> _Job:
    environment = f"[tool.hatch.envs.default]\nskip-install = true\ndependencies = {json.dumps(needs)}\n"
    variables = {"PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url}
    return _Job(an_app(folder, says=environment), f"hatch env create {options}", variables)


_INSTALL: dict[str, Callable[[str, Path, tuple[str, ...], str], _Job]] = {
    "pip": _pip, "uv pip": _uv_pip, "uv": _uv, "poetry": _poetry, "pdm": _pdm, "hatch": _hatch
}  # fmt: skip
INSTALLERS = tuple(_INSTALL)


def install(tool: str, url: str, folder: Path, *needs: str, options: str = "", **variables: str) -> Done:
    """Resolve and install what an app in `folder` needs from the index at `url` alone; uv, poetry and pdm lock it
    first. options: of the command that resolves. variables: further ones of the environment."""
    job = _INSTALL[tool](f"{url}/simple/", folder, needs, options)
    return shell(job.app, job.commands, **job.variables, **variables)


def installed(folder: Path) -> list[str]:
    """Which of the index's packages stand in the app's environment now, such as "tide_base-1.0"."""
    found = {path.name.removesuffix(".dist-info") for path in (folder / "app").rglob("site-packages/*.dist-info")}
    return sorted(name for name in found if name.startswith(("acme_", "tide_")))


def _quoted(needs: tuple[str, ...]) -> str:
    return " ".join(f"'{need}'" for need in needs)
