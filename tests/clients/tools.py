"""twine, uv and pip as people call them, with no setting of this machine's user in their way."""

import os
import subprocess
import sys
from pathlib import Path

Done = subprocess.CompletedProcess[str]


def plain_environment(home: Path) -> dict[str, str]:
    """An environment with nothing in it that the tools could take as a setting of their user."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",  # the tools wrap what they print
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }


def run(folder: Path, tool: str, *arguments: str, **variables: str) -> Done:
    """`python -m` a tool in that folder; both of its outputs are in `stdout`, on one line. variables: further ones of
    its environment."""
    done = subprocess.run(
        [sys.executable, "-m", *tool.split(), *arguments],
        cwd=folder,
        env=plain_environment(folder) | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    done.stdout = " ".join(done.stdout.split())
    return done


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
