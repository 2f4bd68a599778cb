"""The real nginx with `deploy/nginx.conf`, on ports of this machine and without TLS."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from bench.processes import free_port

CONFIGURATION = Path(__file__).parents[2] / "deploy/nginx.conf"
STARTS_WITHIN = 20  # seconds
MAIN = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/countersign.conf;
}}
"""


def find_nginx() -> str | None:
    """Where the program is; Debian keeps it from the paths of users."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


class Nginx:
    """Answers at `url` once it was started."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port, self.http_port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, backend_port: int, pages: Path, files: Path, beside: str = "") -> None:
        """Hand on to the application at that port, and return when somebody can call.

        pages, files: COUNTERSIGN_STATIC_DIR, and the folder of the storage. beside: a further server, in nginx's words.
        """
        text = adapted(backend_port=backend_port, pages=pages, files=files)
        text = without_tls(on_ports(text, tls=self.port, plain=self.http_port))
        self._process = subprocess.Popen(write_configuration(self._folder, text + beside))
        gives_up_at = time.monotonic() + STARTS_WITHIN
        while not self._listens():
            assert self._process.poll() is None, self.errors()
            assert time.monotonic() < gives_up_at, self.errors()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=STARTS_WITHIN)

    def errors(self) -> str:
        """What it has complained of."""
        log = self._folder / "error.log"
        return log.read_text() if log.exists() else ""

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def write_configuration(folder: Path, servers: str) -> list[str]:
    """Put these servers, in nginx's words, into a folder, and return the command that runs them."""
    user = "user root root;" if os.geteuid() == 0 else ""  # such folders are for their user alone
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    (folder / "countersign.conf").write_text(servers)
    return [str(find_nginx()), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def adapted(*, backend_port: int, pages: Path, files: Path) -> str:
    """The configuration with this machine's places in it, as an operator puts them there."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    places = {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{backend_port};",
        "/srv/countersign/pages": str(pages),
        "/srv/countersign/files": str(files),
        "server_name index.example;": "server_name localhost 127.0.0.1;",
    }
    for example, place in places.items():
        assert example in text, f"deploy/nginx.conf does not say {example!r} any more"
        text = text.replace(example, place)
    return text


def on_ports(text: str, *, tls: int, plain: int) -> str:
    """On ports that need no privilege and disturb nobody, and not on IPv6, which not every machine has."""
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"listen 443\b", f"listen 127.0.0.1:{tls}", text)
    return re.sub(r"listen 80\b", f"listen 127.0.0.1:{plain}", text)


def without_tls(text: str) -> str:
    """For clients that would have to be told whom to trust."""
    text = re.sub(r"^ *ssl_.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"(listen [\d.:]+) ssl(?: http2)?", r"\1", text)
