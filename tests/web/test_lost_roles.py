"""Whoever lost a role, or whose project was put into quarantine, while a change waited for its turn changes nothing."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import removals, yanks
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import DeletedRelease, Event, File, Project, ProjectRole, Release, User, db
from tests.browsing import wiring_of
from tests.builders import People
from tests.permits import permit_for

Row = TypeVar("Row", Release, File, DeletedRelease)
Change = Callable[[Permit, "Town"], object]


class Town:
    """Ana's project with a release, and one that can be restored."""

    def __init__(self, app: Flask, clock: SettableClock) -> None:
        self.people, self.clock, self.found = People(app, clock), clock, wiring_of(app)
        self.ana: User = self.people.a_member("ana")
        self.project = self.people.a_project("acme-utils", self.ana)
        self.release = self.people.a_release(self.project, "1.0", by=self.ana)
        self.removed = self.people.a_removal(self.project, "0.9", by=self.ana)

    def row(self, kind: type[Row]) -> Row:
        return db.session.scalars(sa.select(kind)).one()


CHANGES: dict[str, tuple[Action, Any, Change]] = {  # Any: one of the three tables
    "yank": (
        Action.YANK_RELEASE,
        Release,
        lambda permit, town: yanks.yank(
            db.session(),
            permit,
            town.found.notices,
            town.row(Release),
            reason="",
            now=town.clock.now(),
        ),
    ),
    "delete a release": (
        Action.DELETE_RELEASE,
        Release,
        lambda permit, town: removals.delete_release(
            db.session(),
            permit,
            town.found.notices,
            town.row(Release),
            confirmation="1.0",
            now=town.clock.now(),
        ),
    ),
    "delete a file": (
        Action.DELETE_FILE,
        File,
        lambda permit, town: removals.delete_file(
            db.session(),
            permit,
            town.found.notices,
            town.row(File),
            confirmation="acme-utils",
            now=town.clock.now(),
        ),
    ),
    "restore": (
        Action.RESTORE_RELEASE,
        DeletedRelease,
        lambda permit, town: removals.restore(
            db.session(),
            permit,
            town.found.store,
            town.found.notices,
            town.row(DeletedRelease),
            now=town.clock.now(),
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (sa.delete(ProjectRole), "You no longer have the role in acme-utils"),
        (sa.update(Project).values(status="quarantined"), "acme-utils is quarantined by now"),
    ],
)
def test_it_is_looked_at_again(
    app: Flask, clock: SettableClock, change: str, meanwhile: sa.Delete | sa.Update, words: str
) -> None:
    town = Town(app, clock)
    action, kind, do = CHANGES[change]
    permit = permit_for(town.ana, action, town.row(kind), now=clock.now())
    db.session.execute(meanwhile)
    db.session.commit()
    events = db.session.scalar(sa.select(sa.func.count()).select_from(Event))

    with pytest.raises(Problem, match=words):
        do(permit, town)

    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event)) == events
    assert town.row(Release) is not None
    assert town.row(DeletedRelease) is not None
