"""How often files are downloaded: a number for each day and version, and nothing of who it was."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Date, Integer, String, and_, func, literal, select
from sqlalchemy.orm import Session

from models import DailyDownload, Project, insert_into

MOST_VERSIONS = 10  # named one by one


class Key(NamedTuple):
    """What is counted together. day: in UTC. The order is that in which rows are locked."""

    project_id: int
    day: date
    version: str


class Tally:
    """Counts in memory, so that a download writes nothing. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()

    def add(self, key: Key) -> None:
        """One download more."""
        with self._lock:
            self._counts[key] += 1

    def take(self) -> Mapping[Key, int]:
        """All that was counted since the last time."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, counts: Mapping[Key, int]) -> None:
        """Count what was taken once more: it could not be kept."""
        with self._lock:
            self._counts.update(counts)


def keep(db: Session, counts: Mapping[Key, int]) -> None:
    """Add counts to those that are kept. A project that is gone has none."""
    columns = ["project_id", "day", "version", "count"]
    for key, count in sorted(counts.items()):  # in one order, so that two processes never wait for each other
        values = (literal(key.day, Date), literal(key.version, String), literal(count, Integer))
        added = insert_into(db, DailyDownload).from_select(
            columns, select(Project.id, *values).where(Project.id == key.project_id)
        )
        db.execute(
            added.on_conflict_do_update(
                index_elements=columns[:3], set_={"count": DailyDownload.count + added.excluded.count}
            )
        )


def total(db: Session, project: Project, *, since: date) -> int:
    """How often files of the project were downloaded from this day on."""
    counted = select(func.sum(DailyDownload.count)).where(_of(project, since))
    return int(db.scalar(counted) or 0)


def by_day(db: Session, project: Project, *, since: date) -> dict[date, int]:
    """The downloads of each day, from this one on; days without one are left out."""
    counted = select(DailyDownload.day, func.sum(DailyDownload.count)).where(_of(project, since))
    return {day: int(count) for day, count in db.execute(counted.group_by(DailyDownload.day))}


def by_version(db: Session, project: Project, *, since: date) -> list[tuple[str, int]]:
    """The ten versions that were downloaded most from this day on, with how often."""
    often = func.sum(DailyDownload.count)
    counted = select(DailyDownload.version, often).where(_of(project, since)).group_by(DailyDownload.version)
    ranked = counted.order_by(often.desc(), DailyDownload.version).limit(MOST_VERSIONS)
    return [(version, int(count)) for version, count in db.execute(ranked)]


def _of(project: Project, since: date) -> ColumnElement[bool]:
    return and_(DailyDownload.project_id == project.id, DailyDownload.day >= since)
