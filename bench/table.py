"""Tables as Markdown, aligned so that they can be read where they are printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Figures, cpu_time
from bench.load import Load
from bench.pages import Beside
from bench.uploads import Uploads


@dataclass(frozen=True)
class Line:
    """One line of the first table. share: of what its ceiling did."""

    what: str
    rate: str = ""
    p50: str = ""
    p99: str = ""
    cpu: str = ""
    share: str = ""


def of_load(what: str, load: Load, share: str = "") -> Line:
    """A page, asked for by several at once."""
    rate = f"{load.rate:,.0f}" if load.rate >= 10 else f"{load.rate:,.1f}"
    return Line(what, rate, f"{load.p50_ms:.2f} ms", f"{load.p99_ms:.1f} ms", cpu_time(load), share)


def of_beside(what: str, found: Beside) -> Line:
    """A page with its share of the ceiling."""
    return of_load(what, found.page, f"{found.share:.0%}")


def of_uploads(what: str, found: Uploads) -> Line:
    """Uploads, one after another; instead of the 99th percentile of so few, the 95th."""
    rate = f"{1_000 / found.p50_ms:,.0f}"
    return Line(what, rate, f"{found.p50_ms:.1f} ms", f"p95 {found.p95_ms:.1f} ms", f"{found.cpu_ms:.1f} ms")


def lines_as_markdown(lines: Sequence[Line]) -> str:
    """The first table: Countersign alone."""
    head = ("", "requests/s", "p50", "p99", "CPU per request", "of the ceiling")
    rows = [(line.what, line.rate, line.p50, line.p99, line.cpu, line.share) for line in lines]
    return markdown([head, *rows])


def beside_as_markdown(servers: Mapping[str, Figures]) -> str:
    """The second one: every row of the first server, and what the others did in it."""
    first = next(iter(servers.values()))
    rows = [(row, *(found[row].text if row in found else "–" for found in servers.values())) for row in first]
    return markdown([("", *servers), *rows])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """The first row is the head; the first column stands to the left and all others to the right."""
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    padded = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    for cells, row in zip(padded, rows, strict=True):
        cells[0] = row[0].ljust(widths[0])
    padded.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)
