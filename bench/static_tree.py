"""How fast nginx sends simple pages from the static tree, beside plain files of the same bytes in the same run."""

import hashlib
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.static_tree import FILES, PageFile, StaticTree
from domain.index.codings import Coding, encode
from domain.index.simple import SimpleFile, project_json
from models.release import download_path
from tests.clients.nginx import Nginx, find_nginx, free_port

PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"  # pip 26
CODINGS = {"plain": ("identity", ""), "gzip": ("gzip", ".gz")}
SECONDS, TIMES, CONNECTIONS = 3, 5, 8
LEAST_SHARE = 0.9
PLAIN = "server {{ listen 127.0.0.1:{port}; sendfile on; tcp_nopush on; root {root}; }}\n"


@dataclass(frozen=True)
class Row:
    """One page in one coding. tree, plain: requests per second, the median of several runs that took turns."""

    what: str
    size_bytes: int
    tree: float
    plain: float

    @property
    def share(self) -> float:
        """Of what nginx does with a plain file."""
        return self.tree / self.plain


def rows(pages: Mapping[str, bytes]) -> list[Row]:
    """Measure pages of these names and bytes. Needs nginx and wrk; takes half a minute for each page."""
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as name:
        folder, port = Path(name), free_port()
        tree = StaticTree(folder / "pages", for_members=False)
        for page, body in pages.items():
            _write(tree, folder, page, body)
        nginx = Nginx(folder / "nginx")
        beside = PLAIN.format(port=port, root=folder)
        nginx.start(backend_port=free_port(), pages=folder / "pages", files=folder, beside=beside)
        try:
            return [
                _row(page, coding, folder, f"{nginx.url}/simple/{page}/", f"http://localhost:{port}/{page}")
                for page in pages
                for coding in CODINGS
            ]
        finally:
            nginx.stop()


def _write(tree: StaticTree, folder: Path, page: str, body: bytes) -> None:
    packed = {"": body, ".gz": encode(body, Coding.GZIP).body, ".br": encode(body, Coding.BROTLI).body}
    tree.put(page, {name: PageFile(packed[re.sub(r"index\.\w+", "", name)], stamp=1) for name in FILES})
    for _, ending in CODINGS.values():
        (folder / f"{page}{ending}").write_bytes(packed[ending])


def _row(page: str, coding: str, folder: Path, tree: str, plain: str) -> Row:
    accepted, ending = CODINGS[coding]
    taken = [(_rate(tree, accepted), _rate(f"{plain}{ending}", accepted)) for _ in range(TIMES)]
    by_tree, by_plain = (statistics.median(each) for each in zip(*taken, strict=True))
    return Row(f"{page}, {coding}", (folder / f"{page}{ending}").stat().st_size, by_tree, by_plain)


def _rate(url: str, accept_encoding: str) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Accept: {PIP}"]
    command += ["-H", f"Accept-Encoding: {accept_encoding}", url]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    if "Non-2xx" in out or "Socket errors" in out or found is None:
        sys.exit(f"{url} did not answer every request with 200:\n{out}")
    return float(found[1])


def _page(count: int) -> bytes:
    """A page of so many files, with digests that cannot be packed any smaller."""
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    names = [f"acme_utils-1.{number}-py3-none-any.whl" for number in range(count)]
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    files = [
        SimpleFile(
            filename=name,
            version=f"1.{number}",
            url=download_path(digest, name),
            sha256=digest,
            size_bytes=20_000 + number,
            uploaded_at=moment,
            metadata_sha256=digest[::-1],
        )
        for number, (name, digest) in enumerate(zip(names, digests, strict=True))
    ]
    return project_json("acme-utils", files).body


if __name__ == "__main__":
    if find_nginx() is None:
        sys.exit("This needs nginx and wrk: apt-get install nginx wrk")
    for row in rows({f"files-{count}": _page(count) for count in (10, 1_000)}):
        print(
            f"{row.what:<18} {row.size_bytes:>9,} bytes {row.tree:>9,.0f} /s of {row.plain:>9,.0f} /s: {row.share:.0%}"
        )
