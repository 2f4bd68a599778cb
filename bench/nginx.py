"""nginx, which sends files and nothing else: what this machine can do at all, and what the static tree comes to."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.countersign import Site
from bench.environments import ROOT
from bench.indexes import say
from bench.load import fetch
from bench.pages import ALL_FORMS, Beside, Page, Round, ask, in_turns, simple_pages
from bench.processes import Running, free_port, running

CONFIGURATION = ROOT / "deploy/nginx.conf"
MAIN = """\
daemon off;
pid {folder}/pid;
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
    include {folder}/server.conf;
}}
"""
PLAIN = """\
server {{
    listen 127.0.0.1:{port};
    root {files};
    sendfile on;
    tcp_nopush on;
    gzip_static on;
    gzip_proxied any;
    types {{ text/html html; application/vnd.pypi.simple.v1+json json; }}
}}
"""


def find_nginx() -> str | None:
    """Where the program is; Debian keeps it from the paths of users."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def measure(site: Site, folder: Path, rounds: Round) -> dict[str, Beside]:
    """Each page from the static tree, in turns with the same bytes as a plain file. site: does not run now."""
    say("nginx: static tree and plain files")
    tree, files = folder / "tree", folder / "plain"
    pages = simple_pages("/simple/", ALL_FORMS)
    with site.start() as ours:
        for page in pages:
            _write_plain(files, page, fetch(ours.url + page.path, page.headers)[0])
    site.flask("pages", "write", COUNTERSIGN_STATIC_DIR=str(tree))
    with _nginx(folder / "a", _plain, files) as plain, _nginx(folder / "b", _as_deployed, tree) as deployed:
        return {page.what: _beside(deployed, plain, page, rounds) for page in pages}


def _beside(tree: Running, plain: Running, page: Page, rounds: Round) -> Beside:
    as_file = Page(page.what, _filename(page), page.headers)
    ours, theirs = (fetch(one.url + each.path, page.headers)[0] for one, each in ((tree, page), (plain, as_file)))
    assert ours == theirs
    return in_turns(lambda: ask(tree, page, rounds.seconds), lambda: ask(plain, as_file, rounds.seconds), rounds)


def _filename(page: Page) -> str:
    return f"{page.path}index.{'json' if 'json' in page.headers['Accept'] else 'html'}"


def _write_plain(files: Path, page: Page, body: bytes) -> None:
    ending = ".gz" if "Accept-Encoding" in page.headers else ""
    path = files / (_filename(page).removeprefix("/") + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def _plain(port: int, files: Path) -> str:
    return PLAIN.format(port=port, files=files)


def _as_deployed(port: int, tree: Path) -> str:
    """`deploy/nginx.conf` with this machine's places in it, and without TLS."""
    text = CONFIGURATION.read_text(encoding="utf-8").replace("/srv/countersign/pages", str(tree))
    text = re.sub(r"^ *(listen \[::\].*|ssl_.*|)\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"listen 443 ssl(?: http2)?", f"listen 127.0.0.1:{port}", text)
    text = re.sub(r"listen 80\b", f"listen 127.0.0.1:{free_port()}", text)
    return text.replace("server_name index.example;", "server_name localhost 127.0.0.1;")


@contextmanager
def _nginx(folder: Path, configure: Callable[[int, Path], str], files: Path) -> Iterator[Running]:
    folder.mkdir(parents=True)
    port = free_port()
    user = "user root root;" if os.geteuid() == 0 else ""  # the temporary folder is for its user alone
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    (folder / "server.conf").write_text(configure(port, files))
    command = [str(find_nginx()), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    ready = "/simple/" if configure is _as_deployed else "/simple/index.html"
    with running(command, port, folder=folder, ready=ready) as server:
        yield server
