"""Times, sizes and digests are written the same way everywhere."""

import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.rendering import day, digest_bars, file_size, iso, moment

NOON_IN_DELHI = datetime(2026, 1, 2, 4, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))


def test_times_are_told_in_utc() -> None:
    assert moment(datetime(2026, 11, 22, 14, 5, 59, tzinfo=UTC)) == "22 Nov 2026, 14:05 UTC"
    assert moment(NOON_IN_DELHI) == "1 Jan 2026, 22:35 UTC"
    assert day(NOON_IN_DELHI) == "1 Jan 2026"
    assert iso(NOON_IN_DELHI) == "2026-01-01T22:35:00Z"


def test_a_flashed_time_is_read_from_its_iso_text() -> None:
    assert moment(NOON_IN_DELHI.isoformat()) == moment(NOON_IN_DELHI)


@pytest.mark.parametrize("value", [datetime(2026, 11, 22, 14, 5), "2026-11-22T14:05:00"])  # noqa: DTZ001
def test_a_time_without_offset_is_not_guessed_at(value: datetime | str) -> None:
    with pytest.raises(ValueError, match="offset"):
        moment(value)


@pytest.mark.parametrize(
    ("size_bytes", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (41_234, "41 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (104_857_600, "105 MB"),
        (5_000_000_000, "5.0 GB"),
        (7_200_000_000_000_000, "7200 TB"),
    ],
)
def test_sizes_are_short(size_bytes: int, written: str) -> None:
    assert file_size(size_bytes) == written


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_the_bars_of_a_digest_lie_side_by_side_within_their_picture(sha256: str) -> None:
    bars = digest_bars(sha256)

    edges = [int(edge) for bar in re.findall(r"M(\d+) 0H(\d+)v40H\1z", bars.path) for edge in bar]
    assert len(edges) == 44
    assert edges[0] == 0
    assert edges[-1] == bars.width
    assert all(left < right for left, right in pairwise(edges))


def test_other_digests_have_other_bars() -> None:
    assert digest_bars("0" * 64) != digest_bars("1" * 64)
