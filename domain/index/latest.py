"""Which of a project's releases stands for it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from packaging.version import Version


class Versioned(Protocol):
    """A release, or the columns of one that say where it stands among the others."""

    @property
    def version(self) -> str: ...
    @property
    def is_prerelease(self) -> bool: ...
    @property
    def yanked_at(self) -> datetime | None: ...


AnyRelease = TypeVar("AnyRelease", bound=Versioned)


def latest(releases: Iterable[AnyRelease]) -> AnyRelease | None:
    """The newest by version: a pre-release only where nothing else is left, a yanked one if all are."""
    return max(
        releases,
        key=lambda each: (each.yanked_at is None, not each.is_prerelease, Version(each.version)),
        default=None,
    )
