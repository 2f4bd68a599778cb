"""What is measured of Countersign: the rows that every index has, each page beside its ceiling, and its bars."""

import time
from dataclasses import dataclass

from bench import bars, corpus, figures, indexes, table
from bench.bars import Verdict
from bench.countersign import Site
from bench.figures import Figures
from bench.indexes import Index, say
from bench.load import Load
from bench.pages import (
    ALL_FORMS,
    MANY,
    UNCHANGED,
    WITH_JSON,
    Beside,
    Page,
    Round,
    ask,
    beside_ceiling,
    simple_pages,
    unchanged,
)
from bench.processes import Running, memory_of_workers
from bench.table import Line
from bench.uploads import Desk

NAME = "Countersign"


@dataclass(frozen=True)
class Found:
    """Lines of the first table, figures of the second one, and verdicts."""

    lines: list[Line]
    figures: Figures
    verdicts: list[Verdict]


def measure_index(site: Site, token: str, rounds: Round) -> Found:
    """The rows that every index has."""
    say(f"{NAME}: start-up")
    seconds = indexes.start_often(site.start)
    with site.start() as server:
        index = Index(NAME, server, "/simple/", Desk("/legacy/", "__token__", token))
        time.sleep(1)  # until the second worker has loaded what it needs
        early = memory_of_workers(server.pid)
        pages = _beside_ceilings(server, site, rounds)
        seen = figures.median_load(_unchanged(index, rounds))
        say(f"{NAME}: downloads and uploads")
        wheel, heavy = indexes.downloads(index, rounds)
        uploads = indexes.time_all_uploads(index)
        late = memory_of_workers(server.pid)
    return Found(
        lines=[
            *(table.of_beside(what, found) for what, found in pages.items()),
            table.of_load(UNCHANGED, seen),
            table.of_load(indexes.WHEEL, wheel),
            *(table.of_uploads(what, each) for what, each in uploads.items()),
        ],
        figures={
            indexes.START: figures.of_seconds(seconds),
            indexes.MEMORY_EARLY: figures.of_memory(early),
            **{what: figures.of_load(found.page) for what, found in pages.items() if "gzip" not in what},
            indexes.WHEEL: figures.of_load(wheel),
            indexes.HEAVY: figures.of_stream(heavy),
            **{what: figures.of_uploads(each) for what, each in uploads.items()},
            indexes.MEMORY_LATE: figures.of_memory(late),
        },
        verdicts=[
            bars.judge_shares(
                "Of the constant route of its size, a page does",
                {what: found.share for what, found in pages.items()},
                bars.OF_CEILING,
            ),
            bars.judge_unchanged(seen),
            bars.judge_large(pages),
            bars.judge_upload(uploads[indexes.UPLOAD].p50_ms),
            bars.judge_start(seconds),
            bars.judge_memory(late),
        ],
    )


def measure_many(site: Site, rounds: Round) -> Found:
    """The root list of ten thousand projects."""
    pages = [Page(f"{MANY}, {form}", "/simple/", headers) for form, headers in WITH_JSON.items()]
    with site.start() as server:
        time.sleep(1)
        found = {page.what: beside_ceiling(server, page, site.ceilings, rounds) for page in pages}
    shares = {what: each.share for what, each in found.items()}
    return Found(
        lines=[table.of_beside(what, each) for what, each in found.items()],
        figures={what: figures.of_load(each.page) for what, each in found.items()},
        verdicts=[
            bars.judge_shares("Of the constant route of its size, a list of 10,000 does", shares, bars.OF_CEILING_MANY)
        ],
    )


def _beside_ceilings(server: Running, site: Site, rounds: Round) -> dict[str, Beside]:
    found = {}
    for page in simple_pages("/simple/", ALL_FORMS):
        say(f"{NAME}: {page.what}")
        found[page.what] = beside_ceiling(server, page, site.ceilings, rounds)
    return found


def _unchanged(index: Index, rounds: Round) -> list[Load]:
    page = unchanged(index.server, index.page(corpus.SMALL))
    return [ask(index.server, page, rounds.seconds) for _ in range(rounds.times)]
