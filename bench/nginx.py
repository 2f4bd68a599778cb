"""nginx, which sends files and nothing else: what this machine can do at all, and what the static tree comes to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.countersign import Site
from bench.indexes import say
from bench.load import fetch
from bench.pages import ALL_FORMS, Beside, Page, Round, ask, in_turns, simple_pages
from bench.processes import Running, free_port, running
from tests.clients.nginx import adapted, on_ports, without_tls, write_configuration

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
    """`deploy/nginx.conf` with this machine's places in it, without TLS, and with no application behind it."""
    text = adapted(backend_port=free_port(), pages=tree, files=tree)
    return without_tls(on_ports(text, tls=port, plain=free_port()))


@contextmanager
def _nginx(folder: Path, configure: Callable[[int, Path], str], files: Path) -> Iterator[Running]:
    folder.mkdir(parents=True)
    port = free_port()
    command = write_configuration(folder, configure(port, files))
    ready = "/simple/" if configure is _as_deployed else "/simple/index.html"
    with running(command, port, folder=folder, ready=ready) as server:
        yield server
