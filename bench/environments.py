"""Environments of their own for the servers, made once in `.bench`: nothing that only the tests need is in them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench"
PEERS = {
    "devpi": ["devpi-server==6.20.3"],
    "pypiserver": ["pypiserver==2.4.2", "passlib==1.7.4", "watchdog==6.0.0", "gunicorn==27.0.1", "gevent==26.9.0"],
}


class NotInstalled(Exception):
    """pip could not install what a server needs."""


def of_countersign() -> Path:
    """The folder of programs of an environment with what Countersign runs on."""
    return _environment("countersign", (ROOT / "requirements.txt").read_text().splitlines())


def of_peer(name: str) -> Path:
    """The same of another index, installed from PyPI. Raises NotInstalled."""
    return _environment(name, PEERS[name])


def _environment(name: str, requirements: list[str]) -> Path:
    """A list that has changed is installed anew."""
    folder = FOLDER / name
    wanted, installed = "\n".join(requirements), folder / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "requirements.txt").write_text(wanted)
        print(f"Installing {name} into {folder.relative_to(ROOT)}, once.", file=sys.stderr, flush=True)
        _run(sys.executable, "-m", "venv", "--clear", folder / "environment")
        python = folder / "environment/bin/python"
        _run(python, "-m", "pip", "install", "--quiet", "--requirement", folder / "requirements.txt")
        installed.write_text(wanted)
    return folder / "environment/bin"


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(done.stderr[-2_000:])
