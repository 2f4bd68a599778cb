"""What was measured of one server, row by row, so that servers can be compared."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from bench.load import Load
from bench.processes import Memory
from bench.uploads import Uploads


@dataclass(frozen=True)
class Figure:
    """What stands in a table. costs: what of it can be compared; the less, the better."""

    text: str
    costs: tuple[float, ...]

    def is_ahead_of(self, other: "Figure") -> bool:
        """Whether no part of it is dearer."""
        return all(own <= theirs for own, theirs in zip(self.costs, other.costs, strict=True))


Figures = dict[str, Figure]  # by row


def of_load(load: Load) -> Figure:
    """A page: requests a second, and CPU time of each."""
    return Figure(f"{load.rate:,.0f}/s · {cpu_time(load)}", (1 / load.rate, load.cpu_ms))


def cpu_time(load: Load) -> str:
    """Milliseconds of CPU time, of small ones the thousandths too."""
    return f"{load.cpu_ms:.3f} ms" if load.cpu_ms < 0.1 else f"{load.cpu_ms:.2f} ms"


def of_stream(load: Load) -> Figure:
    """A large file: how many bytes a second."""
    return Figure(f"{load.bytes_per_second / 1e6:,.0f} MB/s", (1 / load.bytes_per_second,))


def of_uploads(uploads: Uploads) -> Figure:
    """Uploads: the median and the slowest but a twentieth."""
    return Figure(f"{uploads.p50_ms:.1f} / {uploads.p95_ms:.1f} ms", (uploads.p50_ms, uploads.p95_ms))


def of_seconds(seconds: float) -> Figure:
    """A time."""
    return Figure(f"{seconds:.2f} s", (seconds,))


def of_memory(workers: Iterable[Memory]) -> Figure:
    """The worker that holds most."""
    most = max(workers, key=lambda each: each.rss)
    return Figure(f"{most.rss:.0f} / {most.pss:.0f} MB", (most.rss,))


def median_load(loads: list[Load]) -> Load:
    """Each figure's median by itself."""
    return Load(
        rate=statistics.median(each.rate for each in loads),
        p50_ms=statistics.median(each.p50_ms for each in loads),
        p99_ms=statistics.median(each.p99_ms for each in loads),
        bytes_per_second=statistics.median(each.bytes_per_second for each in loads),
        cpu_ms=statistics.median(each.cpu_ms for each in loads),
    )
