"""The bench fills an index with what it measures, its verdicts can fail, and the gate costs few statements."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import create_app
from bench import bars, corpus
from bench.figures import Figure
from bench.lists import judge_lists
from bench.load import Load, LoadError, is_shared, read_wrk
from bench.pages import ALL_FORMS, LARGE, SMALL, Beside
from bench.people import STATEMENTS
from bench.processes import Memory
from bench.seed import REFUSALS, TIMES, seed
from bench.sign_in import judge_cost, judge_difference
from bench.table import markdown
from models import File, Project, db
from tests.conftest import settings_for

WRK = """\
Running 2s test @ http://127.0.0.1:8000/simple/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   822.00us    1.10ms  12.50ms   91.02%
    Req/Sec     7.61k   312.22     8.11k    71.00%
  Latency Distribution
     50%  822.00us
     75%    1.20ms
     90%    2.01ms
     99%    1.05s
  15210 requests in 2.01s, 71.90MB read
Requests/sec:   7567.16
Transfer/sec:     35.77MB
"""


def a_load(*, rate: float = 100.0, cpu_ms: float = 1.0) -> Load:
    return Load(rate, 1.0, 2.0, 1e6, cpu_ms)


def beside(cpu_ms: float) -> Beside:
    return Beside(a_load(cpu_ms=cpu_ms), a_load(), 1.0)


def test_the_bench_has_what_it_measures_and_the_gate_asks_the_database_little(
    tmp_path: Path, empty_database: Path
) -> None:
    shutil.copy(empty_database, tmp_path / "countersign.sqlite3")
    settings = settings_for(tmp_path)

    seeded = seed(settings)

    assert 0 < seeded.statements < STATEMENTS
    assert seeded.decision_us > 0
    assert len({username for username, _ in seeded.people}) == TIMES
    assert len(set(seeded.refused)) == REFUSALS
    with create_app(settings).app_context():
        names = set(db.session.scalars(sa.select(Project.normalized_name)))
        large = db.session.scalars(sa.select(File.filename).where(File.filename.startswith("large-"))).all()
        db.session.remove()
        db.engine.dispose()
    assert names == set(corpus.projects())
    assert (len(names), len(large)) == (corpus.ROOT_NAMES, 1_000)


def test_a_wheel_of_the_corpus_has_the_size_that_it_is_measured_for() -> None:
    wheel = corpus.wheel("upload-00", "2.0", corpus.WHEEL_BYTES)

    assert len(wheel.content) == pytest.approx(corpus.WHEEL_BYTES, rel=0.05)


def test_what_wrk_printed_is_read_in_milliseconds_and_bytes() -> None:
    load, requests = read_wrk(WRK)

    assert requests == 15_210
    assert [load.rate, load.p50_ms, load.p99_ms] == pytest.approx([7567.16, 0.822, 1_050])
    assert load.bytes_per_second == pytest.approx(35.77 * 1024**2)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("Requests/sec", "  Non-2xx or 3xx responses: 3\nRequests/sec"),
        ("  15210 requests", "  0 requests"),
        ("Requests/sec: ", "connection refused"),
    ],
)
def test_what_was_not_answered_is_no_measurement(found: str, instead: str) -> None:
    with pytest.raises(LoadError):
        read_wrk(WRK.replace(found, instead))


def test_a_bar_for_many_names_all_that_miss_it_or_else_the_nearest_to_it() -> None:
    missed = bars.judge_shares("A page does", {"one": 0.9, "two": 0.84, "three": 0.2}, 0.85)
    met = bars.judge_shares("A page does", {"one": 0.9, "two": 0.85}, 0.85)

    assert (missed.holds, missed.words) == (False, "A page does ≥ 85%: two 84%, three 20%.")
    assert (met.holds, met.words) == (True, "A page does ≥ 85%: the least is two 85%.")


@pytest.mark.parametrize(("large_ms", "holds"), [(0.4, True), (0.8, True), (0.81, False)])
def test_a_large_page_may_cost_twice_a_small_one_in_every_form(large_ms: float, holds: bool) -> None:
    pages = {f"{what}, {form}": beside(0.4) for what in (SMALL, LARGE) for form in ALL_FORMS}
    pages[f"{LARGE}, JSON"] = beside(large_ms)

    verdict = bars.judge_large(pages)

    assert verdict.holds is holds
    assert f"JSON {large_ms / 0.4:.2f}" in verdict.words


@pytest.mark.parametrize(("times", "holds"), [(0.5, True), (1.0, True), (1.01, False)])
def test_each_limit_is_met_up_to_itself(times: float, holds: bool) -> None:
    verdicts = [
        bars.judge_unchanged(a_load(cpu_ms=bars.UNCHANGED_CPU_MS * times)),
        bars.judge_upload(bars.UPLOAD_MS * times),
        bars.judge_start(bars.START_SECONDS * times),
        bars.judge_memory([Memory(10, 10), Memory(bars.WORKER_MB * times, 20)]),
    ]

    assert [verdict.holds for verdict in verdicts] == [holds] * 4


def test_whoever_is_behind_another_index_in_anything_is_told_where() -> None:
    ours = {"page": Figure("9/s · 2 ms", (1 / 9, 2.0)), "start": Figure("1 s", (1.0,)), "gzip": Figure("-", (1.0,))}
    slow = {"page": Figure("8/s · 3 ms", (1 / 8, 3.0)), "start": Figure("2 s", (2.0,))}
    thrifty = {"page": Figure("8/s · 1 ms", (1 / 8, 1.0))}

    ahead, behind = bars.judge_peers(ours, {"slow": slow}), bars.judge_peers(ours, {"slow": slow, "thrifty": thrifty})

    assert (ahead.holds, behind.holds) == (True, False)
    assert behind.words.endswith("behind in page (9/s · 2 ms against 8/s · 1 ms of thrifty).")


def test_a_table_is_aligned_as_markdown() -> None:
    assert markdown([("", "rate"), ("page", "1,000")]).splitlines() == [
        "|      |  rate |",
        "| ---- | ----: |",
        "| page | 1,000 |",
    ]


@pytest.mark.parametrize(("sign_in", "holds"), [(199.0, True), (101.0, True), (200.0, False), (250.0, False)])
def test_a_sign_in_has_to_stay_below_two_hashes(sign_in: float, holds: bool) -> None:
    verdict = judge_cost([sign_in, 5_000.0, sign_in], [100.0, 100.0, 900.0])

    assert verdict.holds is holds
    assert f"costs {sign_in / 100:.2f} times one hash" in verdict.words


@pytest.mark.parametrize(("known", "holds"), [(100.0, True), (109.0, True), (92.0, True), (111.0, False), (90, False)])
def test_the_time_of_a_refusal_may_not_tell_who_has_an_account(known: float, holds: bool) -> None:
    verdict = judge_difference([known, 5_000.0, known], [1.0, 100.0, 100.0])

    assert verdict.holds is holds
    assert ("NOT BELOW" in verdict.words) is not holds


@pytest.mark.parametrize(("slowest", "holds"), [(49.0, True), (50.0, False), (1_900.0, False)])
def test_the_slowest_of_the_long_lists_decides(slowest: float, holds: bool) -> None:
    verdict = judge_lists({"quick": [1.0, 1.0, 900.0], "slow": [slowest, slowest, 1.0]})

    assert verdict.holds is holds
    assert f"slow takes {slowest:.1f} ms" in verdict.words


@pytest.mark.parametrize(("spent", "expected"), [([], True), ([2.0], True), ([1.9, 1.3], True), ([2.3, 0.1], False)])
def test_a_round_counts_when_all_processes_of_a_server_had_a_part_in_it(spent: list[float], expected: bool) -> None:
    assert is_shared(spent) is expected
