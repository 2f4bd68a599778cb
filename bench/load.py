"""What a server does under load: wrk asks for a fixed time, and the kernel says what CPU time that took."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from urllib.parse import urljoin, urlsplit

from bench.processes import cpu_seconds_of_each

CONNECTIONS = 8
TRIES = 5
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}
BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
JSON = "application/vnd.pypi.simple.v1+json"


class LoadError(Exception):
    """wrk could not do what it was asked for, or the server refused."""


@dataclass(frozen=True)
class Load:
    """How a server answered one request, sent again and again. cpu_ms: CPU time of all its processes for each."""

    rate: float
    p50_ms: float
    p99_ms: float
    bytes_per_second: float
    cpu_ms: float = 0.0


def ask_often(
    url: str, pid: int, *, seconds: int, headers: Mapping[str, str] | None = None, connections: int = CONNECTIONS
) -> Load:
    """Have wrk ask for this page all the time. pid: the first of the server's processes. Raises LoadError.

    Which of its processes takes a connection is for the kernel to say, and now and then one takes them all: its threads
    then wait for each other's interpreter at twice the CPU time. Such a round is run again, a few times at most.
    """
    load, spent = _round(url, pid, seconds, headers or {}, connections)
    for _ in range(TRIES):
        if connections == 1 or is_shared(spent[1:]):
            break
        load, spent = _round(url, pid, seconds, headers or {}, connections)
    return load


def _round(
    url: str, pid: int, seconds: int, headers: Mapping[str, str], connections: int
) -> tuple[Load, Sequence[float]]:
    """One round, and the CPU time that each process took for it."""
    before = cpu_seconds_of_each(pid)
    found, requests = read_wrk(_wrk(url, seconds, headers, connections))
    spent = [after - before.get(one, 0.0) for one, after in cpu_seconds_of_each(pid).items()]
    cpu_ms = sum(spent) / requests * 1_000
    return Load(found.rate, found.p50_ms, found.p99_ms, found.bytes_per_second, cpu_ms), spent


def is_shared(spent: Sequence[float]) -> bool:
    """Whether each process had a part of the work. spent: their CPU time."""
    return not spent or min(spent) >= 0.2 * max(spent)


def read_wrk(text: str) -> tuple[Load, int]:
    """What wrk printed, without CPU time, and how many requests were answered. Raises LoadError."""
    requests = re.search(r"^ +(\d+) requests in", text, re.MULTILINE)
    rate = re.search(r"^Requests/sec: +([\d.]+)", text, re.MULTILINE)
    moved = re.search(r"^Transfer/sec: +([\d.]+)([KMG]?B)", text, re.MULTILINE)
    latency = {share: _milliseconds(value) for share, value in re.findall(r"^ +(50|99)% +(\S+) *$", text, re.MULTILINE)}
    if "Non-2xx" in text or requests is None or not int(requests[1]) or rate is None or moved is None:
        raise LoadError(text)
    transferred = float(moved[1]) * BYTES[moved[2]]
    return Load(float(rate[1]), latency["50"], latency["99"], transferred), int(requests[1])


def fetch(url: str, headers: Mapping[str, str] | None = None) -> tuple[bytes, HTTPMessage]:
    """The body as it comes, packed or not, and its headers. Raises LoadError where the answer is no 200 or 304."""
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        connection.request("GET", parts.path, headers=dict(headers or {}))
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status not in (200, 304):
        raise LoadError(f"{url}: {answer.status} {answer.reason}")
    return body, answer.headers


def file_address(page: str, filename: str) -> str:
    """Where a simple page in HTML says that a file lies."""
    found = re.search(rf'href="([^"#]+/{re.escape(filename)})', fetch(page)[0].decode())
    if found is None:
        raise LoadError(f"{page} does not list {filename}")
    address: str = found[1]
    return urljoin(page, address)


def _wrk(url: str, seconds: int, headers: Mapping[str, str], connections: int) -> str:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=60s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    return subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout


def _milliseconds(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if found is None:
        raise LoadError(f"wrk took {text}")
    return float(found[1]) * MILLISECONDS[found[2]]
