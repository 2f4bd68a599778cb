"""A plot of downloads by day: numbers in, the coordinates of an SVG out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

LEFT, RIGHT, BASE, HEIGHT = 52, 860, 216, 200  # units of the drawing; y grows downwards
GAP = 2.0  # between two bars
TICKS = 4  # days named below the plot


@dataclass(frozen=True)
class Tick:
    """A name beside an axis. at: along that axis."""

    at: float
    text: str


@dataclass(frozen=True)
class DayTick:
    """A day named below the plot."""

    at: float
    day: date


@dataclass(frozen=True)
class Chart:
    """bars: one path of all bars. lines: what the horizontal rules stand for. days: those that are named."""

    bars: str
    lines: tuple[Tick, ...]
    days: tuple[DayTick, ...]


def chart(counts: Mapping[date, int], *, first: date, days: int) -> Chart:
    """The plot of `days` days from the first on; counts: those that had any."""
    shown = [first + timedelta(days=number) for number in range(days)]
    top = _top(max((counts.get(day, 0) for day in shown), default=0))
    wide = (RIGHT - LEFT) / days
    bars = "".join(
        _bar(LEFT + number * wide, wide - GAP, counts[day] / top) for number, day in enumerate(shown) if counts.get(day)
    )
    lines = tuple(Tick(BASE - HEIGHT * share, f"{round(top * share):,}") for share in (0, 0.5, 1))
    named = [round(number * (days - 1) / (TICKS - 1)) for number in range(TICKS)]
    return Chart(bars, lines, tuple(DayTick(LEFT + (number + 0.5) * wide, shown[number]) for number in named))


def _bar(left: float, wide: float, share: float) -> str:
    return f"M{left:.1f} {BASE}v{-max(HEIGHT * share, 1):.1f}h{wide:.1f}V{BASE}z"


def _top(most: int) -> int:
    """The least of 2, 4, 10, 20, 40, 100, … that holds the most, so that its half is a whole number, too."""
    power = 1
    while True:
        for step in (2, 4, 10):
            if step * power >= most:
                return step * power
        power *= 10
