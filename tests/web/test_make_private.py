"""An owner makes a project private, and opens it again; whoever has no part in it learns nothing."""

import pytest
import sqlalchemy as sa
from flask import Flask

from domain.policy.principals import Grant
from models import ApiToken, Event, Mail, Project, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.uploading import authorized

MANAGE = "/manage/project/acme-utils/"
PAGE = f"{MANAGE}settings/readers"
HIDDEN = [
    "settings/",
    "settings/readers",
    "settings/archive",
    "settings/delete",
    "settings/transfer",
    "collaboration/",
    "releases/",
    "release/1.0/",
    "release/1.0/yank",
    "publishing/",
    "history/",
    "tokens/",
]


@pytest.fixture
def project(people: People, browser: Browser) -> Project:
    """The project acme-utils, whose owner ana is signed in; bo helps."""
    ana = people.a_member("ana")
    browser.sign_in(ana)
    found = people.a_project("acme-utils", ana, maintainers=(people.a_member("bo"),))
    people.a_release(found, by=ana)
    return found


def is_private(project_id: int) -> bool:
    db.session.rollback()
    return db.session.get_one(Project, project_id).is_private


def hide(project: Project) -> None:
    project.is_private = True
    db.session.commit()


def test_it_is_made_private_and_opened_again_and_everybody_is_told(project: Project, browser: Browser) -> None:
    project_id = project.id
    settings, asked = browser.page(f"{MANAGE}settings/"), browser.page(PAGE)
    hidden = browser.submit(PAGE, is_private="yes")
    was_private = is_private(project_id)
    again = browser.page(PAGE)
    opened = browser.submit(PAGE, is_private="no")

    assert "Make acme-utils private" in settings.text
    assert asked.h1 == "Make acme-utils private?"
    assert "The 2 people who look after acme-utils are told by mail." in asked.text
    assert "acme-utils is there for its people only now." in hidden.text
    assert "To everybody else there is no such project." in hidden.text
    assert was_private
    assert again.h1 == "Open acme-utils to all readers?"
    assert "What somebody has taken cannot be taken back." in again.text
    assert "acme-utils is there for everybody who may read this index now." in opened.text
    assert not is_private(project_id)
    mails = db.session.execute(sa.select(Mail.notice, Mail.to)).all()
    assert [to for notice, to in mails if notice == "project-readers"] == ["ana@mail.example", "bo@mail.example"] * 2
    tags = db.session.scalars(sa.select(Event.tag).where(Event.tag.like("project:reading:%")).order_by(Event.id))
    assert list(tags) == ["project:reading:private", "project:reading:open"]
    assert "Private project acme-utils opened to all readers" in browser.page(f"{MANAGE}history/").text


def test_the_list_for_installers_follows_at_once(project: Project, app: Flask, browser: Browser) -> None:
    listed = []
    for change in (None, "yes", "no"):
        if change:
            browser.submit(PAGE, is_private=change)
        listed.append("acme-utils" in Browser(app).get("/simple/").text)

    assert listed == [True, False, True]


def test_what_is_so_already_and_what_is_no_answer_is_refused(project: Project, browser: Browser) -> None:
    assert "acme-utils is not private already." in browser.submit(PAGE, is_private="no", status=422).text
    assert "Choose who may read it." in browser.submit(PAGE, is_private="perhaps", status=422).text
    assert not is_private(project.id)


def test_only_owners_say_who_may_read(project: Project, app: Flask) -> None:
    bo = db.session.scalars(sa.select(User).where(User.username == "bo")).one()

    assert Browser(app).sign_in(bo).post(PAGE, is_private="yes").status_code == 403
    assert not is_private(project.id)


def test_the_page_says_who_needs_it_and_who_belongs_to_it(project: Project, people: People, browser: Browser) -> None:
    ana = db.session.scalars(sa.select(User).where(User.username == "ana")).one()
    project.organization_id = people.an_organization("tide-office", ana).id
    tool = people.a_project("open-tool", ana)
    people.a_release(tool, by=ana).core_metadata = {"requires_dist": ["acme-utils>=1"]}
    db.session.commit()

    page = browser.page(PAGE)

    assert "and so can all members of Tide-Office" in page.text
    assert "open-tool needs it and can be installed only by those who may see it, too." in page.text


