"""Each feature from its first page to its last, pressed through in Chromium without JavaScript."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from adapters.clock import SettableClock
from models import Project, User, db
from tests.browser.conftest import OpenPage
from tests.browser.live import Live
from tests.browser.resident import TOKENS
from tests.browser.visitor import Visitor
from tests.browsing import Browser
from tests.builders import People
from tests.packages import a_wheel
from tests.uploading import upload

pytestmark = pytest.mark.browser

PROJECT = "/manage/project/acme-utils"
SeatOf = Callable[[str], "Walker"]


class Walker(Visitor):
    """Somebody signed in, who has just confirmed that it is them, in a browser without scripts."""

    def go(self, path: str) -> None:
        self.page.goto(path)

    def follow(self, text: str) -> None:
        """The first link of this name in the body of the page."""
        self.page.get_by_role("main").get_by_role("link", name=text, exact=True).first.click()

    def choose(self, label: str) -> None:
        self.page.get_by_label(label).check()

    def reads(self, words: str) -> None:
        expect(self.page.get_by_role("main")).to_contain_text(words)


@pytest.fixture
def people(live: Live) -> People:
    return People(live.app, SettableClock(datetime.now(UTC)))


@pytest.fixture
def seat_of(live: Live, open_page: OpenPage, people: People) -> SeatOf:
    """The window of somebody by name; an account is made for who has none."""
    seats: dict[str, Walker] = {}

    def seat(name: str) -> Walker:
        if name not in seats:
            with live.app.app_context():
                user = people.an_administrator(name) if name == "root" else people.a_member(name)
                cookie = Browser(live.app).sign_in(user).client.get_cookie("countersign", domain="localhost")
            assert cookie is not None
            page: Page = open_page(java_script_enabled=False)
            page.context.add_cookies([{"name": "countersign", "value": cookie.value, "url": live.url}])
            seats[name] = Walker(page)
        return seats[name]

    return seat


def a_project(live: Live, people: People, owner: str, *, version: str | None = None) -> None:
    """acme-utils, with a release if one is named."""
    with live.app.app_context():
        user = db.session.query(User).filter_by(username=owner).one()
        project = people.a_project("acme-utils", user)
        if version:
            people.a_release(project, version, by=user)


def test_a_project_is_reserved_archived_handed_over_and_deleted(live: Live, seat_of: SeatOf) -> None:
    ana, bo = seat_of("ana"), seat_of("bo")
    ana.go("/manage/projects/")
    ana.follow("Reserve a name")
    ana.field("name").fill("Acme.Utils")
    ana.press("Reserve it")
    ana.reads("Acme.Utils is reserved for you.")

    ana.follow("Settings of Acme.Utils")
    ana.follow("Archive Acme.Utils")
    ana.press("Archive Acme.Utils")
    ana.reads("Acme.Utils is archived.")
    ana.follow("Open it again")
    ana.press("Open Acme.Utils again")
    ana.follow("Hand Acme.Utils over")
    ana.field("receiver").fill("bo")
    ana.field("confirm").fill("acme-utils")
    ana.press("Offer Acme.Utils")
    ana.reads("Acme.Utils is offered to bo")
    bo.go("/manage/projects/")
    bo.follow("Take over Acme.Utils")
    bo.press("Take Acme.Utils over")
    bo.arrives_at("Settings of Acme.Utils")
    bo.follow("Delete Acme.Utils")
    bo.field("confirm").fill("Acme.Utils")
    bo.press("Delete Acme.Utils")
    bo.reads("Names of deleted projects")
    bo.follow("Acme.Utils")

    expect(bo.field("name")).to_have_value("Acme.Utils")
    with live.app.app_context():
        assert db.session.query(Project).count() == 0


def test_a_release_is_yanked_deleted_and_restored(live: Live, seat_of: SeatOf, people: People) -> None:
    ana = seat_of("ana")
    with live.app.app_context():
        token = people.a_token(db.session.query(User).one())[1]
    assert upload(live.app, token, a_wheel()).status_code == 200
    ana.go(f"{PROJECT}/release/1.0/")

    ana.follow("Yank this release")
    ana.field("reason").fill("It loses data.")
    ana.press("Yank 1.0")
    ana.reads("acme-utils 1.0 is yanked.")
    ana.press("Take the yank back")
    ana.reads("acme-utils 1.0 is no longer yanked.")
    ana.follow("Delete this release")
    ana.field("confirm").fill("1.0")
    ana.press("Delete 1.0")
    ana.reads("Deleted lately")
    ana.page.get_by_role("link", name=re.compile("^Restore 1.0, deleted ")).click()
    ana.press("Restore 1.0")

    ana.reads("acme-utils 1.0 was restored.")


def test_a_token_is_made_renewed_and_removed(live: Live, seat_of: SeatOf, people: People) -> None:
    ana = seat_of("ana")
    a_project(live, people, "ana")
    ana.go(TOKENS)

    ana.field("description").fill("build server")
    ana.choose("acme-utils")
    ana.field("networks").fill("192.0.2.0/24")
    ana.press("Create token")
    ana.reads("csn_")
    ana.go(TOKENS)
    ana.follow("New secret for build server")
    ana.press("Make a new secret")
    ana.reads("csn_")
    ana.go(TOKENS)
    ana.follow("Remove all tokens")
    ana.press("Remove the token")

    ana.arrives_at("Create an API token")
    ana.reads("No token yet")


def test_somebody_is_invited_promoted_and_removed(live: Live, seat_of: SeatOf, people: People) -> None:
    ana, bo = seat_of("ana"), seat_of("bo")
    a_project(live, people, "ana")
    ana.go(f"{PROJECT}/collaboration/")

    ana.field("username").fill("bo@mail.example")
    ana.press("Invite")
    ana.reads("bo@mail.example is invited")
    bo.go("/manage/projects/")
    bo.press("Accept the invitation to acme-utils")
    bo.reads("You now look after acme-utils.")
    ana.go(f"{PROJECT}/collaboration/")
    ana.follow("Change role of bo")
    ana.choose("Owner: also delete releases, invite and remove people, archive, hand over or delete the project")
    ana.press("Change the role")
    ana.reads("bo is an owner of acme-utils now.")
    bo.go(f"{PROJECT}/collaboration/")
    bo.follow("Remove ana")
    bo.press("Remove ana")
    bo.reads("ana no longer looks after acme-utils.")
    bo.follow("Leave acme-utils")
    bo.press("Leave acme-utils")

    bo.reads("acme-utils needs an owner, and bo is the only one.")


def test_an_organization_is_requested_approved_filled_and_left(live: Live, seat_of: SeatOf) -> None:
    ana, bo, root = seat_of("ana"), seat_of("bo"), seat_of("root")
    ana.go("/manage/organizations/request/")
    ana.field("name").fill("tide-office")
    ana.field("display_name").fill("The Tide Office")
    ana.field("purpose").fill("We look after the tide gauges of this coast together.")
    ana.press("Send the request")
    root.go("/admin/organizations/")
    root.follow("tide-office")
    root.choose("Approve: the organization is made at once")
    root.press("Send")
    root.reads("The organization tide-office exists now.")
    ana.go("/manage/organization/tide-office/people/")

    ana.field("guest").fill("bo")
    ana.press("Invite")
    bo.go("/manage/organizations/")
    bo.press("Accept the invitation to tide-office")
    ana.go("/manage/organization/tide-office/projects/")
    ana.field("name").fill("tide-tables")
    ana.press("Reserve it")
    ana.go("/manage/organization/tide-office/teams/")
    ana.field("name").fill("Crew")
    ana.press("Create the team")
    ana.field("username").fill("bo")
    ana.press("Add to the team")
    ana.field("project").fill("tide-tables")
    ana.press("Give the role")
    bo.go("/manage/projects/")
    bo.reads("tide-tables")
    bo.go("/manage/organization/tide-office/people/leave")
    bo.press("Leave The Tide Office")
    bo.go("/manage/projects/")

    expect(bo.page.get_by_role("main")).not_to_contain_text("tide-tables")


def test_publishers_are_trusted_wait_and_are_alone(live: Live, seat_of: SeatOf, people: People) -> None:
    ana, root = seat_of("ana"), seat_of("root")
    a_project(live, people, "ana")
    root.go("/admin/issuers/")
    root.choose("Forgejo, Gitea, or anything else that signs OpenID Connect tokens")
    root.field("name").fill("Our forge")
    root.field("url").fill("https://forge.acme.example")
    root.press("Add")
    root.reads("Publishers can name Our forge now.")

    ana.go(f"{PROJECT}/publishing/")
    ana.follow("Other issuer")
    ana.field("sub").fill("repo:acme/utils")
    ana.press("Add")
    ana.reads("is now a trusted publisher.")
    ana.follow("Take trusted publishers only")
    ana.press("Take trusted publishers only")
    ana.reads("acme-utils takes trusted publishers only.")
    ana.go("/manage/account/publishing/")
    ana.field("project_name").fill("acme-next")
    ana.field("owner").fill("acme")
    ana.field("repository").fill("next")
    ana.field("workflow").fill("release.yml")
    ana.press("Add")
    ana.reads("acme/next/release.yml on GitHub creates acme-next.")
    ana.follow("Remove acme/next/release.yml on GitHub")
    ana.press("Remove it")

    ana.reads("Nothing waits")


def test_histories_are_looked_through_and_the_account_is_deleted(live: Live, seat_of: SeatOf, people: People) -> None:
    ana = seat_of("ana")
    a_project(live, people, "ana")
    ana.go(f"{PROJECT}/settings/archive")
    ana.press("Archive acme-utils")
    ana.go(f"{PROJECT}/history/")
    ana.reads("Project acme-utils archived")
    ana.go("/manage/account/delete/")
    ana.reads("acme-utils")
    ana.go(f"{PROJECT}/settings/delete")
    ana.field("confirm").fill("acme-utils")
    ana.press("Delete acme-utils")
    ana.go("/manage/account/delete/")

    ana.field("confirm").fill("ana")
    ana.press("Delete ana")

    ana.page.get_by_text("Your account is deleted. Goodbye.").wait_for()
