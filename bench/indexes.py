"""What is measured alike on every index: start-up, memory, pages, downloads and uploads."""

import statistics
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPConnection

from bench import corpus, figures, uploads
from bench.load import Load, ask_often, file_address
from bench.pages import Round
from bench.processes import Running
from bench.uploads import Desk, Parcel

STARTS = 3
UPLOADS = 200
INTO_LARGE = 50
START, MEMORY_EARLY, MEMORY_LATE = (
    "start-up to the first answer",
    "memory of a worker at first",
    "memory of a worker after all this",
)
WHEEL, HEAVY = "wheel of 20 kB", "file of 50 MB"
UPLOAD, UPLOAD_ANEW = "upload of 20 kB", "upload of 20 kB, each over a new connection"
UPLOAD_READ, UPLOAD_LARGE = "upload of 20 kB while four others read", "upload of 20 kB as the 1,001st file"

Start = Callable[[], AbstractContextManager[Running]]


@dataclass(frozen=True)
class Index:
    """A server with the corpus on it. simple: the path of its root list."""

    name: str
    server: Running
    simple: str
    desk: Desk

    def page(self, project: str) -> str:
        """The path of a project's page."""
        return f"{self.simple}{project}/"


def say(words: str) -> None:
    """Tell whoever waits what is under way."""
    print(words, file=sys.stderr, flush=True)


def start_often(start: Start) -> float:
    """The median of the seconds that a server takes until it answers for the first time."""
    took = []
    for _ in range(STARTS):
        with start() as server:
            took.append(server.started_in)
    return statistics.median(took)


def downloads(index: Index, rounds: Round) -> tuple[Load, Load]:
    """A small wheel and a large file, both handed in first."""
    heavy, version = corpus.heavy_wheel(), "1.99"
    wheel = corpus.wheel(corpus.UPLOADED[0], version, corpus.WHEEL_BYTES)
    connection = HTTPConnection("127.0.0.1", index.server.port, timeout=120)
    for name, its_version, each in ((corpus.UPLOADED[0], version, wheel), (corpus.HEAVY, "2.0", heavy)):
        uploads.hand_in(connection, index.desk, uploads.parcel(name, its_version, each))
    connection.close()
    pid, url = index.server.pid, index.server.url
    small = file_address(url + index.page(corpus.UPLOADED[0]), wheel.filename)
    large = file_address(url + index.page(corpus.HEAVY), heavy.filename)
    loads = [ask_often(small, pid, seconds=rounds.seconds) for _ in range(rounds.times)]
    streams = [ask_often(large, pid, seconds=rounds.seconds, connections=1) for _ in range(rounds.times)]
    return figures.median_load(loads), figures.median_load(streams)


def time_all_uploads(index: Index) -> dict[str, uploads.Uploads]:
    """Uploads alone over one connection and over many, beside readers, and to a project that has very many files."""
    pages = [index.simple, index.page(corpus.SMALL), index.page(corpus.LARGE)]
    found = {
        UPLOAD: uploads.time_uploads(index.server, index.desk, _parcels(2), keeps_connection=True),
        UPLOAD_ANEW: uploads.time_uploads(index.server, index.desk, _parcels(3), keeps_connection=False),
    }
    with uploads.readers(index.server, pages):
        found[UPLOAD_READ] = uploads.time_uploads(index.server, index.desk, _parcels(4), keeps_connection=True)
    into_large = [_parcel(corpus.LARGE, f"2.{number}") for number in range(INTO_LARGE)]
    found[UPLOAD_LARGE] = uploads.time_uploads(index.server, index.desk, into_large, keeps_connection=True)
    return found


def _parcels(series: int) -> list[Parcel]:
    """One for each version of projects that take turns. series: the first number of every version."""
    names = corpus.UPLOADED
    return [_parcel(names[number % len(names)], f"{series}.{number // len(names)}") for number in range(UPLOADS)]


def _parcel(name: str, version: str) -> Parcel:
    return uploads.parcel(name, version, corpus.wheel(name, version, corpus.WHEEL_BYTES))
