"""The bench fills an index with what it measures, its verdicts can fail, and the gate costs few statements."""

import shutil
from pathlib import Path

import pytest

from bench.lists import judge_lists
from bench.run import STATEMENTS
from bench.seed import REFUSALS, TIMES, seed
from bench.sign_in import judge_cost, judge_difference
from tests.conftest import settings_for


def test_the_bench_has_what_it_measures_and_the_gate_asks_the_database_little(
    tmp_path: Path, empty_database: Path
) -> None:
    shutil.copy(empty_database, tmp_path / "countersign.sqlite3")

    seeded = seed(settings_for(tmp_path))

    assert 0 < seeded.statements < STATEMENTS
    assert seeded.decision_us > 0
    assert len({username for username, _ in seeded.people}) == TIMES
    assert len(set(seeded.refused)) == REFUSALS
    assert len({body for _, body in seeded.uploads}) == TIMES


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
