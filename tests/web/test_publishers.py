"""What may upload to a project, on the pages: trusted publishers are listed, added and removed."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.throttle import ADD_PUBLISHER, ADD_PUBLISHER_FROM_ADDRESS
from domain.index import publishers
from domain.index.publisher_identities import GITHUB
from domain.policy.actions import Action
from domain.problems import Problem
from models import Attempt, Event, Issuer, Mail, Project, TrustedPublisher, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.packages import a_wheel
from tests.permits import permit_for
from tests.races import at_once
from tests.uploading import upload

PAGE = "/manage/project/acme-utils/publishing/"
UTILS = {"owner": "Acme", "repository": "acme-utils", "workflow": "release.yml"}
ADDED = {"provider": "github", **UTILS}
CALLED = "acme/acme-utils/release.yml on GitHub"


@pytest.fixture
def project(people: People, browser: Browser) -> Project:
    """The project acme-utils, whose owner ana is signed in; bo helps."""
    ana = people.a_member("ana")
    browser.sign_in(ana)
    return people.a_project("acme-utils", ana, maintainers=(people.a_member("bo"),))


def stored() -> list[TrustedPublisher]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(TrustedPublisher)))


def told() -> list[tuple[str, str]]:
    return [(mail.notice, mail.to) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]


def test_a_publisher_comes_and_goes_and_everybody_is_told(project: Project, browser: Browser) -> None:
    empty = browser.page(PAGE)
    added = browser.submit(f"{PAGE}add", {**ADDED, "ref": "refs/tags/v*"})
    number = stored()[0].id
    asked = browser.page(f"{PAGE}{number}/remove")
    removed = browser.submit(f"{PAGE}{number}/remove")

    assert "acme-utils has no trusted publisher yet." in empty.text
    assert "uv publish --trusted-publishing always --publish-url http://localhost:8000/legacy/" in empty.text
    assert f"{CALLED} is now a trusted publisher." in added.text
    assert "refs/tags/v*" in added.text
    assert "Remove this trusted publisher?" in asked.text
    assert f"{CALLED} is no trusted publisher of acme-utils any more." in removed.text
    assert stored() == []
    mails = told()
    assert {to for notice, to in mails if notice == "publisher-added"} == {"ana@mail.example", "bo@mail.example"}
    assert {to for notice, to in mails if notice == "publisher-removed"} == {"ana@mail.example", "bo@mail.example"}
    tags = db.session.scalars(sa.select(Event.tag).where(Event.tag.like("project:publisher:%")).order_by(Event.id))
    assert list(tags) == ["project:publisher:added", "project:publisher:removed"]


def test_the_form_is_filled_in_from_a_link_and_says_so(project: Project, browser: Browser) -> None:
    page = browser.page(f"{PAGE}?provider=github&owner=acme&repository=x&workflow=release.yml")

    assert "This was filled in from the link you followed. Check it" in page.text
    assert 'value="release.yml"' in page.response.text
    assert stored() == []
    assert "filled in from the link" not in browser.page(f"{PAGE}?provider=gitlab").text
    assert browser.page(f"{PAGE}?provider=%00&owner=%00").response.status_code == 200


def test_each_providers_form_stands_at_its_address(project: Project, browser: Browser) -> None:
    db.session.add(Issuer(url="https://ci.acme.example", provider="oidc", name="Acme CI", added_at=project.created_at))
    db.session.commit()
    values = {
        "gitlab": {"issuer": "https://gitlab.com", "namespace": "a", "project": "b", "workflow_filepath": "ci.yml"},
        "google": {"email": "ci@acme.example"},
        "activestate": {"organization": "a", "project": "b", "actor": "c"},
        "oidc": {"issuer": "https://ci.acme.example", "sub": "job:*", "claims": "zone=a"},
    }

    for provider, typed in values.items():
        assert browser.page(f"{PAGE}?provider={provider}").response.status_code == 200
        browser.submit(f"{PAGE}add", {**typed, "provider": provider})

    assert [row.provider for row in stored()] == list(values)


def test_without_an_added_issuer_the_other_form_says_whom_to_ask(project: Project, browser: Browser) -> None:
    assert "No administrator has added another issuer yet." in browser.page(f"{PAGE}?provider=oidc").text


def test_what_is_wrong_is_said_at_its_field(project: Project, browser: Browser) -> None:
    page = browser.submit(f"{PAGE}add", {**ADDED, "workflow": ".github/workflows/release.yml"}, status=422)

    assert "Give the name of a file in .github/workflows/ alone" in page.text
    assert browser.post(f"{PAGE}add", {**ADDED, "provider": "svn"}).status_code == 404
    assert stored() == []


def test_the_same_publisher_is_not_added_twice(project: Project, browser: Browser, people: People) -> None:
    people.a_publisher(project)

    page = browser.submit(f"{PAGE}add", ADDED, status=422)

    assert f"{CALLED} is a trusted publisher of acme-utils already" in page.text
    assert len(stored()) == 1


def test_another_projects_publisher_does_not_exist_here(project: Project, browser: Browser, people: People) -> None:
    theirs = people.a_publisher(people.a_project("tide-tables", people.a_member("cy")))

    for number in (theirs.id, 999, 2**31):
        assert browser.post(f"{PAGE}{number}/remove").status_code == 404
    assert len(stored()) == 1


def test_only_owners_see_and_add(project: Project, app: Flask) -> None:
    bo = db.session.scalars(sa.select(User).where(User.username == "bo")).one()
    browser = Browser(app).sign_in(bo)

    assert browser.get(PAGE).status_code == 403
    assert browser.post(f"{PAGE}add", ADDED).status_code == 403
    assert stored() == []


def test_a_spent_budget_is_said(project: Project, browser: Browser, clock: SettableClock) -> None:
    browser.submit(f"{PAGE}add", ADDED)
    db.session.execute(sa.update(Attempt).where(Attempt.bucket.startswith(ADD_PUBLISHER.name)).values(count=100))
    db.session.commit()

    page = browser.submit(f"{PAGE}add", {**ADDED, "repository": "other"}, status=429)

    assert "Too many new trusted publishers." in page.text


def test_another_account_at_the_same_address_gets_around_no_budget(
    project: Project, browser: Browser, app: Flask, people: People
) -> None:
    dan = people.a_member("dan")
    people.a_project("buoy", dan)
    browser.submit(f"{PAGE}add", ADDED)
    spent = Attempt.bucket.startswith(ADD_PUBLISHER_FROM_ADDRESS.name)
    db.session.execute(sa.update(Attempt).where(spent).values(count=100))
    db.session.commit()

    here = Browser(app).sign_in(dan).submit("/manage/project/buoy/publishing/add", ADDED, status=429)
    waiting = browser.submit("/manage/account/publishing/", ADDED, project_name="oar", status=429)
    elsewhere = Browser(app, address="198.51.100.9").sign_in(dan).submit("/manage/project/buoy/publishing/add", ADDED)

    assert "Too many new trusted publishers from here." in here.text
    assert "Too many new trusted publishers from here." in waiting.text
    assert f"{CALLED} is now a trusted publisher." in elsewhere.text


def test_the_same_added_at_once_is_added_once(either_app: Flask, clock: SettableClock) -> None:
    people = People(either_app, clock)
    ana = people.a_member("ana")
    project_id, ana_id = people.a_project("acme-utils", ana).id, ana.id
    notices = wiring_of(either_app).notices

    def add() -> None:
        project, user = db.session.get_one(Project, project_id), db.session.get_one(User, ana_id)
        permit = permit_for(user, Action.ADD_PUBLISHER, project, now=clock.now())
        publishers.add(db.session(), permit, notices, project, provider=GITHUB, values=UTILS, now=clock.now())

    db.session.rollback()

    refusals = at_once(either_app, partial(add), partial(add), partial(add))

    assert len([refusal for refusal in refusals if refusal is None]) == 1
    assert len(stored()) == 1


def uploaders(project_id: int) -> bool:
    db.session.rollback()
    return db.session.get_one(Project, project_id).takes_tokens


def test_a_project_takes_trusted_publishers_only_and_tokens_again(
    project: Project, browser: Browser, app: Flask, people: People
) -> None:
    bo = db.session.scalars(sa.select(User).where(User.username == "bo")).one()
    project_id, text = project.id, people.a_token(bo, "nightly")[1]
    people.a_publisher(project)

    asked = browser.page(f"{PAGE}uploaders")
    shut = browser.submit(f"{PAGE}uploaders", takes_tokens="no")
    refused = upload(app, text, a_wheel())
    again = browser.page(f"{PAGE}uploaders")
    opened = browser.submit(f"{PAGE}uploaders", takes_tokens="yes")

    assert asked.h1 == "Take trusted publishers only?"
    assert "“nightly” of bo" in asked.text
    assert "Its one trusted publisher stays" in asked.text
    assert "acme-utils takes trusted publishers only." in shut.text
    assert "API tokens are refused." in shut.text
    assert refused.status_code == 403
    assert "takes files from trusted publishers only" in refused.status
    assert again.h1 == "Take API tokens again?"
    assert "acme-utils takes API tokens again." in opened.text
    assert uploaders(project_id)
    assert upload(app, text, a_wheel()).status_code == 200
    mails = [to for notice, to in told() if notice == "project-uploaders"]
    assert sorted(mails) == ["ana@mail.example"] * 2 + ["bo@mail.example"] * 2
    tags = db.session.scalars(sa.select(Event.tag).where(Event.tag.like("project:tokens:%")).order_by(Event.id))
    assert list(tags) == ["project:tokens:refused", "project:tokens:accepted"]


def test_without_a_publisher_the_page_warns_first(project: Project, browser: Browser) -> None:
    page = browser.page(f"{PAGE}uploaders")

    assert "acme-utils has no trusted publisher yet: nothing could upload to it then." in page.text
    assert "None reaches it today." in page.text


def test_what_is_so_already_is_refused(project: Project, browser: Browser) -> None:
    assert "takes API tokens already" in browser.submit(f"{PAGE}uploaders", takes_tokens="yes", status=422).text
    browser.submit(f"{PAGE}uploaders", takes_tokens="no")
    nonsense = browser.submit(f"{PAGE}uploaders", takes_tokens="maybe", status=422)
    assert "Choose what may upload." in nonsense.text


def test_only_owners_say_what_may_upload(project: Project, app: Flask) -> None:
    bo = db.session.scalars(sa.select(User).where(User.username == "bo")).one()

    assert Browser(app).sign_in(bo).post(f"{PAGE}uploaders", takes_tokens="no").status_code == 403


@pytest.mark.parametrize("status", ["archived", "quarantined"])
def test_a_project_that_takes_no_files_gets_no_publisher(project: Project, browser: Browser, status: str) -> None:
    project.status = status
    db.session.commit()

    page = browser.page(PAGE)
    refused = browser.submit(f"{PAGE}add", ADDED, status=403)

    assert f"acme-utils is {status}, and takes no new publisher." in page.text
    assert refused.stop is not None
    assert stored() == []


def test_owners_find_publishing_and_settings_on_every_page_of_the_project(
    project: Project, browser: Browser, app: Flask, people: People
) -> None:
    bo = db.session.scalars(sa.select(User).where(User.username == "bo")).one()
    theirs = Browser(app).sign_in(bo)
    here = "/manage/project/acme-utils/"

    for page in ("releases/", "collaboration/", "history/"):
        assert {PAGE, f"{here}settings/"} <= set(browser.page(f"{here}{page}").links()), page
        assert not {PAGE, f"{here}settings/"} & set(theirs.page(f"{here}{page}").links()), page


def test_whoever_owns_it_no_longer_changes_nothing(project: Project, clock: SettableClock, app: Flask) -> None:
    """The permit is given before the project is locked."""
    bo, now = db.session.scalars(sa.select(User).where(User.username == "bo")).one(), clock.now()
    permit = permit_for(bo, Action.CHANGE_UPLOADERS, project, now=now)

    with pytest.raises(Problem, match="no longer have the role"):
        publishers.set_uploaders(db.session(), permit, wiring_of(app).notices, project, takes_tokens=False, now=now)
