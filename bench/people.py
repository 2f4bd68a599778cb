"""What people wait for: signing in, being refused, long lists, and what the gate costs before a page."""

import statistics

from bench.bars import Verdict
from bench.countersign import Site
from bench.indexes import say
from bench.lists import judge_lists, time_lists
from bench.load import fetch
from bench.mint import judge_mints, time_mints
from bench.ours import NAME, Found
from bench.pages import Page, Round, ask
from bench.seed import Seeded, seed_very_much
from bench.sign_in import judge_cost, judge_difference, time_refusals, time_sign_ins
from bench.table import Line, of_load
from domain.identity.passwords import HashCost, PasswordHasher

DECISION_US = 100
STATEMENTS = 5
WARM_UP = 8  # pages, so that both processes have read the templates


def measure_people(site: Site, seeded: Seeded, rounds: Round) -> Found:
    """Measured after all that needs a root list of five hundred."""
    say(f"{NAME}: signing in and long lists")
    settings = site.settings()
    hasher = PasswordHasher(HashCost(settings.hash_time_cost, settings.hash_memory_kib, 1))
    cookie = seed_very_much(settings)
    with site.start() as server:
        page = Page("project page, 10 releases", "/project/small/")
        for _ in range(WARM_UP):
            fetch(server.url + page.path)
        load = ask(server, page, rounds.seconds)
        sign_ins, hashes = time_sign_ins(server.port, seeded.people, hasher)
        lists = time_lists(server.port, cookie)
        known, unknown = time_refusals(server.port, seeded.refused)
    minted = time_mints(site)
    lines = [
        of_load(page.what, load),
        one_by_one("sign-in: both pages, password and code", sign_ins),
        one_by_one("one Argon2id hash, in process", hashes),
        one_by_one("sign-in refused, of a username that exists", known),
        one_by_one("sign-in refused, of one that does not", unknown),
        *(one_by_one(what, took) for what, took in lists.items()),
        one_by_one("a CI job's token, keys known", minted),
        Line("one decision of the gate, in process", p50=f"{seeded.decision_us:.1f} µs"),
        Line("SQL statements before a gated page is entered", p50=str(seeded.statements)),
    ]
    verdicts = [judge_gate(seeded), judge_cost(sign_ins, hashes), judge_difference(known, unknown), judge_lists(lists)]
    verdicts.append(judge_mints(minted))
    return Found(lines, {}, verdicts)


def judge_gate(seeded: Seeded) -> Verdict:
    """Whether what stands before every change costs next to nothing."""
    is_quick = seeded.decision_us < DECISION_US and seeded.statements < STATEMENTS
    words = f"The gate is {'within' if is_quick else 'OVER'} {DECISION_US} µs and {STATEMENTS - 1} statements."
    return Verdict(is_quick, words)


def one_by_one(what: str, took: list[float]) -> Line:
    """Of milliseconds, one after another; instead of the 99th percentile of so few, the slowest."""
    rate = 1_000 / statistics.mean(took)
    return Line(what, f"{rate:,.1f}", f"{statistics.median(took):.1f} ms", f"slowest {max(took):.1f} ms")
