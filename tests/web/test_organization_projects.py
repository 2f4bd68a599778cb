"""The projects of an organization on its pages."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import throttle
from models import Organization, Project, ProjectRole, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of

PROJECTS = "/manage/organization/Tide-Office/projects/"
GIVE_BACK = f"{PROJECTS}tide-tables/give-back"


class Office:
    """An organization: ana owns it, max manages it, bo is in it; it owns a project."""

    def __init__(self, people: People) -> None:
        self.ana, self.max, self.bo = people.a_member("ana"), people.a_member("max"), people.a_member("bo")
        self.dan = people.a_member("dan")
        self.organization: Organization = people.an_organization(
            "Tide-Office", self.ana, managers=(self.max,), members=(self.bo,)
        )
        self.project: Project = people.an_organizations_project("tide-tables", self.organization)

    def user(self, name: str) -> User:
        user: User = getattr(self, name)
        return user


@pytest.fixture
def office(people: People) -> Office:
    return Office(people)


def owned() -> list[str]:
    of_some = sa.select(Project.name).where(Project.organization_id.is_not(None))
    return list(db.session.scalars(of_some.order_by(Project.name)))


def an_owner(office: Office, user: User) -> None:
    part = {"project_id": office.project.id, "user_id": user.id, "role": "owner"}
    db.session.add(ProjectRole(since=user.registered_at, **part))
    db.session.commit()


def test_a_manager_reserves_a_name_for_the_organization(office: Office, browser: Browser) -> None:
    browser.sign_in(office.max)

    page = browser.submit(f"{PROJECTS}create", name="Buoys")

    assert "Buoys is reserved for Tide-Office." in page.text
    assert owned() == ["Buoys", "tide-tables"]
    assert browser.get("/manage/project/buoys/releases/").status_code == 403  # it is the owners', not hers


@pytest.mark.parametrize(("who", "status"), [("ana", 303), ("max", 303), ("bo", 403), ("dan", 403)])
def test_who_may_reserve(office: Office, browser: Browser, who: str, status: int) -> None:
    browser.sign_in(office.user(who))

    assert browser.post(f"{PROJECTS}create", name="buoys").status_code == status
    assert ("buoys" in owned()) == (status == 303)


@pytest.mark.parametrize(("who", "status"), [("ana", 303), ("max", 403), ("bo", 403), ("dan", 403)])
def test_who_may_give_back(office: Office, browser: Browser, who: str, status: int) -> None:
    an_owner(office, office.dan)  # who owns the project, but nothing of the organization
    browser.sign_in(office.user(who))

    assert browser.post(GIVE_BACK).status_code == status
    assert (owned() == []) == (status == 303)


@pytest.mark.parametrize("name", ["", "os", "Tide_Tables", "x" * 101])
def test_a_name_that_cannot_be_had_is_refused_at_its_field(office: Office, browser: Browser, name: str) -> None:
    browser.sign_in(office.ana)

    page = browser.submit(f"{PROJECTS}create", name=name, status=422)

    assert page.root.find(".//*[@id='name-error']") is not None
    assert owned() == ["tide-tables"]


def test_names_for_organizations_count_as_names(office: Office, browser: Browser, clock: SettableClock) -> None:
    browser.sign_in(office.ana)
    for _ in range(20):
        throttle.take(db.session(), (throttle.RESERVE_NAME, str(office.ana.id)), now=clock.now())
    db.session.commit()

    assert browser.post(f"{PROJECTS}create", name="buoys").status_code == 429
    assert owned() == ["tide-tables"]


@pytest.mark.parametrize(
    ("who", "shown"),
    [("ana", ("Reserve a name", "Give back")), ("max", ("Reserve a name",)), ("bo", ())],
)
def test_the_list_shows_what_one_may_do(office: Office, browser: Browser, who: str, shown: tuple[str, ...]) -> None:
    office.project.status = "archived"
    db.session.commit()
    browser.sign_in(office.user(who))

    page = browser.page(PROJECTS)

    assert "tide-tables" in page.text
    assert "Archived" in page.text
    assert tuple(words for words in ("Reserve a name", "Give back") if words in page.text) == shown


def test_an_organization_without_projects_says_what_to_do(office: Office, browser: Browser, people: People) -> None:
    people.an_organization("empty", office.ana, members=(office.bo,))
    browser.sign_in(office.ana)
    assert "Reserve a name below." in browser.page("/manage/organization/empty/projects/").text
    browser.sign_in(office.bo)
    assert "An owner or a manager can" in browser.page("/manage/organization/empty/projects/").text


def test_giving_back_names_who_gets_it_and_who_loses_what(office: Office, browser: Browser, people: People) -> None:
    an_owner(office, office.dan)
    people.a_team("Crew", office.organization, members=(office.bo,), projects=((office.project, "maintainer"),))
    browser.sign_in(office.ana)

    asked = browser.page(GIVE_BACK)
    done = browser.submit(GIVE_BACK)

    assert "Give tide-tables back to its own owners?" in asked.text
    assert "tide-tables then belongs to dan" in asked.text
    assert "ana (owner, by Tide-Office)" in asked.text
    assert "bo (maintainer, by Crew)" in asked.text
    assert "tide-tables belongs to its own owners, and to Tide-Office no longer." in done.text
    assert owned() == []
    assert browser.get(GIVE_BACK).status_code == 404


def test_without_an_owner_of_its_own_the_page_says_what_to_do_first(office: Office, browser: Browser) -> None:
    browser.sign_in(office.ana)

    asked = browser.page(GIVE_BACK)
    refused = browser.submit(GIVE_BACK, status=422)

    assert "it would belong to nobody" in asked.text
    assert "Invite an owner" in asked.text
    assert "no owner of its own to be given back to" in refused.text
    assert owned() == ["tide-tables"]


@pytest.mark.parametrize(
    "path",
    [
        "/manage/organization/ghost/projects/",
        "/manage/organization/ghost/projects/tide-tables/give-back",
        f"{PROJECTS}ghost/give-back",
        f"{PROJECTS}dans-own/give-back",
        "/manage/organization/other/projects/tide-tables/give-back",
        f"{PROJECTS}%00/give-back",
    ],
)
def test_what_is_not_there_is_not_found(office: Office, browser: Browser, people: People, path: str) -> None:
    people.a_project("dans-own", office.dan)
    people.an_organization("other", office.ana)
    browser.sign_in(office.ana)

    assert browser.get(path).status_code == 404


def test_strangers_are_stopped(office: Office, app: Flask) -> None:
    assert Browser(app).sign_in(office.dan).get(PROJECTS).status_code == 403
    assert Browser(app).get(PROJECTS).status_code == 303


def test_what_was_typed_is_kept_while_one_confirms(office: Office, browser: Browser, clock: SettableClock) -> None:
    browser.sign_in(office.ana)
    clock.advance(timedelta(minutes=16))

    browser.submit(f"{PROJECTS}create", name="buoys")
    page = browser.submit("/account/reauthenticate/", password=PASSWORD, totp_value=code_of(office.ana, clock))

    field = page.root.find(".//*[@id='name']")
    assert field is not None
    assert field.get("value") == "buoys"
    assert owned() == ["tide-tables"]


def test_more_than_fifty_are_on_a_second_page(office: Office, people: People, browser: Browser) -> None:
    for number in range(55):
        people.an_organizations_project(f"charts{number:02}", office.organization)
    browser.sign_in(office.ana)

    first, second = browser.page(PROJECTS), browser.page(f"{PROJECTS}?after=charts49")

    assert "More projects" in first.text
    assert "charts49" in first.text
    assert "charts50" not in first.text
    assert "charts50" in second.text
    assert "More projects" not in second.text
