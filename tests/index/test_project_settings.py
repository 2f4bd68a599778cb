"""A project as a whole: archived, opened again, deleted with its name kept for its owners."""

from datetime import timedelta
from functools import partial

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.index import (
    downloads,
    free_names,
    kept_names,
    organization_projects,
    organizations,
    pages,
    project_settings,
    projects,
    reservations,
)
from domain.notices import Notices
from domain.policy.actions import Action
from domain.problems import Problem
from models import (
    DeletedFilename,
    Event,
    File,
    Invitation,
    KeptName,
    KeptPage,
    Mail,
    Organization,
    Project,
    ProjectRole,
    Release,
    Transfer,
    TrustedPublisher,
    User,
    db,
    token_project,
)
from tests.browsing import wiring_of
from tests.builders import People
from tests.packages import a_wheel
from tests.permits import member_of, permit_for, permit_of
from tests.races import at_once
from tests.uploading import upload


class Table:
    """The domain's functions with permits of their own."""

    def __init__(self, notices: Notices, clock: SettableClock) -> None:
        self._notices, self._clock = notices, clock

    def archive(self, user: User, project: Project) -> None:
        permit = permit_for(user, Action.ARCHIVE_PROJECT, project, now=self._clock.now())
        project_settings.archive(db.session(), permit, self._notices, project, now=self._clock.now())

    def unarchive(self, user: User, project: Project) -> None:
        permit = permit_for(user, Action.UNARCHIVE_PROJECT, project, now=self._clock.now())
        project_settings.unarchive(db.session(), permit, self._notices, project, now=self._clock.now())

    def delete(self, user: User, project: Project, typed: str = "") -> None:
        now = self._clock.now()
        permit = permit_for(user, Action.DELETE_PROJECT, project, now=now)
        typed = typed or project.name
        project_settings.remove(db.session(), permit, self._notices, project, confirmation=typed, now=now)

    def reserve(self, user: User, name: str) -> Project:
        now = self._clock.now()
        permit = permit_of(member_of(user, now=now), Action.RESERVE_PROJECT, now=now)
        return reservations.reserve(db.session(), permit, self._notices, name=name, now=now)


@pytest.fixture
def table(notices: Notices, clock: SettableClock) -> Table:
    return Table(notices, clock)


def marker(project: Project) -> str:
    of_it = sa.select(KeptPage).where(KeptPage.project_id == project.id, KeptPage.coding == "identity")
    page = {kept.form: kept.body for kept in db.session.scalars(of_it)}
    status: str = orjson.loads(page["json"])["project-status"]["status"]
    assert f'<meta name="pypi:project-status" content="{status}">'.encode() in page["html"]
    return status


def told() -> list[tuple[str, str]]:
    return sorted((mail.notice, mail.to.partition("@")[0]) for mail in db.session.scalars(sa.select(Mail)))


def test_an_archived_project_says_so_to_installers_until_it_is_opened_again(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana, maintainers=(bo,))
    people.a_release(project, by=ana)
    pages.refresh(db.session(), project)
    assert marker(project) == "active"

    table.archive(ana, project)

    assert (project.status, marker(project)) == ("archived", "archived")
    assert told() == [("project-status", "ana"), ("project-status", "bo")]
    with pytest.raises(Problem, match="archived already"):
        table.archive(ana, project)
    table.unarchive(ana, project)
    assert marker(project) == "active"
    tags = list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))
    assert tags == ["project:status:archived", "project:status:active"]
    with pytest.raises(Problem, match="not archived"):
        table.unarchive(ana, project)


def test_whoever_owns_it_no_longer_archives_nothing(people: People, table: Table) -> None:
    """The permit is given before the project is locked."""
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana, maintainers=(bo,))

    with pytest.raises(Problem, match="no longer have the role"):
        table.archive(bo, project)

    assert project.status == "active"


