"""Deleting one's account: what goes, what stays, and when it cannot be."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.account_deletion import delete_account
from domain.index import collaborators
from domain.index.ownership import owned_alone_for_good
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.problems import Problem
from models import ApiToken, Event, Mail, Project, ProjectRole, Release, RetiredName, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People
from tests.permits import permit_for
from tests.races import at_once
from tests.web.test_project_history import note

DELETE = "/manage/account/delete/"


def test_the_account_goes_and_what_it_published_stays(
    app: Flask, browser: Browser, people: People, clock: SettableClock
) -> None:
    ana, bo = people.a_member("ana"), people.a_member("bo")
    tide = people.a_project("tide-tables", bo, maintainers=(ana,))
    release = people.a_release(tide, by=ana).id
    people.a_token(ana)
    note(tide, "project:invitation:sent", clock, by=ana, about=bo)
    browser.sign_in(ana)

    page = browser.submit(DELETE, confirm="ana")

    assert "Your account is deleted" in page.text
    assert browser.get("/manage/account/").headers["Location"].startswith("/account/login/")
    assert [user.username for user in db.session.scalars(sa.select(User))] == ["bo"]
    assert db.session.scalars(sa.select(ApiToken)).all() == []
    assert db.session.get_one(Release, release).uploaded_by_id is None
    mail = db.session.scalars(sa.select(Mail).where(Mail.notice == "account-deleted")).one()
    assert (mail.to, mail.user_id) == ("ana@mail.example", None)
    gone = db.session.scalars(sa.select(Event).where(Event.tag == "account:user:deleted")).one()
    assert (gone.actor_id, gone.details) == (None, {"username": "ana"})
    assert "203.0.113.7" not in Browser(app, address="192.0.2.1").sign_in(bo).page("/manage/account/history/").html


def test_nobody_gets_the_name_again_and_the_form_says_only_that_it_is_taken(
    app: Flask, browser: Browser, people: People
) -> None:
    browser.sign_in(people.a_member("ana")).submit(DELETE, confirm="ana")
    fields = {"email": "new@mail.example", "new_password": PASSWORD, "password_confirm": PASSWORD}

    page = Browser(app).submit("/account/register/", {**fields, "username": "Ana", "full_name": ""}, status=422)

    assert "This username is taken. Choose another one." in page.text
    assert db.session.scalars(sa.select(RetiredName.key)).all() == ["ana"]


@pytest.mark.parametrize("typed", ["", "Ana", "bo"])
def test_the_username_has_to_be_typed(browser: Browser, people: People, typed: str) -> None:
    browser.sign_in(people.a_member("ana"))

    page = browser.submit(DELETE, confirm=typed, status=422)

    assert "Type the username ana to delete the account." in page.text
    assert db.session.scalar(sa.select(User.username)) == "ana"


def test_whoever_owns_something_alone_hands_it_over_first(browser: Browser, people: People) -> None:
    ana, frozen = people.a_member("ana"), people.a_user("ice").frozen().build()
    tide, shared = people.a_project("tide-tables", ana), people.a_project("lantern", ana)
    for project, user in ((tide, frozen), (shared, people.a_member("bo"))):
        db.session.add(ProjectRole(project_id=project.id, user_id=user.id, role="owner", since=ana.registered_at))
    people.an_organizations_project("buoy", people.an_organization("acme", ana))
    browser.sign_in(ana)

    page, refused = browser.page(DELETE), browser.submit(DELETE, confirm="ana", status=422)

    assert "/manage/project/tide-tables/collaboration/" in page.links()
    assert "/manage/organization/acme/people/" in page.links()
    assert "/manage/project/lantern/collaboration/" not in page.links()
    assert "You are the only owner of tide-tables, acme." in refused.text
    assert page.value("confirm") is None  # no form that could only be refused
    assert db.session.scalar(sa.select(User.id).where(User.username == "ana")) is not None


def test_the_last_administrator_stays(browser: Browser, people: People) -> None:
    browser.sign_in(people.an_administrator("root"))

    page = browser.submit(DELETE, confirm="root", status=422)

    assert "You are the only administrator" in page.text
    people.an_administrator("other")
    assert "Your account is deleted" in browser.submit(DELETE, confirm="root").text


def test_two_owners_who_go_at_once_leave_one_behind(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana, bo = people.a_member("ana"), people.a_member("bo")
    tide = people.a_project("tide-tables", ana)
    db.session.add(ProjectRole(project_id=tide.id, user_id=bo.id, role="owner", since=clock.now()))
    db.session.commit()
    going = permit_for(ana, Action.DELETE_ACCOUNT, None, now=clock.now())
    leaving = permit_for(bo, Action.LEAVE_PROJECT, tide, now=clock.now())
    project_id, notices = tide.id, wiring_of(either_app).notices
    db.session.expunge_all()  # what the permits name is read by other threads
    db.session.rollback()

    def go(permit: Permit = going) -> None:
        delete_account(
            db.session(), permit, notices, confirmation="ana", owned_alone=owned_alone_for_good, now=clock.now()
        )

    def leave() -> None:
        collaborators.leave(db.session(), leaving, notices, db.session.get_one(Project, project_id), now=clock.now())

    refusals = at_once(either_app, go, leave)

    assert [type(refusal) for refusal in refusals].count(Problem) == 1
    owners = sa.select(sa.func.count()).select_from(ProjectRole).where(ProjectRole.project_id == project_id)
    assert db.session.scalar(owners) == 1


def test_it_asks_again_who_one_is(browser: Browser, people: People, clock: SettableClock) -> None:
    browser.sign_in(people.a_member("ana"))
    clock.advance(timedelta(minutes=16))

    assert browser.get(DELETE).headers["Location"] == "/account/reauthenticate/"
