"""Downloads are counted by day and version, in memory first, and kept on either database."""

import threading
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import downloads
from domain.index.downloads import Key, Tally
from models import DailyDownload, Project, db
from tests.builders import People

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def project(either_app: Flask, clock: SettableClock) -> Project:
    people = People(either_app, clock)
    return people.a_project("acme-utils", people.a_member("ana"))


def kept() -> list[tuple[date, str, int]]:
    rows = sa.select(DailyDownload.day, DailyDownload.version, DailyDownload.count)
    ordered = rows.order_by(DailyDownload.day, DailyDownload.version)
    return [(day, version, count) for day, version, count in db.session.execute(ordered)]


def test_counts_of_one_day_and_version_add_up(project: Project) -> None:
    key, other = Key(project.id, MONDAY, "1.0"), Key(project.id, MONDAY, "1.1")

    downloads.keep(db.session(), {key: 3, other: 1})
    downloads.keep(db.session(), {key: 4, Key(project.id, TUESDAY, "1.0"): 2})

    assert kept() == [(MONDAY, "1.0", 7), (MONDAY, "1.1", 1), (TUESDAY, "1.0", 2)]


def test_what_belongs_to_a_project_that_is_gone_is_dropped_and_the_rest_is_kept(project: Project) -> None:
    downloads.keep(db.session(), {Key(project.id + 1, MONDAY, "1.0"): 5, Key(project.id, MONDAY, "1.0"): 1})

    assert kept() == [(MONDAY, "1.0", 1)]


def test_counts_go_with_their_project(project: Project) -> None:
    downloads.keep(db.session(), {Key(project.id, MONDAY, "1.0"): 1})

    db.session.delete(project)
    db.session.commit()

    assert kept() == []


def test_they_are_summed_by_day_and_by_version_from_a_day_on(project: Project) -> None:
    counts = {Key(project.id, MONDAY, "0.9"): 9, Key(project.id, TUESDAY, "1.0"): 2, Key(project.id, TUESDAY, "1.1"): 5}
    downloads.keep(db.session(), counts)

    session = db.session()
    assert downloads.by_day(session, project, since=MONDAY) == {MONDAY: 9, TUESDAY: 7}
    assert downloads.by_version(session, project, since=TUESDAY) == [("1.1", 5), ("1.0", 2)]
    assert downloads.total(session, project, since=TUESDAY) == 7
    assert downloads.total(session, project, since=date(2026, 11, 25)) == 0


def test_of_many_versions_the_ten_that_were_taken_most_are_named(project: Project) -> None:
    downloads.keep(db.session(), {Key(project.id, MONDAY, f"1.{number}"): number + 1 for number in range(12)})

    named = downloads.by_version(db.session(), project, since=MONDAY)

    assert named == [(f"1.{number}", number + 1) for number in range(11, 1, -1)]


def test_threads_lose_no_count_while_it_is_taken() -> None:
    tally, key, taken = Tally(), Key(1, MONDAY, "1.0"), []

    def count() -> None:
        for _ in range(2_000):
            tally.add(key)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken.append(tally.take().get(key, 0))
    taken.append(tally.take().get(key, 0))

    assert sum(taken) == 16_000


def test_what_is_given_back_is_counted_on() -> None:
    tally, key = Tally(), Key(1, MONDAY, "1.0")
    tally.add(key)
    taken = tally.take()
    tally.add(key)

    tally.give_back(taken)

    assert tally.take() == {key: 2}
