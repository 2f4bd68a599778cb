"""Clocks give aware moments in UTC, and the settable one stands still until it is moved."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters.clock import SettableClock, SystemClock

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_the_system_clock_tells_the_present_moment_in_utc() -> None:
    before = datetime.now(UTC)

    moment = SystemClock().now()

    assert before <= moment <= datetime.now(UTC)
    assert moment.tzinfo is UTC


def test_a_settable_clock_stands_still() -> None:
    clock = SettableClock(NOON)

    moments = [clock.now(), clock.now()]

    assert moments == [NOON, NOON]


def test_a_settable_clock_moves_when_it_is_told() -> None:
    clock = SettableClock(NOON)

    clock.advance(timedelta(minutes=30))
    clock.advance(timedelta(minutes=-10))

    assert clock.now() == NOON + timedelta(minutes=20)


def test_a_moment_of_another_time_zone_is_told_in_utc() -> None:
    clock = SettableClock(NOON)

    clock.set(datetime(2026, 11, 22, 14, 30, tzinfo=timezone(timedelta(hours=2))))

    assert clock.now() == NOON + timedelta(minutes=30)
    assert clock.now().tzinfo is UTC


def test_a_moment_without_time_zone_is_refused() -> None:
    clock = SettableClock(NOON)

    with pytest.raises(ValueError, match="no time zone"):
        clock.set(datetime(2026, 11, 22, 14, 30))  # noqa: DTZ001 - the very thing that is refused
