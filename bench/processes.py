"""Servers as processes: started and stopped, timed until they answer, and asked what CPU time and memory they take."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

STARTS_WITHIN = 60  # seconds
STOPS_WITHIN = 30
TICKS = os.sysconf("SC_CLK_TCK")


class NotStarted(Exception):
    """A server ended before it answered, or did not answer in time."""


@dataclass(frozen=True)
class Running:
    """A server that answers. started_in: seconds until it did. pid: the first of its processes."""

    port: int
    pid: int
    started_in: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Memory:
    """Of one process, in MB of a million bytes. pss: what is shared with others counts in parts."""

    rss: float
    pss: float


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    *,
    folder: Path,
    ready: str,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Start a server and stop it at the end. ready: the path that it has to answer first. folder: where it runs.

    Raises NotStarted with what it said.
    """
    log = folder / f"log-{port}.txt"
    started = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=subprocess.STDOUT)
    try:
        while not _answers(port, ready):
            if process.poll() is not None or time.perf_counter() - started > STARTS_WITHIN:
                raise NotStarted(log.read_text(errors="replace")[-2_000:])
            time.sleep(0.005)
        yield Running(port, process.pid, time.perf_counter() - started)
    finally:
        _stop(process)


def cpu_seconds_of_each(pid: int) -> dict[int, float]:
    """CPU time that a process and its descendants took so far, in the kernel and outside of it; itself first."""
    return {one: _ticks(one) / TICKS for one in _family(pid)}


def cpu_seconds(pid: int) -> float:
    """The same of all of them together."""
    return sum(cpu_seconds_of_each(pid).values())


def memory_of_workers(pid: int) -> list[Memory]:
    """Of the processes that do the work: the descendants of a server, or itself if it has none."""
    family = _family(pid)
    return [_memory(one) for one in family[1:] or family]


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=STARTS_WITHIN)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return answer.status == 200


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _family(pid: int) -> list[int]:
    """The process and its descendants, itself first."""
    family = [pid]
    for one in family:
        family += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
    return family


def _ticks(pid: int) -> int:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def _memory(pid: int) -> Memory:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rss, pss = (int(kib) * 1024 / 1e6 for kib in re.findall(r"^(?:Rss|Pss): +(\d+) kB", text, re.MULTILINE))
    return Memory(rss, pss)
