"""Deleting, restoring, yanking and uploading in the same moment, on both databases: nothing is orphaned."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import removals, yanks
from domain.policy.actions import Action
from domain.policy.decision import Permit
from models import DeletedFile, DeletedFilename, DeletedRelease, Event, File, Release, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.packages import a_wheel, an_sdist
from tests.permits import permit_for
from tests.races import at_once
from tests.uploading import kept_page, upload

WHEEL, SDIST = a_wheel(), an_sdist()


class Town:
    """Ana and her project, and what can be done to its one release 1.0."""

    def __init__(self, app: Flask, clock: SettableClock) -> None:
        self.app, self.clock, self.found = app, clock, wiring_of(app)
        people = People(app, clock)
        ana = people.a_member("ana")
        people.a_project("acme-utils", ana)
        self.token = people.a_token(ana)[1]
        assert upload(app, self.token, WHEEL).status_code == 200

    def upload_sdist(self) -> None:
        answer = upload(self.app, self.token, SDIST)
        assert answer.status_code in (200, 400), answer.status

    def delete(self) -> None:
        self._do(
            Release,
            Action.DELETE_RELEASE,
            lambda permit, row: removals.delete_release(
                db.session(), permit, self.found.notices, row, confirmation="1.0", now=self.clock.now()
            ),
        )

    def delete_file(self) -> None:
        self._do(
            File,
            Action.DELETE_FILE,
            lambda permit, row: removals.delete_file(
                db.session(), permit, self.found.notices, row, confirmation="acme-utils", now=self.clock.now()
            ),
        )

    def yank(self) -> None:
        self._do(
            Release,
            Action.YANK_RELEASE,
            lambda permit, row: yanks.yank(
                db.session(), permit, self.found.notices, row, reason="x", now=self.clock.now()
            ),
        )

    def restore(self) -> None:
        self._do(
            DeletedRelease,
            Action.RESTORE_RELEASE,
            lambda permit, row: removals.restore(
                db.session(), permit, self.found.store, self.found.notices, row, now=self.clock.now()
            ),
        )

    def sweep(self) -> None:
        removals.sweep(db.session(), now=self.clock.now())

    def _do(self, table: Any, action: Action, call: Callable[[Permit, Any], object]) -> None:
        # Any: whichever of the tables
        row = db.session.scalars(sa.select(table).order_by(table.id).limit(1)).first()
        if row is None:
            return  # it was gone before this one looked
        ana = db.session.scalars(sa.select(User)).one()
        call(permit_for(ana, action, row, now=self.clock.now()), row)


@pytest.fixture
def town(either_app: Flask, clock: SettableClock) -> Town:
    return Town(either_app, clock)


def check() -> None:
    """Every file stands in exactly one place, and the page that installers read agrees."""
    db.session.rollback()
    on, off, spent = (
        set(db.session.scalars(sa.select(table.filename))) for table in (File, DeletedFile, DeletedFilename)
    )
    page = orjson.loads(kept_page("json"))
    assert {file["filename"] for file in page["files"]} == on
    assert not on & spent
    assert off <= spent
    empty = sa.select(Release.version).where(~Release.files.any())
    assert db.session.scalars(empty).all() == []


def tags(tag: str) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(Event.tag == tag)) or 0


def test_two_deletions_are_one(town: Town) -> None:
    db.session.rollback()
    at_once(town.app, town.delete, town.delete)

    check()
    assert tags("project:release:removed") == 1


def test_a_release_and_its_file_at_once_are_removed_once(town: Town) -> None:
    db.session.rollback()
    at_once(town.app, town.delete, town.delete_file)

    check()
    assert tags("project:release:removed") + tags("project:file:removed") == 1


def test_an_upload_into_what_is_deleted_is_whole_or_not_there(town: Town) -> None:
    db.session.rollback()
    at_once(town.app, town.delete, town.upload_sdist)

    check()
    assert tags("project:release:removed") == 1


def test_yanking_what_is_deleted_has_an_answer(town: Town) -> None:
    db.session.rollback()
    refusals = at_once(town.app, town.delete, town.yank)

    check()
    assert tags("project:release:removed") == 1
    assert {problem.code for problem in refusals if problem} <= {"not_found"}


def test_restoring_twice_at_once_restores_once(town: Town) -> None:
    town.delete()
    db.session.commit()
    refusals = at_once(town.app, *[town.restore] * 4)

    check()
    assert tags("project:release:restored") == 1
    assert {problem.code for problem in refusals if problem} <= {"not_found"}
    assert db.session.scalars(sa.select(File.filename)).all() == [WHEEL.filename]


def test_restoring_while_it_is_swept_away_is_too_late(town: Town) -> None:
    town.delete()
    db.session.commit()
    town.clock.advance(timedelta(days=7))
    at_once(town.app, town.restore, town.sweep)

    check()
    assert tags("project:release:restored") == 0
    assert db.session.scalars(sa.select(DeletedFile)).all() == []
    assert db.session.scalars(sa.select(DeletedFilename.filename)).all() == [WHEEL.filename]
