"""The settings of an organization: what it says of itself, its rule of keys, its end."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import Event, Invitation, Mail, Organization, OrganizationMember, RetiredName, Transfer, User, db
from tests.authenticator import Authenticator
from tests.browsing import Browser
from tests.builders import People
from tests.packages import a_wheel
from tests.uploading import upload

HERE = "/manage/organization/acme/"
SETTINGS, KEYS, DELETE = f"{HERE}settings/", f"{HERE}settings/keys", f"{HERE}settings/delete"
FACTS = {"display_name": "Acme Ltd", "url": "https://acme.example/", "description": "Gauges"}


@pytest.fixture
def kim(people: People) -> User:
    """An owner with an authenticator app and a security key."""
    return people.a_user("kim").verified().with_totp().with_passkey(Authenticator()).with_recovery_codes().build()


@pytest.fixture
def bo(people: People) -> User:
    return people.a_member("bo")


@pytest.fixture
def acme(people: People, browser: Browser, kim: User, bo: User) -> Organization:
    """An organization of kim, who is signed in, with the member bo, who has no key."""
    browser.sign_in(kim)
    return people.an_organization("acme", kim, members=(bo,))


def mails() -> list[tuple[str, str]]:
    return [(mail.notice, mail.to) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]


def tags() -> list[str]:
    told = sa.select(Event.tag).where(Event.tag.startswith("organization:"))
    return list(db.session.scalars(told.order_by(Event.id)))


def test_owners_change_what_it_says_of_itself(acme: Organization, browser: Browser) -> None:
    page = browser.submit(f"{SETTINGS}edit", FACTS)
    again = browser.submit(f"{SETTINGS}edit", FACTS, status=422)

    assert "The settings are saved." in page.text
    assert page.value("display_name") == "Acme Ltd"
    assert browser.page("/org/acme/").h1 == "Acme Ltd"
    assert "Nothing is different from what it says now." in again.text
    assert mails() == [("organization-edited", "kim@mail.example")]
    assert tags() == ["organization:settings:edited"]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("display_name", "", "Say what the organization is called."),
        ("url", "ftp://acme.example", "Write a web address that begins with https:// or http://."),
        ("description", "x\0", "Leave out line breaks and control characters."),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(
    acme: Organization, browser: Browser, field: str, typed: str, words: str
) -> None:
    page = browser.submit(f"{SETTINGS}edit", {**FACTS, field: typed}, status=422)

    error = page.root.find(f".//*[@id='{field}-error']")
    assert error is not None
    assert words in "".join(error.itertext())
    assert tags() == []


def test_members_read_the_settings_and_change_nothing(acme: Organization, app: Flask, bo: User) -> None:
    theirs = Browser(app).sign_in(bo)

    page = theirs.page(SETTINGS)
    for path in (f"{SETTINGS}edit", KEYS, DELETE):
        assert theirs.submit(path, {**FACTS, "asks": "yes", "confirm": "acme"}, status=403).stop is not None

    assert "The owners change what stands here." in page.text
    assert page.root.find(".//*[@name='display_name']") is None
    assert tags() == []


def test_the_rule_names_whom_it_stops_and_tells_everybody(
    acme: Organization, browser: Browser, people: People, bo: User
) -> None:
    tides = people.an_organizations_project("tide-tables", acme)
    buoys = people.an_organizations_project("buoys", acme)
    people.a_team("Crew", acme, members=(bo,), projects=((tides, "maintainer"), (buoys, "maintainer")))
    people.a_token(bo, "all")
    people.a_token(bo, "one", projects=(tides,))
    people.a_token(bo, "elsewhere", projects=(people.a_project("own", bo),))
    people.a_token(bo, "over", expires_at=acme.created_at - timedelta(days=1))

    asked = browser.page(KEYS)
    done = browser.submit(KEYS, asks="yes")
    again = browser.submit(KEYS, asks="yes", status=422)

    assert "One person has no passkey or security key yet" in asked.text
    assert "bo: 2 projects, 2 API tokens" in asked.text
    assert "kim:" not in asked.text
    assert "Acme asks for a passkey or security key." in done.text
    assert "acme asks for it already." in again.text
    assert mails() == [("organization-rule", "bo@mail.example"), ("organization-rule", "kim@mail.example")]
    assert tags() == ["organization:rule:turned_on"]


def test_the_rule_stops_uploads_and_management_there_and_nothing_else(
    acme: Organization, browser: Browser, app: Flask, people: People, bo: User, kim: User
) -> None:
    tides = people.an_organizations_project("tide-tables", acme)
    people.a_team("Crew", acme, members=(bo,), projects=((tides, "maintainer"),))
    people.a_project("own", bo)
    (_, bos), (_, kims) = people.a_token(bo), people.a_token(kim)
    theirs = Browser(app).sign_in(bo)
    before = upload(app, bos, a_wheel("tide-tables", "1.0"))

    browser.submit(KEYS, asks="yes")
    refused = upload(app, bos, a_wheel("tide-tables", "1.1"))
    elsewhere, hers = upload(app, bos, a_wheel("own", "1.0")), upload(app, kims, a_wheel("tide-tables", "1.1"))
    stopped = theirs.page("/manage/project/tide-tables/releases/")

    assert (before.status_code, elsewhere.status_code, hers.status_code) == (200, 200, 200)
    assert refused.status_code == 403
    assert "acme asks for a passkey or security key to upload a file." in refused.status
    assert stopped.stop is not None
    assert "Add a passkey or security key to continue" in stopped.stop
    assert theirs.page(f"{HERE}people/").stop is not None
    assert theirs.page("/manage/project/own/releases/").stop is None
    assert theirs.page("/manage/organizations/").stop is None
    assert "You no longer belong to acme." in theirs.submit(f"{HERE}people/leave").text


def test_the_rule_is_ended_for_everybody(acme: Organization, browser: Browser) -> None:
    browser.submit(KEYS, asks="yes")

    asked = browser.page(KEYS)
    done = browser.submit(KEYS, asks="no")
    again = browser.submit(KEYS, asks="no", status=422)

    assert asked.h1 == "Ask no longer for a passkey or security key?"
    assert "Acme no longer asks for a passkey or security key." in done.text
    assert "acme does not ask for it anyway." in again.text
    assert tags() == ["organization:rule:turned_on", "organization:rule:turned_off"]


def test_an_owner_without_a_key_cannot_shut_herself_out(people: People, browser: Browser) -> None:
    ana = people.a_member("ana")
    people.an_organization("acme", ana)
    browser.sign_in(ana)

    asked, done = browser.page(KEYS), browser.submit(KEYS, asks="yes", status=422)

    assert "You have no passkey or security key yourself, and would be shut out." in asked.text
    assert "Add a passkey or security key to your own account first." in done.text
    assert tags() == []


def test_an_empty_organization_is_deleted_and_its_name_is_nobodys_again(
    acme: Organization, browser: Browser, people: People, kim: User, clock: SettableClock
) -> None:
    people.a_team("Crew", acme)
    now = clock.now()
    offer = Invitation(organization_id=acme.id, user_id=people.a_member("cy").id, invited_by_id=kim.id, role="member")
    offer.created_at, offer.expires_at = now, now + timedelta(days=7)
    db.session.add(offer)
    db.session.commit()

    asked, wrong = browser.page(DELETE), browser.submit(DELETE, confirm="Acme", status=422)
    done = browser.submit(DELETE, confirm="acme")
    wish = {**FACTS, "name": "Acm-e", "purpose": "We look after the tide gauges of the north coast."}
    again = browser.submit("/manage/organizations/request/", wish, status=422)

    assert "The 2 people in it are told by mail." in asked.text
    assert "1 team goes." in asked.text
    assert "1 open invitation ends." in asked.text
    assert "Type acme to delete it." in wrong.text
    assert "The organization acme is deleted." in done.text
    assert "An organization called Acm-e, or nearly so, was deleted. Choose another name." in again.text
    assert browser.get("/org/acme/").status_code == browser.get(SETTINGS).status_code == 404
    assert db.session.scalars(sa.select(OrganizationMember)).all() == []
    assert [(name.kind, name.key) for name in db.session.scalars(sa.select(RetiredName))] == [("organization", "acme")]
    assert mails() == [("organization-deleted", "bo@mail.example"), ("organization-deleted", "kim@mail.example")]
    assert tags() == ["organization:name:deleted"] * 2


def test_an_organization_with_projects_stays(acme: Organization, browser: Browser, people: People) -> None:
    people.an_organizations_project("tide-tables", acme)

    asked, done = browser.page(DELETE), browser.submit(DELETE, confirm="acme", status=422)

    assert "It still owns projects." in asked.text
    assert "acme still owns projects. Hand them over or delete them first." in done.text
    assert browser.get("/org/acme/").status_code == 200


def test_what_strangers_offer_to_an_organization_is_declined_when_it_goes(
    acme: Organization, browser: Browser, people: People, bo: User, clock: SettableClock
) -> None:
    now, lantern = clock.now(), people.a_project("lantern", bo)
    offer = Transfer(project_id=lantern.id, to_organization_id=acme.id, offered_by_id=bo.id)
    offer.created_at, offer.expires_at = now, now + timedelta(days=7)
    db.session.add(offer)
    db.session.commit()

    asked = browser.page(DELETE)
    browser.submit(DELETE, confirm="acme")

    assert "What is offered to it is declined: lantern." in asked.text
    assert browser.get("/org/acme/").status_code == 404
    assert db.session.scalars(sa.select(Transfer)).all() == []
    assert db.session.scalars(sa.select(Mail.to).where(Mail.notice == "transfer-ended")).all() == ["bo@mail.example"]
    declined = db.session.scalars(sa.select(Event).where(Event.tag == "project:transfer:declined")).one()
    assert declined.details == {"project": "lantern", "receiver": "acme"}
