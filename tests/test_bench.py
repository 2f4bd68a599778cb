"""The bench fills an index with what it measures, and the gate stays within the statements that it may cost."""

import shutil
from pathlib import Path

from bench.run import STATEMENTS
from bench.seed import TIMES, seed
from tests.conftest import settings_for


def test_the_bench_has_what_it_measures_and_the_gate_asks_the_database_little(
    tmp_path: Path, empty_database: Path
) -> None:
    shutil.copy(empty_database, tmp_path / "countersign.sqlite3")

    seeded = seed(settings_for(tmp_path))

    assert 0 < seeded.statements < STATEMENTS
    assert seeded.decision_us > 0
    assert len({username for username, _ in seeded.people}) == TIMES
    assert len({body for _, body in seeded.uploads}) == TIMES
