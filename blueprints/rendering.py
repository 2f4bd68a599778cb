"""How times, sizes, digests and browsers are written: the filters that every template has, mails too."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BARS = 22

# The first mark that is found counts: Edge also calls itself Chrome, and Chrome Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
    ("twine/", "twine"),
    ("uv/", "uv"),
    ("curl/", "curl"),
    ("python-requests/", "a Python program"),
    ("flask", "the operator's shell"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def instant(value: datetime | str) -> datetime:
    """An aware datetime, or its ISO 8601 text as a flashed message carries it, in UTC.

    Raises ValueError for a time without an offset: a guess would be shown as a fact.
    """
    moment_in_time = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment_in_time.tzinfo is None:
        raise ValueError(f"{value!r} does not say its offset from UTC")
    return moment_in_time.astimezone(UTC)


def iso(value: datetime | str) -> str:
    """`2026-11-22T14:05:00Z`, for the `datetime` attribute of `<time>`."""
    return f"{instant(value):%Y-%m-%dT%H:%M:%SZ}"


def day(value: datetime | str) -> str:
    """`22 Nov 2026`, the day in UTC; English whatever the locale of the server."""
    return calendar_day(instant(value).date())


def calendar_day(value: date) -> str:
    """`22 Nov 2026`, of a day that is no moment."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime | str) -> str:
    """`22 Nov 2026, 14:05 UTC`."""
    return f"{day(value)}, {instant(value):%H:%M} UTC"


def file_size(size_bytes: int) -> str:
    """`41 kB`, in decimal units, with one decimal below ten: `1.4 MB`."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size, larger_units = size_bytes / 1000, iter(("MB", "GB", "TB"))
    unit = "kB"
    while size >= 999.5 and (larger := next(larger_units, None)):
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"


@dataclass(frozen=True)
class Bars:
    """A picture of a digest: an SVG path 40 units high, and how wide it is."""

    path: str
    width: int


def digest_bars(sha256: str) -> Bars:
    """Bars from a SHA-256 in hexadecimal: two bits of each digit are the bar's width, two the gap's."""
    start, end, path = 0, 0, ""
    for digit in sha256[:_BARS]:
        bar, gap = divmod(int(digit, 16), 4)
        end = start + bar + 1
        path += f"M{start} 0H{end}v40H{start}z"
        start = end + gap + 2
    return Bars(path=path, width=end)


def browser(user_agent: str) -> str:
    """`Firefox on Linux`, from what a client calls itself. A hint and no proof: anybody can call himself anything, and
    so no word of the sender's own is repeated, least of all in mails."""
    name = next((word for mark, word in _BROWSERS if mark in user_agent), "an unknown program")
    system = next((f" on {word}" for mark, word in _SYSTEMS if mark in user_agent), "")
    return name + system


FILTERS: dict[str, Callable[..., object]] = {
    "browser": browser,
    "iso": iso,
    "day": day,
    "date": calendar_day,
    "moment": moment,
    "file_size": file_size,
    "digest_bars": digest_bars,
}
