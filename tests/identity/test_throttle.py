"""Budgets: counted before the outcome is known, in the database, and never more than they hold."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from app import create_app
from config import Settings
from domain.identity import throttle
from domain.identity.throttle import Budget, Limit, TooMany
from models import Attempt, Base, db
from tests.conftest import MakeApp, settings_for
from tests.requirements import requirement

THREE = Budget("test:key", "tries", (Limit(3, timedelta(minutes=5)), Limit(4, timedelta(hours=1))))


def spend(times: int, *, now: datetime, key: str = "1") -> None:
    for _ in range(times):
        throttle.take(db.session(), (THREE, key), now=now)


def test_a_budget_ends_and_says_when_it_begins_again(app: Flask, clock: SettableClock) -> None:
    spend(3, now=clock.now())

    with pytest.raises(TooMany) as refused:
        spend(1, now=clock.now() + timedelta(minutes=1))

    assert refused.value.retry_at == clock.now() + timedelta(minutes=5)
    assert "Try again after 14:10 UTC" in refused.value.message


def test_a_window_that_is_over_gives_new_tries_until_the_longer_one_ends_them(app: Flask, clock: SettableClock) -> None:
    spend(3, now=clock.now())

    spend(1, now=clock.now() + timedelta(minutes=5))
    with pytest.raises(TooMany):
        spend(1, now=clock.now() + timedelta(minutes=5))


@requirement("R28")
def test_each_key_has_its_own_budget(app: Flask, clock: SettableClock) -> None:
    spend(3, now=clock.now(), key="1")

    spend(3, now=clock.now(), key="2")


def test_clearing_starts_over_and_refunding_gives_one_back(app: Flask, clock: SettableClock) -> None:
    spend(3, now=clock.now())
    throttle.refund(db.session(), THREE, "1")
    db.session.commit()
    spend(1, now=clock.now())
    with pytest.raises(TooMany):
        spend(1, now=clock.now())

    throttle.clear(db.session(), THREE, "1")
    db.session.commit()
    spend(3, now=clock.now())


def test_a_refused_try_drops_what_was_changed_before_it(app: Flask, clock: SettableClock) -> None:
    db.session.add(Attempt(bucket="half done", window_seconds=1, started_at=clock.now(), count=0))
    db.session.flush()

    spend(1, now=clock.now())

    assert db.session.get(Attempt, ("half done", 1)) is None


def test_who_knocks_at_a_closed_door_still_pays_by_the_address(app: Flask, clock: SettableClock) -> None:
    wide = Budget("test:address", "tries", (Limit(5, timedelta(minutes=5)),))
    spend(3, now=clock.now())
    for _ in range(5):
        with pytest.raises(TooMany):
            throttle.take(db.session(), (THREE, "1"), (wide, "198.51.100.9"), now=clock.now())

    with pytest.raises(TooMany):
        throttle.take(db.session(), (wide, "198.51.100.9"), now=clock.now())
    counts = dict(
        db.session.execute(sa.select(Attempt.window_seconds, Attempt.count).where(Attempt.bucket == "test:key:1")).all()
    )
    assert counts == {300: 3, 3600: 3}


def test_a_try_that_one_window_refuses_counts_in_no_other(app: Flask, clock: SettableClock) -> None:
    spend(3, now=clock.now())
    later = clock.now() + timedelta(minutes=6)
    spend(1, now=later)  # the hour is full now, the five minutes are not
    for _ in range(3):
        with pytest.raises(TooMany):
            spend(1, now=later)

    counts = dict(db.session.execute(sa.select(Attempt.window_seconds, Attempt.count)).all())
    assert counts == {300: 1, 3600: 4}


def test_a_budget_survives_a_restart(app: Flask, make_app: MakeApp, clock: SettableClock) -> None:
    spend(3, now=clock.now())
    url = db.engine.url.render_as_string()

    again = create_app(_same(app, url), clock=clock)
    with again.app_context(), pytest.raises(TooMany):
        spend(1, now=clock.now())


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("198.51.100.1", "198.51.100.2", False),
        ("::ffff:198.51.100.1", "::ffff:198.51.100.2", False),
        ("", "unix", False),
    ],
)
def test_a_household_has_one_budget_however_many_addresses(
    app: Flask, clock: SettableClock, one: str, other: str, is_shared: bool
) -> None:
    budget = replace(THREE, by_network=True)
    for _ in range(3):
        throttle.take(db.session(), (budget, one), now=clock.now())

    if is_shared:
        with pytest.raises(TooMany):
            throttle.take(db.session(), (budget, other), now=clock.now())
    else:
        throttle.take(db.session(), (budget, other), now=clock.now())


@requirement("R27")
def test_parallel_tries_never_exceed_a_budget(app: Flask, clock: SettableClock) -> None:
    assert _parallel(app, clock, tries=20) == 3


@requirement("R27")
def test_parallel_tries_never_exceed_a_budget_on_postgresql(
    make_app: MakeApp, postgres_url: str, clock: SettableClock
) -> None:
    app = make_app(database_url=postgres_url)
    with app.app_context():
        Base.metadata.create_all(db.engine)

        assert _parallel(app, clock, tries=20) == 3
        db.session.remove()
        db.engine.dispose()


def test_old_budgets_are_swept(app: Flask, clock: SettableClock) -> None:
    spend(1, now=clock.now())

    throttle.sweep(db.session(), now=clock.now() + timedelta(days=3))

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 0


def _parallel(app: Flask, clock: SettableClock, *, tries: int) -> int:
    """How many of so many tries at once were let through."""
    passed: list[bool] = []
    together = threading.Barrier(tries)

    def one() -> None:
        with app.app_context():
            together.wait()
            try:
                spend(1, now=clock.now())
            except TooMany:
                return
            passed.append(True)

    threads = [threading.Thread(target=one) for _ in range(tries)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(passed)


def _same(app: Flask, database_url: str) -> Settings:
    return settings_for(Path(database_url.removeprefix("sqlite:///")).parent, database_url=database_url)
