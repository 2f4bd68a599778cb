"""Countersign as a server of its own, in a temporary folder, as `make run` starts it; with the ceilings beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.environments import ROOT
from bench.processes import Running, free_port, running
from bench.server import CEILINGS
from config import Settings


@dataclass(frozen=True)
class Site:
    """One index. folder: where its data lies. programs: of the environment that it runs in. more: further settings."""

    folder: Path
    programs: Path
    more: Mapping[str, str]

    @property
    def ceilings(self) -> Path:
        """Where what the ceilings answer is put."""
        return self.folder / "ceilings"

    def environ(self, port: int) -> dict[str, str]:
        """Nothing of an index that this machine may have: no variable of ours, and a folder without a `.env`."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
        return {
            **others,
            "PYTHONPATH": str(ROOT),
            CEILINGS: str(self.ceilings),
            "COUNTERSIGN_DATA_DIR": str(self.folder),
            "COUNTERSIGN_PUBLIC_URL": f"http://localhost:{port}",
            "COUNTERSIGN_PORT": str(port),
            "COUNTERSIGN_TRUSTED_PROXIES": "1",  # so that refused sign-ins can come from addresses of their own
            **self.more,
        }

    def settings(self) -> Settings:
        """For filling it from here while no server runs."""
        return Settings.from_environment(self.environ(free_port()))

    def flask(self, *arguments: str, **more: str) -> None:
        """Run one of its commands. more: settings for it."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        environ = {**self.environ(free_port()), **more}
        subprocess.run(command, env=environ, cwd=self.folder, check=True, capture_output=True)

    @contextmanager
    def start(self) -> Iterator[Running]:
        """Serve it until the end of the block."""
        port = free_port()
        command = [str(self.programs / "python"), "-m", "gunicorn", "--config", str(ROOT / "deploy/gunicorn.py")]
        command += ["--log-level", "warning", "bench.server:application"]
        environ = self.environ(port)
        with running(command, port, folder=self.folder, ready="/simple/", environ=environ) as server:
            yield server


def set_up(folder: Path, programs: Path, **more: str) -> Site:
    """A new index, with its tables."""
    site = Site(folder, programs, more)
    site.ceilings.mkdir(parents=True)
    site.flask("db", "upgrade")
    return site
