"""What time it is: a clock that tells, and a clock that tests and the demo can set."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from; asked once per request and handed down as `now`."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class SettableClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, start: datetime) -> None:
        self.set(start)

    def now(self) -> datetime:
        """The moment that was set last, aware, in UTC."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Jump to `moment`. Raises ValueError when it has no time zone: 14:05 is no moment without one."""
        if moment.utcoffset() is None:
            raise ValueError(f"{moment} has no time zone; use an aware datetime.")
        self._now = moment.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move on by this much, or back where it is negative."""
        self._now += by
