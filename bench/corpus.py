"""What is kept on every index that is measured: the same projects, so that their figures can be compared."""

import secrets
from functools import cache
from typing import NamedTuple

from tests.packages import Package, a_wheel

ROOT_NAMES = 500
MANY_NAMES = 10_000
SMALL, LARGE = "small", "large"
HEAVY = "heavy"  # gets the large file
UPLOADED = tuple(f"upload-{number:02}" for number in range(20))  # take turns in getting new versions
OTHERS = "other"
WHEEL_BYTES = 20_000
HEAVY_BYTES = 50 * 1024**2
SMALL_BYTES = 1_800


class Kept(NamedTuple):
    """One file of a project."""

    version: str
    tag: str = "py3-none-any"


def projects() -> dict[str, list[Kept]]:
    """Every project with its files; 500 of them. The small one has ten releases, the large one a hundred of ten."""
    asked = {
        SMALL: [Kept(f"1.{number}") for number in range(10)],
        LARGE: [Kept(f"1.{number}", f"py3{tag}-none-any") for number in range(100) for tag in range(10)],
        **{name: [Kept("1.0")] for name in (HEAVY, *UPLOADED)},
    }
    more = range(ROOT_NAMES - len(asked))
    return asked | {f"{OTHERS}-{number:04}": [Kept("1.0")] for number in more}


def wheel(name: str, version: str, size_bytes: int = SMALL_BYTES, *, tag: str = "py3-none-any") -> Package:
    """A wheel of about that size, which no compression makes smaller."""
    data = secrets.token_bytes(max(0, size_bytes - 900))
    return a_wheel(name, version, extra={f"{name.replace('-', '_')}/data.bin": data}, tag=tag)


@cache
def heavy_wheel() -> Package:
    """The large file, made once."""
    return wheel(HEAVY, "2.0", HEAVY_BYTES)
