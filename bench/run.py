"""`make bench`: starts servers of its own in a temporary folder, fills them, measures, prints tables, cleans up."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import bars, environments, figures, nginx, ours, peers, table
from bench.bars import Verdict
from bench.countersign import Site, set_up
from bench.environments import NotInstalled
from bench.figures import Figures
from bench.indexes import say
from bench.load import CONNECTIONS, LoadError
from bench.ours import Found
from bench.pages import Round
from bench.people import measure_people
from bench.processes import NotStarted
from bench.seed import seed, seed_many_projects
from tests.clients.nginx import CONFIGURATION, find_nginx

TROUBLE = (NotInstalled, NotStarted, LoadError)  # of somebody else's server; the others are measured nevertheless


def main() -> int:
    """Measure everything once and print it; 1 if wrk is missing or one of the bars is not reached."""
    options = _options()
    if shutil.which("wrk") is None:
        print("`make bench` needs wrk: apt-get install wrk")
        return 1
    rounds = Round(options.seconds, options.rounds)
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as text:
        folder = Path(text)
        site = set_up(folder / "countersign", environments.of_countersign())
        seeded = seed(site.settings())
        found = [ours.measure_index(site, seeded.token, rounds)]
        beside, left_out, verdicts = _with_nginx(site, folder / "nginx", rounds)
        if options.people:
            found.append(measure_people(site, seeded, rounds))
        say("Ten thousand projects")
        seed_many_projects(site.settings())
        found.append(ours.measure_many(site, rounds))
        others, more_left_out = _peers(folder, rounds) if options.peers else ({}, ["devpi and pypiserver"])
    _print(rounds, found, others, beside)
    if others:
        verdicts.append(bars.judge_peers(_figures(found), others))
    return _tell([*(one for each in found for one in each.verdicts), *verdicts], [*left_out, *more_left_out])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description="Measure Countersign on this machine.")
    parser.add_argument("--without-peers", dest="peers", action="store_false", help="leave devpi and pypiserver out")
    parser.add_argument("--without-people", dest="people", action="store_false", help="leave sign-in and lists out")
    parser.add_argument("--seconds", type=int, default=2, help="of each round of wrk")
    parser.add_argument("--rounds", type=int, default=3, help="of each page; the median counts")
    return parser.parse_args()


def _with_nginx(site: Site, folder: Path, rounds: Round) -> tuple[dict[str, Figures], list[str], list[Verdict]]:
    """Figures of nginx, what was left out and why, and the bar of the static tree."""
    if find_nginx() is None:
        return {}, ["nginx: it is not installed"], []
    if not CONFIGURATION.exists():
        return {}, ["nginx: there is no deploy/nginx.conf"], []
    pages = nginx.measure(site, folder, rounds)
    shares = {what: each.share for what, each in pages.items()}
    columns = {
        "static tree": {what: figures.of_load(each.page) for what, each in pages.items()},
        "plain files": {what: figures.of_load(each.other) for what, each in pages.items()},
    }
    return (
        columns,
        [],
        [bars.judge_shares("Of nginx on plain files, the static tree does", shares, bars.OF_PLAIN_FILES)],
    )


def _peers(folder: Path, rounds: Round) -> tuple[dict[str, Figures], list[str]]:
    """Figures of each that could be measured, and what was left out and why."""
    measures: dict[str, Callable[[Path, Round], Figures]] = {
        peers.DEVPI: peers.measure_devpi,
        peers.PYPISERVER: partial(peers.measure_pypiserver, in_docker=False),
        peers.IN_DOCKER: partial(peers.measure_pypiserver, in_docker=True),
    }
    found, left_out = {}, []
    for name, measure in measures.items():
        try:
            found[name] = measure(folder, rounds)
        except TROUBLE as trouble:
            left_out.append(f"{name}: {trouble}")
    return found, left_out


def _print(rounds: Round, found: list[Found], others: dict[str, Figures], beside: dict[str, Figures]) -> None:
    print(
        f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}, SQLite; gunicorn with 2 processes of 8 threads. "
        f"Beside it wrk -t1 -c{CONNECTIONS} -d{rounds.seconds}s, the median of {rounds.times} rounds\n"
    )
    print(table.lines_as_markdown([line for each in found for line in each.lines]), end="\n\n")
    print(table.beside_as_markdown({ours.NAME: _figures(found), **others, **beside}), end="\n\n")


def _figures(found: list[Found]) -> Figures:
    return {row: figure for each in found for row, figure in each.figures.items()}


def _tell(verdicts: list[Verdict], left_out: list[str]) -> int:
    for verdict in verdicts:
        print(f"{'met' if verdict.holds else 'MISSED'}: {verdict.words}")
    for words in left_out:
        print(f"not measured: {words}")
    return 0 if all(verdict.holds for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
