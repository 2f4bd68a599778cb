"""The people of an organization, on the pages."""

import pytest
import sqlalchemy as sa
from flask import Flask

from models import Organization, OrganizationMember, User, db
from tests.browsing import Browser, Page
from tests.builders import People
from tests.packages import a_wheel
from tests.uploading import upload

PEOPLE = "/manage/organization/acme/people/"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def bo(people: People) -> User:
    return people.a_member("bo")


@pytest.fixture
def acme(people: People, browser: Browser, ana: User, bo: User) -> Organization:
    """An organization of ana, who is signed in; bo is a member, mia a manager without a second factor."""
    browser.sign_in(ana)
    return people.an_organization("acme", ana, managers=(people.a_user("mia").verified().build(),), members=(bo,))


def parts() -> dict[str, str]:
    db.session.expire_all()
    return {part.user.username: part.role for part in db.session.scalars(sa.select(OrganizationMember))}


def rows(page: Page) -> list[str]:
    return [" ".join(" ".join(row.itertext()).split()) for row in page.root.iter("tr") if row.find("td") is not None]


def test_owners_alone_see_second_factors_and_change_people(
    acme: Organization, browser: Browser, app: Flask, bo: User
) -> None:
    owners, members = browser.page(PEOPLE), Browser(app).sign_in(bo).page(PEOPLE)

    assert rows(owners) == [
        "ana you owner 22 Nov 2026 authenticator app Change role of ana Leave Acme",
        "bo member 22 Nov 2026 authenticator app Change role of bo Remove bo",
        "mia manager 22 Nov 2026 None Change role of mia Remove mia",
    ]
    assert rows(members) == [
        "ana owner 22 Nov 2026",
        "bo you member 22 Nov 2026 Leave Acme",
        "mia manager 22 Nov 2026",
    ]
    assert "authenticator" not in members.text


def test_a_role_is_changed_after_a_question(acme: Organization, browser: Browser) -> None:
    asked = browser.page(f"{PEOPLE}role?username=bo")
    done = browser.submit(f"{PEOPLE}role", username="bo", role="manager")
    again = browser.submit(f"{PEOPLE}role", username="bo", role="manager", status=422)
    garbage = browser.submit(f"{PEOPLE}role", username="bo", role="king", status=422)

    assert asked.h1 == "Which role for bo?"
    assert "bo is a manager now." in done.text
    assert "bo is a manager already." in again.text
    assert "Choose what they are to be." in garbage.text
    assert parts() == {"ana": "owner", "bo": "manager", "mia": "manager"}


def test_somebody_is_removed_after_a_question(acme: Organization, browser: Browser) -> None:
    asked = browser.page(f"{PEOPLE}remove?username=bo")
    done = browser.submit(f"{PEOPLE}remove", username="bo")

    assert asked.h1 == "Remove bo from Acme?"
    assert "bo no longer belongs to acme." in done.text
    assert parts() == {"ana": "owner", "mia": "manager"}


@pytest.mark.parametrize("page", ["role", "remove"])
@pytest.mark.parametrize("username", ["ghost", "", "%00", "%C3%A9"])
def test_there_is_no_question_about_somebody_else(
    acme: Organization, browser: Browser, page: str, username: str
) -> None:
    browser.page(f"{PEOPLE}{page}?username={username}", status=404)


def test_a_member_leaves_and_the_last_owner_cannot(acme: Organization, browser: Browser, app: Flask, bo: User) -> None:
    gone = Browser(app).sign_in(bo).submit(f"{PEOPLE}leave")
    kept = browser.submit(f"{PEOPLE}leave", status=422)

    assert "You no longer belong to acme." in gone.text
    assert "acme needs an owner, and ana is the only one. Make somebody else an owner first." in kept.text
    assert parts() == {"ana": "owner", "mia": "manager"}


@pytest.mark.parametrize("path", ["role", "remove"])
def test_members_managers_and_strangers_change_nobody(
    acme: Organization, app: Flask, people: People, bo: User, path: str
) -> None:
    people.a_member("eve")
    part = db.session.scalars(sa.select(OrganizationMember).where(OrganizationMember.user_id == bo.id)).one()
    before = None
    for role in ("member", "manager"):
        part.role = role
        db.session.commit()
        before = parts()
        page = Browser(app).sign_in(bo).submit(f"{PEOPLE}{path}", username="ana", role="member", status=403)
        assert page.stop is not None
    eve = db.session.scalars(sa.select(User).where(User.username == "eve")).one()
    Browser(app).sign_in(eve).page(PEOPLE, status=403)
    Browser(app).sign_in(eve).submit(f"{PEOPLE}{path}", username="ana", role="member", status=403)

    assert parts() == before


def test_many_people_are_paged_in_as_many_statements_as_few(
    acme: Organization, browser: Browser, people: People
) -> None:
    def statements(path: str) -> int:
        seen: list[str] = []
        sa.event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        browser.page(path)
        return len(seen)

    few = statements(PEOPLE)
    for number in range(60):
        user = people.a_user(f"user{number:02}").verified().build()
        db.session.add(
            OrganizationMember(organization_id=acme.id, user_id=user.id, role="member", since=acme.created_at)
        )
    db.session.commit()

    assert statements(PEOPLE) <= few + 1
    first = browser.page(PEOPLE)
    second = browser.page(next(link for link in first.links() if "after=" in link))
    assert (len(rows(first)), len(rows(second))) == (50, 13)


def test_a_member_who_is_removed_uploads_no_more(
    acme: Organization, browser: Browser, app: Flask, people: People, bo: User
) -> None:
    tides = people.an_organizations_project("tide-tables", acme)
    people.a_team("Crew", acme, members=(bo,), projects=((tides, "maintainer"),))
    _, text = people.a_token(bo)
    first = upload(app, text, a_wheel("tide-tables", "1.0"))

    browser.submit(f"{PEOPLE}remove", username="bo")
    second = upload(app, text, a_wheel("tide-tables", "1.1"))

    assert (first.status_code, second.status_code) == (200, 403)
