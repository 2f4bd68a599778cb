"""Countersign as an operator runs it: a folder, the `flask` command, and gunicorn on a port of this machine."""

import re
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from adapters.clock import SettableClock
from app import create_app
from domain.policy.principals import Grant
from tests.builders import People
from tests.clients.tools import plain_environment
from tests.conftest import settings_for

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 30  # seconds


class Installation:
    """An index in an empty folder, with settings from the environment alone.

    settings: further ones, by their whole names.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://localhost:{self.port}"
        self.database = folder / "instance" / "countersign.sqlite3"
        self._log = folder / "log.txt"
        self._environment = {
            **plain_environment(folder),
            "FLASK_APP": "wsgi",
            "FLASK_SKIP_DOTENV": "1",
            "COUNTERSIGN_DATA_DIR": str(folder / "instance"),
            "COUNTERSIGN_PUBLIC_URL": self.url,
            "COUNTERSIGN_PORT": str(self.port),
            **settings,
        }
        self.flask("db", "upgrade")
        self._server = self._serve()

    def flask(self, *arguments: str) -> str:
        """What a command of the operator prints."""
        command = [sys.executable, "-m", "flask", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def link_mailed_to(self, address: str) -> str:
        """The link in the newest mail to an address, as the operator reads it."""
        [number, *_] = re.findall(rf"^ *(\d+) .* {re.escape(address)} ", self.flask("mail", "list"), re.MULTILINE)
        [link, *_] = re.findall(rf"{re.escape(self.url)}/\S+", self.flask("mail", "show", number))
        return str(link)

    def log(self) -> str:
        """All that the server has written so far, to either of its outputs."""
        return self._log.read_text()

    def peak_mb(self) -> float:
        """The most memory that one of its processes has ever held, in MB, as Linux counts it."""
        processes = [path.read_text() for path in Path("/proc").glob("[0-9]*/status")]
        ours = [text for text in processes if f"\nPPid:\t{self._server.pid}\n" in text]
        return max(int(re.findall(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)[0]) for text in ours) * 1024 / 10**6

    def workers(self) -> list[int]:
        """The processes that serve now."""
        children = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text()
        return [int(word) for word in children.split()]

    def a_token(self, folder: Path, *, grants: tuple[Grant, ...] = (Grant.UPLOAD,)) -> str:
        """A token of Ana's for all her projects, put into the server's database beside it."""
        app = create_app(settings_for(folder, database_url=f"sqlite:///{self.database}"))
        with app.app_context():
            people = People(app, SettableClock(datetime.now(UTC)))
            return people.a_token(people.a_member("ana"), grants=grants)[1]

    def stop(self) -> None:
        """Stop the server."""
        self._server.terminate()
        self._server.wait(timeout=STARTS_WITHIN)

    def _serve(self) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.py"]
            server = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT)
        gives_up_at = time.monotonic() + STARTS_WITHIN
        while not self._is_ready():
            assert server.poll() is None, self._log.read_text()
            assert time.monotonic() < gives_up_at, self._log.read_text()
            time.sleep(0.1)
        return server

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_health/ready/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