@pytest.mark.parametrize("path", HIDDEN)
def test_strangers_find_no_page_to_manage_it(project: Project, people: People, app: Flask, path: str) -> None:
    eve = Browser(app).sign_in(people.a_member("eve"))
    known = eve.get(f"{MANAGE}{path}").status_code
    hide(project)

    hidden, none = eve.page(f"{MANAGE}{path}", status=404), eve.page(f"/manage/project/oar/{path}", status=404)

    assert known == 403
    assert hidden.text == none.text


def test_members_of_its_organization_know_of_it_and_may_not_manage_it(
    project: Project, people: People, app: Flask
) -> None:
    ana, mia = (db.session.scalars(sa.select(User).where(User.username == "ana")).one(), people.a_member("mia"))
    project.organization_id = people.an_organization("tide-office", ana, members=(mia,)).id
    hide(project)

    assert Browser(app).sign_in(mia).get(f"{MANAGE}settings/").status_code == 403


def test_a_program_that_yanks_learns_nothing_of_it(project: Project, people: People, browser: Browser) -> None:
    credentials = authorized(people.a_token(people.a_member("eve"), grants=(Grant.YANK,))[1])
    path = "/api/projects/{}/releases/1.0/yank"
    known = browser.client.post(path.format("acme-utils"), headers=credentials).status_code
    hide(project)

    hidden, none = (
        browser.client.post(path.format(name), headers=credentials) for name in ("acme-utils", "nothing-here")
    )

    assert known == 403
    assert (hidden.status, hidden.data) == (none.status, none.data)
    assert hidden.status_code == 404


def test_an_offer_to_an_organization_tells_its_name_to_nobody_else(
    project: Project, people: People, app: Flask
) -> None:
    ana = db.session.scalars(sa.select(User).where(User.username == "ana")).one()
    office = people.an_organization("tide-office", people.a_member("olga"))
    offer = people.a_transfer(project, office, by=ana)
    eve = Browser(app).sign_in(people.a_member("eve"))
    path = f"/manage/organization/tide-office/projects/transfer/{offer.id}/accept"
    known = eve.get(path).status_code
    hide(project)

    assert known == 403
    assert eve.get(path).status_code == 404


def test_a_name_like_it_is_refused_without_saying_which(project: Project, people: People, app: Flask) -> None:
    hide(project)
    eve = Browser(app).sign_in(people.a_member("eve"))

    refused = eve.submit("/manage/projects/create/", name="acme-uti1s", status=422)

    assert "is too like one that exists. Choose another one." in refused.text
    assert "acme-utils" not in refused.text


def test_a_token_that_reads_is_offered_to_whoever_has_something_private_to_read(
    project: Project, people: People, browser: Browser, app: Flask
) -> None:
    before = browser.page("/manage/account/token/").text
    hide(project)
    eve = Browser(app).sign_in(people.a_member("eve"))

    assert "Read and install" not in before
    assert "Read and install: private projects among those below" in browser.page("/manage/account/token/").text
    assert "Read and install" not in eve.page("/manage/account/token/").text


def test_a_token_that_reads_one_project_is_made_on_the_page(project: Project, browser: Browser) -> None:
    hide(project)

    fields = {"description": "laptop", "grants": "read", "expires": "90", "reach": "projects"}
    nothing = browser.submit("/manage/account/token/", fields, status=422)
    made = browser.submit("/manage/account/token/", {**fields, "scope": "project:acme-utils"})

    assert "Choose at least one project, or all that you have a role in." in nothing.text
    assert "machine localhost login __token__ password" in made.text
    row = db.session.scalars(sa.select(ApiToken)).one()
    assert (row.grants, row.reaches_all, [each.name for each in row.projects]) == (["read"], False, ["acme-utils"])
