"""Real tools as people call them: no setting of this machine's user is in their way, and no other machine answers."""

import os
import subprocess
import sys
from pathlib import Path

from tests.clients import readme

Done = subprocess.CompletedProcess[str]
BIN = Path(sys.executable).parent
PUBLISHERS = ("twine", "uv", "hatch", "poetry", "pdm", "flit")
NOWHERE = "http://127.0.0.1:9"  # the port that discards: whoever asks for another machine fails at once


def plain_environment(home: Path) -> dict[str, str]:
    """An environment with nothing in it that the tools could take as a setting of their user."""
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "ALL_PROXY": NOWHERE,
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "localhost,127.0.0.1",
        "LANG": "C.UTF-8",
        "COLUMNS": "200",  # the tools wrap what they print
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "FLIT_NO_NETWORK": "1",  # it would ask PyPI for its classifiers
        "PDM_CHECK_UPDATE": "0",
        "POETRY_KEYRING_ENABLED": "false",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }


def run(folder: Path, tool: str, *arguments: str, **variables: str) -> Done:
    """`python -m` a tool in that folder; both of its outputs are in `stdout`, on one line. variables: further ones of
    its environment."""
    return _run(folder, [sys.executable, "-m", *tool.split(), *arguments], plain_environment(folder) | variables)


def shell(folder: Path, commands: str, **variables: str) -> Done:
    """The same for lines that somebody types into a shell there; they end with the first that fails. Tools take the
    folder's own `.venv`, not that of the tests."""
    environment = plain_environment(folder) | {"VIRTUAL_ENV": str(folder / ".venv")} | variables
    del environment["UV_PYTHON"]
    return _run(folder, ["bash", "-eu", "-c", commands], environment)


def _run(folder: Path, command: list[str], environment: dict[str, str]) -> Done:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    done.stdout = " ".join(done.stdout.split())
    return done


def publish(tool: str, url: str, token: str, checkout: Path) -> Done:
    """Publish what lies in the checkout's `dist`, as README says; flit builds it anew."""
    command = readme.typed(readme.commands("Publish")[tool], url, token)
    return shell(checkout, command, PDM_PYTHON=sys.executable)


def twine_upload(url: str, token: str, files: list[Path]) -> Done:
    """Upload files of one folder to the index at `url`."""
    options = ("--non-interactive", "--disable-progress-bar", "--repository-url", f"{url}/legacy/")
    credentials = ("--username", "__token__", "--password", token)
    return run(files[0].parent, "twine upload", *options, *credentials, *map(str, files))


def uv_publish(url: str, token: str, files: list[Path], options: tuple[str, ...] = ()) -> Done:
    """Upload files of one folder to the index at `url`."""
    address = ("--publish-url", f"{url}/legacy/", "--token", token)
    return run(files[0].parent, "uv publish", *address, *options, *map(str, files))


def install(tool: str, url: str, folder: Path, *arguments: str) -> Done:
    """Install with "pip" or "uv pip" from the index at `url`, and from nowhere else, into the folder `target`."""
    index = "--index-url" if tool == "pip" else "--default-index"
    cache = "--no-cache-dir" if tool == "pip" else "--no-cache"
    target = ("--target", str(folder / "target"))
    return run(folder, f"{tool} install", cache, index, f"{url}/simple/", *target, *arguments)
