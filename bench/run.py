"""`make bench`: starts a server of its own in a temporary folder, fills it, measures, prints a table, cleans up."""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

from bench.lists import judge_lists, time_lists
from bench.seed import Seeded, seed
from bench.sign_in import Verdict, judge_cost, judge_difference, milliseconds, time_refusals, time_sign_ins
from config import Settings
from domain.identity.passwords import HashCost, PasswordHasher

ROOT = Path(__file__).parent.parent
SECONDS = 4
CONNECTIONS = 8
DECISION_US = 100
STATEMENTS = 5
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    rate: str = ""
    p50: str = ""
    p99: str = ""


def main() -> int:
    """Measure everything once and print it; 1 if wrk is missing or one of the verdicts does not hold."""
    if shutil.which("wrk") is None:
        print("`make bench` needs wrk: apt-get install wrk")
        return 1
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder:
        port = _free_port()
        environ = _environment(Path(folder), port)
        upgrade = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
        subprocess.run(upgrade, env=environ, cwd=folder, check=True, capture_output=True)
        settings = Settings.from_environment(environ)
        hasher = PasswordHasher(HashCost(settings.hash_time_cost, settings.hash_memory_kib, 1))
        seeded = seed(settings)
        with _server(environ, port):
            lines = list(_measure(port))
            sign_ins, hashes = time_sign_ins(port, seeded.people, hasher)
            lists = time_lists(port, seeded.cookie)
            known, unknown = time_refusals(port, seeded.refused)
            uploads = [partial(_upload, port, seeded.authorization, kind, body) for kind, body in seeded.uploads]
            uploaded = [milliseconds(upload) for upload in uploads]
    lines += [
        _line("sign-in: both pages, password and code", sign_ins),
        _line("one Argon2id hash, in process", hashes),
        _line("sign-in refused, of a username that exists", known),
        _line("sign-in refused, of one that does not", unknown),
        _line("upload of a 20 kB wheel", uploaded),
        *(_line(what, took) for what, took in lists.items()),
        Line("one decision of the gate, in process", p50=f"{seeded.decision_us:.1f} µs"),
        Line("SQL statements before a gated page is entered", p50=str(seeded.statements)),
    ]
    _print(lines)
    verdicts = [_judge_gate(seeded), judge_cost(sign_ins, hashes), judge_difference(known, unknown), judge_lists(lists)]
    print("\n".join(verdict.words for verdict in verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _judge_gate(seeded: Seeded) -> Verdict:
    is_quick = seeded.decision_us < DECISION_US and seeded.statements < STATEMENTS
    words = f"The gate is {'within' if is_quick else 'OVER'} {DECISION_US} µs and {STATEMENTS - 1} statements."
    return Verdict(is_quick, words)


def _measure(port: int) -> Iterator[Line]:
    yield _wrk("a constant page of 4 kB on the same server: the ceiling", port, "/_ceiling/")
    yield _wrk("`/simple/small/`, 10 files", port, "/simple/small/")
    yield _wrk("`/simple/large/`, 1,000 files", port, "/simple/large/")
    yield _wrk("`/simple/large/`, 1,000 files, JSON", port, "/simple/large/", accept=JSON)
    yield _wrk("project page, 10 releases", port, "/project/small/")


def _print(lines: list[Line]) -> None:
    print(
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, SQLite; gunicorn with 2 processes of 8 threads, and "
        f"wrk -t1 -c{CONNECTIONS} -d{SECONDS}s beside it on the same machine\n"
    )
    rows = [("", "requests/s", "p50", "p99"), *((line.what, line.rate, line.p50, line.p99) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    padded = [[cell.ljust(widths[0]) if not i else cell.rjust(widths[i]) for i, cell in enumerate(row)] for row in rows]
    padded.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    print("\n".join(f"| {' | '.join(row)} |" for row in padded), end="\n\n")


def _wrk(what: str, port: int, path: str, *, accept: str = "text/html") -> Line:
    url = f"http://127.0.0.1:{port}{path}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout=30s", "--latency"]
    command += ["-H", f"Accept: {accept}", url]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    found = re.findall(r"^ +(50|99)% +([\d.]+)(\w+) *$", out, re.MULTILINE)
    latency = {share: f"{value} {unit}" for share, value, unit in found}
    if "Non-2xx" in out or "Socket errors" in out or rate is None:
        sys.exit(f"{path} did not answer every request with 200:\n{out}")
    return Line(what, f"{float(rate[1]):,.0f}", latency["50"], latency["99"])


def _line(what: str, took: list[float]) -> Line:
    """Of milliseconds, one after another; instead of the 99th percentile of so few, the slowest."""
    rate = 1_000 / statistics.mean(took)
    return Line(what, f"{rate:,.1f}", f"{statistics.median(took):.1f} ms", f"slowest {max(took):.1f} ms")


def _upload(port: int, authorization: str, content_type: str, body: bytes) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/legacy/", body, {"Content-Type": content_type, "Authorization": authorization})
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == 200, (answer.status, answer.reason, said)
    connection.close()


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Nothing of the index that this machine may have: no variable of ours, and a folder without a `.env`."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
    return {
        **others,
        "PYTHONPATH": str(ROOT),
        "COUNTERSIGN_DATA_DIR": str(folder),
        "COUNTERSIGN_PUBLIC_URL": f"http://localhost:{port}",
        "COUNTERSIGN_PORT": str(port),
        "COUNTERSIGN_TRUSTED_PROXIES": "1",  # so that refused sign-ins can come from addresses of their own
    }


@contextmanager
def _server(environ: dict[str, str], port: int) -> Iterator[None]:
    config = ROOT / "deploy/gunicorn.py"
    command = [sys.executable, "-m", "gunicorn", "--config", str(config), "--log-level", "warning"]
    process = subprocess.Popen(
        [*command, "bench.server:application"],
        env=environ,
        cwd=environ["COUNTERSIGN_DATA_DIR"],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until it answers, and a second longer, so that both processes have loaded what they need."""
    for _ in range(300):
        try:
            with urlopen(f"http://127.0.0.1:{port}/_health/", timeout=30):
                _wrk("warm up", port, "/_health/")
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    sys.exit("The server did not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