def test_a_quarantined_project_is_not_deleted(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    project = people.a_project("tide-tables", ana)
    project.status = "quarantined"
    db.session.commit()

    with pytest.raises(Problem, match="quarantined by now"):
        table.delete(ana, project)


def test_a_deleted_project_goes_whole_and_its_filenames_stay_spent(people: People, table: Table) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("Tide-Tables", ana, maintainers=(bo,))
    release = people.a_release(project, by=ana, files=2)
    names = {file.filename for file in release.files}
    people.a_removal(project, "0.9", by=ana)
    people.a_token(bo, projects=(project,))
    people.a_publisher(project)
    people.an_invitation(project, people.a_member("cy"), by=ana)
    people.a_transfer(project, bo, by=ana)
    pages.refresh(db.session(), project)
    db.session.commit()
    project_id = project.id

    table.delete(ana, project, typed="tide_tables")

    assert db.session.get(Project, project_id) is None
    for rows in (Release, File, TrustedPublisher, Invitation, Transfer, KeptPage):
        assert db.session.scalars(sa.select(rows)).all() == []
    assert db.session.execute(sa.select(token_project)).all() == []
    assert names <= set(db.session.scalars(sa.select(DeletedFilename.filename)))
    assert told() == [("project-deleted", "ana"), ("project-deleted", "bo"), ("transfer-ended", "bo")]
    events = db.session.scalars(sa.select(Event).where(Event.tag == "project:name:deleted")).all()
    assert sorted(event.user_id or 0 for event in events) == sorted([ana.id, bo.id])


def test_another_name_typed_deletes_nothing(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    project = people.a_project("tide-tables", ana)

    with pytest.raises(Problem, match="Type tide-tables") as refused:
        table.delete(ana, project, typed="tide")

    assert refused.value.field == "confirm"
    assert db.session.get(Project, project.id) is not None


@pytest.mark.parametrize("name", ["tide-tables", "Tide.Tables", "t1de-tables", "tidetables"])
def test_a_kept_name_and_its_likes_are_for_former_owners_only(people: People, table: Table, name: str) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    table.delete(ana, people.a_project("tide-tables", ana, maintainers=(bo,)))

    for stranger in (bo, cy):
        with pytest.raises(free_names.NameTaken, match="kept"):
            table.reserve(stranger, name)
    project = table.reserve(ana, name)

    assert projects.role_of(db.session(), project, ana.id) is not None
    still_kept = db.session.scalar(sa.select(sa.func.count()).select_from(KeptName))
    assert still_kept == (0 if project.normalized_name == "tide-tables" else 1)


def test_after_thirty_days_a_name_is_anybodys(people: People, table: Table, clock: SettableClock) -> None:
    ana, cy = people.a_member("ana"), people.a_member("cy")
    table.delete(ana, people.a_project("tide-tables", ana))
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert [kept.name for kept in kept_names.of_user(db.session(), ana.id, now=clock.now())] == ["tide-tables"]
    with pytest.raises(free_names.NameTaken):
        table.reserve(cy, "tide-tables")

    clock.advance(timedelta(seconds=1))

    assert kept_names.of_user(db.session(), ana.id, now=clock.now()) == []
    kept_names.sweep(db.session(), now=clock.now())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(KeptName)) == 0
    assert table.reserve(cy, "tide-tables").name == "tide-tables"


def test_an_organizations_name_is_kept_for_its_owners_and_not_for_its_teams(people: People, table: Table) -> None:
    ana, bo, cy = people.a_member("ana"), people.a_member("bo"), people.a_member("cy")
    office = people.an_organization("tide-office", ana, members=(cy,))
    project = people.an_organizations_project("tide-tables", office)
    people.a_team("Crew", office, members=(cy,), projects=((project, "owner"),))
    db.session.add(ProjectRole(project_id=project.id, user_id=bo.id, role="maintainer", since=project.created_at))
    db.session.commit()

    table.delete(cy, project)

    kept = [kept_names.of_user(db.session(), user.id, now=project.created_at) for user in (ana, bo, cy)]
    assert [len(names) for names in kept] == [1, 0, 0]


def test_whoever_owns_only_the_project_does_not_take_it_out_of_the_organization_by_deleting_it(
    people: People, table: Table
) -> None:
    ana, eve = people.a_member("ana"), people.a_member("eve")
    project = people.an_organizations_project("tide-tables", people.an_organization("tide-office", ana))
    db.session.add(ProjectRole(project_id=project.id, user_id=eve.id, role="owner", since=project.created_at))
    db.session.commit()

    table.delete(eve, project)

    with pytest.raises(free_names.NameTaken, match="kept"):
        table.reserve(eve, "tide-tables")
    assert table.reserve(ana, "tide-tables").name == "tide-tables"


def test_an_organizations_kept_name_is_for_it_and_its_owners(
    people: People, table: Table, notices: Notices, clock: SettableClock
) -> None:
    ana, max_, bo = people.a_member("ana"), people.a_member("max"), people.a_member("bo")
    office = people.an_organization("tide-office", ana, managers=(max_,))
    watch = people.an_organization("night-watch", bo)

    def reserve_for(user: User, organization: Organization) -> Project:
        now = clock.now()
        target = organizations.target_of(db.session(), organization, user.id)
        permit = permit_of(member_of(user, now=now), Action.CREATE_ORGANIZATION_PROJECT, target, now=now)
        return organization_projects.reserve(db.session(), permit, notices, organization, name="tide-tables", now=now)

    table.delete(ana, people.an_organizations_project("tide-tables", office))
    with pytest.raises(free_names.NameTaken, match="kept"):
        table.reserve(max_, "tide-tables")
    with pytest.raises(free_names.NameTaken, match="kept"):
        reserve_for(bo, watch)
    table.delete(ana, reserve_for(max_, office))

    assert table.reserve(ana, "tide-tables").organization_id is None


def test_the_same_name_is_kept_again_after_its_second_end(people: People, table: Table) -> None:
    ana = people.a_member("ana")
    table.delete(ana, people.a_project("tide-tables", ana))
    table.delete(ana, table.reserve(ana, "tide-tables"))

    assert db.session.scalar(sa.select(sa.func.count()).select_from(KeptName)) == 1


def test_the_projects_that_need_it_are_found_by_their_metadata(people: People) -> None:
    ana = people.a_member("ana")
    project = people.a_project("tide-tables", ana)
    for name, needs in (
        ("harbour", ["Tide.Tables>=1"]),
        ("gauge", ["tide_tables[plot]; python_version < '4'"]),
        ("lantern", ["tide-tables-extra"]),
        ("buoy", ["not a requirement at all !"]),
    ):
        release = people.a_release(people.a_project(name, ana), by=ana)
        release.core_metadata = {**release.core_metadata, "requires_dist": needs}
    db.session.commit()

    assert project_settings.dependents_of(db.session(), project, among=sa.true()) == ["gauge", "harbour"]


def test_the_impact_is_counted_from_what_is_there(people: People, clock: SettableClock) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    project = people.a_project("tide-tables", ana, maintainers=(bo,))
    people.a_release(project, "1.0", by=ana, files=2)
    people.a_release(project, "1.1", by=ana)
    people.a_token(bo, projects=(project,))
    people.a_publisher(project)
    people.an_invitation(project, people.a_member("cy"), by=ana)

    for days_ago, count in ((0, 4), (30, 3), (31, 8)):
        day = clock.now().date() - timedelta(days=days_ago)
        downloads.keep(db.session(), {downloads.Key(project.id, day, "1.0"): count})

    impact = project_settings.impact_of(db.session(), project, now=clock.now())

    assert impact == project_settings.Impact(2, 3, downloads=7, people=2, tokens=1, publishers=1, invitations=1)


def test_a_project_deleted_during_an_upload_leaves_no_file_behind(either_app: Flask, clock: SettableClock) -> None:
    people, table = People(either_app, clock), Table(wiring_of(either_app).notices, clock)
    ana = people.a_member("ana")
    token, ana_id = people.a_token(ana)[1], ana.id
    answers: list[int] = []

    def send() -> None:
        answers.append(upload(either_app, token, a_wheel()).status_code)

    def delete(project_id: int) -> None:
        table.delete(db.session.get_one(User, ana_id), db.session.get_one(Project, project_id))

    for _ in range(4):
        db.session.rollback()
        db.session.execute(sa.delete(Project))
        db.session.execute(sa.delete(DeletedFilename))  # the same file again each time
        project_id = people.a_project("acme-utils", db.session.get_one(User, ana_id)).id
        db.session.rollback()

        refusals = at_once(either_app, send, partial(delete, project_id))

        assert refusals == [None, None]
        left = [file.filename for project in db.session.scalars(sa.select(Project)) for file in _files_of(project)]
        on_disk = list(db.session.scalars(sa.select(File.filename)))
        assert left == on_disk  # nothing without a project; one that came later has created it anew
        assert len(left) <= answers[-1:].count(200)
    assert set(answers) <= {200, 400, 409}  # 409: it went between being found and being judged


def _files_of(project: Project) -> list[File]:
    files = sa.select(File).join(Release).where(Release.project_id == project.id)
    return list(db.session.scalars(files))
