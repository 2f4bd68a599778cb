"""The settings of a project on their pages: archived, handed over, deleted, and what each asks first."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import throttle
from models import Event, KeptName, Mail, Organization, Project, ProjectRole, Transfer, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.packages import a_wheel
from tests.uploading import upload

HERE = "/manage/project/tide-tables/settings/"
ARCHIVE, UNARCHIVE, TRANSFER, DELETE = (f"{HERE}{word}" for word in ("archive", "unarchive", "transfer", "delete"))


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def bo(people: People) -> User:
    return people.a_member("bo")


@pytest.fixture
def project(people: People, ana: User, bo: User) -> Project:
    return people.a_project("Tide-Tables", ana, maintainers=(bo,))


def status_of() -> str:
    return db.session.scalars(sa.select(Project.status).where(Project.normalized_name == "tide-tables")).one()


def test_the_settings_say_where_the_description_comes_from(
    project: Project, ana: User, people: People, browser: Browser
) -> None:
    browser.sign_in(ana)
    assert "The name is reserved." in browser.page(HERE).text

    people.a_release(project, "1.4", by=ana)

    page = browser.page(HERE)
    assert "What Tide-Tables 1.4 is" in page.text
    assert "/project/tide-tables/1.4/" in page.links()
    assert {ARCHIVE, TRANSFER, DELETE} <= set(page.links())


@pytest.mark.parametrize("path", [HERE, ARCHIVE, UNARCHIVE, TRANSFER, DELETE])
def test_the_settings_are_for_owners(project: Project, bo: User, people: People, app: Flask, path: str) -> None:
    for user in (bo, people.a_member("stranger")):
        assert Browser(app).sign_in(user).get(path).status_code == 403


def test_archiving_says_what_it_means_and_stops_uploads(
    project: Project, ana: User, people: People, app: Flask, browser: Browser
) -> None:
    people.a_release(project, by=ana)
    token = people.a_token(ana)[1]
    browser.sign_in(ana)

    asked = browser.page(ARCHIVE)
    done = browser.submit(ARCHIVE)

    assert asked.h1 == "Archive Tide-Tables?"
    assert "Its one release stays installable" in asked.text
    assert "The 2 people who look after Tide-Tables are told by mail." in asked.text
    assert "Tide-Tables is archived." in done.text
    assert status_of() == "archived"
    refused = upload(app, token, a_wheel("tide-tables", "2.0"))
    assert refused.status_code == 403
    assert "archived" in refused.status
    assert b'"status":"archived"' in Browser(app).get("/simple/tide-tables/", headers=JSON).data


JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


def test_an_archived_project_says_so_wherever_it_is_shown(
    project: Project, ana: User, people: People, browser: Browser
) -> None:
    people.a_release(project, by=ana)
    browser.sign_in(ana)
    browser.submit(ARCHIVE)

    assert "This project is archived." in browser.page("/project/tide-tables/").text
    assert "Archived" in browser.page("/search/?q=tide").text
    assert "Tide-Tables" not in browser.page("/manage/projects/").text
    assert "Tide-Tables" in browser.page("/manage/projects/?status=archived").text
    assert "Open it again" in browser.page(HERE).text


def test_an_archived_project_is_opened_again(project: Project, ana: User, browser: Browser) -> None:
    browser.sign_in(ana)
    browser.submit(ARCHIVE)

    asked, done = browser.page(UNARCHIVE), browser.submit(UNARCHIVE)

    assert asked.h1 == "Open Tide-Tables again?"
    assert "Tide-Tables takes uploads again." in done.text
    assert status_of() == "active"
    assert "not archived" in browser.submit(UNARCHIVE, status=422).text


def test_handing_over_asks_for_the_name_and_waits_for_the_answer(
    project: Project, ana: User, bo: User, app: Flask, browser: Browser
) -> None:
    browser.sign_in(ana)

    asked = browser.page(TRANSFER)
    refused = browser.submit(TRANSFER, kind="person", receiver="bo", confirm="tide", status=422)
    done = browser.submit(TRANSFER, kind="person", receiver="bo", confirm="tide-tables")

    assert "bo keeps the role that is theirs" in asked.text
    assert refused.root.find(".//*[@id='confirm-error']") is not None
    assert refused.value("receiver") == "bo"
    assert "is offered to bo" in done.text
    theirs = Browser(app).sign_in(bo)
    waiting = theirs.page("/manage/projects/")
    assert "ana offers you the project Tide-Tables" in waiting.text
    accept = next(link for link in waiting.links() if link.endswith("/accept"))
    assert "You own it then." in theirs.page(accept).text
    assert "You own Tide-Tables now." in theirs.submit(accept).text
    assert browser.get(HERE).status_code == 403
    assert theirs.get(accept).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "person", "receiver": "nobody"}, "receiver"),
        ({"kind": "person", "receiver": "ana"}, "receiver"),
        ({"kind": "person"}, "receiver"),
        ({"kind": "organization", "receiver": "bo"}, "receiver"),
        ({"kind": "robot", "receiver": "bo"}, "kind"),
        ({"kind": "person", "receiver": "bo", "confirm": ""}, "confirm"),
        ({"kind": ["person", "x"], "receiver": ["bo", "cy"]}, "receiver"),
    ],
)
def test_an_offer_that_cannot_be_made_is_refused_at_its_field(
    project: Project, ana: User, browser: Browser, fields: dict[str, str], field: str
) -> None:
    browser.sign_in(ana)

    page = browser.submit(TRANSFER, {"confirm": "tide-tables", **fields}, status=422)

    assert page.root.find(f".//*[@id='{field}-error']") is not None
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 0


def test_an_offer_is_kept_or_withdrawn_by_its_owner(
    project: Project, ana: User, bo: User, people: People, browser: Browser
) -> None:
    people.a_transfer(project, bo, by=ana)
    browser.sign_in(ana)

    assert "offers Tide-Tables to bo" in browser.page(HERE).text
    assert "is offered to bo already" in browser.page(TRANSFER).text
    assert "stays with its owners" in browser.submit(f"{TRANSFER}/withdraw").text
    assert "not offered any more" in browser.submit(f"{TRANSFER}/withdraw").text


def test_an_offer_is_declined_without_a_second_factor(
    project: Project, ana: User, people: People, browser: Browser
) -> None:
    cy = people.a_user("cy").verified().build()
    transfer = people.a_transfer(project, cy, by=ana)
    browser.sign_in(cy)
    address = f"/manage/projects/transfer/{transfer.id}/"

    assert browser.get(f"{address}accept").headers["Location"].startswith("/manage/account/two-factor/")
    assert "You declined to take Tide-Tables over." in browser.submit(f"{address}decline").text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 0


def test_what_is_offered_to_others_is_not_found(
    project: Project, ana: User, bo: User, people: People, app: Flask
) -> None:
    office = people.an_organization("tide-office", people.a_member("max"), members=(bo,))
    people.an_organization("night-watch", bo)
    to_bo = people.a_transfer(project, bo, by=ana).id
    to_office = people.a_transfer(people.a_project("buoy", ana), office, by=ana).id
    browser = Browser(app).sign_in(ana)

    assert browser.get(f"/manage/projects/transfer/{to_bo}/accept").status_code == 404
    theirs = Browser(app).sign_in(bo)
    assert theirs.get(f"/manage/projects/transfer/{to_office}/accept").status_code == 404
    assert theirs.get(f"/manage/organization/night-watch/projects/transfer/{to_office}/accept").status_code == 404
    assert theirs.get(f"/manage/organization/tide-office/projects/transfer/{to_bo}/accept").status_code == 404
    assert theirs.get(f"/manage/organization/tide-office/projects/transfer/{to_office}/accept").status_code == 403


@pytest.fixture
def office(people: People, bo: User) -> Organization:
    return people.an_organization("tide-office", bo)


def test_a_manager_takes_a_project_into_the_organization(
    project: Project, ana: User, office: Organization, people: People, app: Flask, browser: Browser
) -> None:
    max_ = people.a_member("max")
    people.an_organization("night-watch", people.a_member("cy"), managers=(max_,))
    browser.sign_in(ana).submit(TRANSFER, kind="organization", receiver="night-watch", confirm="tide-tables")
    theirs = Browser(app).sign_in(max_)
    waiting = theirs.page("/manage/organization/night-watch/projects/")
    accept = next(link for link in waiting.links() if link.endswith("/accept"))

    asked, done = theirs.page(accept), theirs.submit(accept)

    assert "ana offers Tide-Tables to Night-Watch" in waiting.text
    assert "The owners of Night-Watch own it then" in asked.text
    assert "bo (maintainer)" in asked.text
    assert "Tide-Tables belongs to night-watch now." in done.text


def test_an_organization_declines(
    project: Project, ana: User, bo: User, office: Organization, people: People, browser: Browser
) -> None:
    transfer = people.a_transfer(project, office, by=ana)
    browser.sign_in(bo)

    page = browser.submit(f"/manage/organization/tide-office/projects/transfer/{transfer.id}/decline")

    assert "tide-office does not take Tide-Tables." in page.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 0


def test_deleting_counts_what_goes_and_keeps_the_name(
    project: Project, ana: User, bo: User, people: People, app: Flask, browser: Browser
) -> None:
    people.a_release(project, "1.0", by=ana, files=2)
    needing = people.a_release(people.a_project("harbour", bo), by=bo)
    needing.core_metadata = {**needing.core_metadata, "requires_dist": ["tide-tables"]}
    people.a_token(bo, projects=(project,))
    db.session.commit()
    browser.sign_in(ana)

    asked = browser.page(DELETE)
    refused = browser.submit(DELETE, confirm="tide", status=422)
    done = browser.submit(DELETE, confirm="tide-tables")

    assert "1 release with 2 files goes, for good." in asked.text
    assert "1 project here needs it: harbour" in asked.text
    assert "1 API token was made for it" in asked.text
    assert "That is not the name of the project." in refused.text
    assert "Tide-Tables was deleted." in done.text
    assert "Names of deleted projects" in done.text
    assert "/manage/projects/create/?name=Tide-Tables" in done.links()
    assert browser.page("/manage/projects/create/?name=Tide-Tables").value("name") == "Tide-Tables"
    assert browser.get("/project/tide-tables/").status_code == 404
    assert browser.get("/simple/tide-tables/").status_code == 404
    theirs = Browser(app).sign_in(bo).submit("/manage/projects/create/", name="tide-tables", status=422)
    assert "kept for its former owners" in theirs.text
    assert "is reserved for you" in browser.submit("/manage/projects/create/", name="tide-tables").text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(KeptName)) == 0


def test_an_upload_under_a_kept_name_says_so(
    project: Project, ana: User, people: People, app: Flask, browser: Browser
) -> None:
    browser.sign_in(ana).submit(DELETE, confirm="tide-tables")
    token = people.a_token(people.a_member("cy"))[1]

    refused = upload(app, token, a_wheel("tide-tables", "2.0"))

    assert refused.status_code in (400, 409)
    assert "kept for its former owners" in refused.status


def test_the_receiver_is_kept_while_one_confirms_and_the_typed_name_is_not(
    project: Project, ana: User, browser: Browser, clock: SettableClock
) -> None:
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=16))

    browser.submit(TRANSFER, kind="organization", receiver="tide-office", confirm="tide-tables")
    page = browser.submit("/account/reauthenticate/", password=PASSWORD, totp_value=code_of(ana, clock))

    assert page.value("receiver") == "tide-office"
    assert page.value("confirm") in ("", None)


def test_an_owner_of_their_own_does_not_hand_over_what_an_organization_has(
    project: Project, ana: User, office: Organization, browser: Browser
) -> None:
    project.organization = office
    db.session.commit()
    browser.sign_in(ana)

    page = browser.page(HERE)

    assert "The owners of Tide-Office decide who else gets it." in page.text
    assert TRANSFER not in page.links()
    assert browser.get(TRANSFER).status_code == 403
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ProjectRole)) == 2


def test_the_twenty_first_offer_within_an_hour_waits(
    project: Project, ana: User, bo: User, browser: Browser, clock: SettableClock
) -> None:
    for _ in range(20):
        throttle.take(db.session(), (throttle.OFFER, str(ana.id)), now=clock.now())
    db.session.commit()
    browser.sign_in(ana)

    page = browser.submit(TRANSFER, kind="person", receiver="bo", confirm="tide-tables", status=429)

    assert "Too many offered projects." in page.text
    assert page.value("receiver") == "bo"


def test_offering_and_withdrawing_in_turn_fills_no_mailbox(
    project: Project, ana: User, bo: User, browser: Browser, people: People
) -> None:
    people.a_member("cy")
    browser.sign_in(ana)
    for spelling in ("bo", "BO", "Bo", "bO", "bo"):
        browser.submit(TRANSFER, kind="person", receiver=spelling, confirm="tide-tables")
        browser.submit(f"{TRANSFER}/withdraw")

    refused = browser.submit(TRANSFER, kind="person", receiver="bo", confirm="tide-tables", status=429)
    other = browser.submit(TRANSFER, kind="person", receiver="cy", confirm="tide-tables")

    assert "Too many offers to this receiver." in refused.text
    assert "is offered to cy" in other.text


def test_a_status_that_goes_to_and_fro_fills_no_mailbox_and_what_protects_is_never_refused(
    project: Project, ana: User, browser: Browser
) -> None:
    browser.sign_in(ana)
    for _ in range(5):
        browser.submit(f"{HERE}archive")
        browser.submit(f"{HERE}unarchive")

    browser.submit(f"{HERE}archive")
    browser.submit(f"{HERE}readers", is_private="yes")
    refused = browser.submit(f"{HERE}unarchive", status=429)
    still_private = browser.submit(f"{HERE}readers", is_private="no", status=429)

    assert "Too many openings of this project." in refused.text
    assert "Too many openings of this project." in still_private.text
    assert db.session.execute(sa.select(Project.status, Project.is_private)).one() == ("archived", True)


def test_an_owner_who_offered_and_is_removed_leaves_an_offer_that_has_ended(
    project: Project, ana: User, bo: User, people: People, browser: Browser
) -> None:
    cy = people.a_member("cy")
    db.session.add(ProjectRole(project_id=project.id, user_id=cy.id, role="owner", since=project.created_at))
    people.a_transfer(project, bo, by=cy)
    browser.sign_in(ana)

    browser.submit("/manage/project/tide-tables/collaboration/remove", username="cy")

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == 0
    ended = db.session.scalars(sa.select(Event).where(Event.tag == "project:transfer:void")).all()
    assert len(ended) == 1
    told = db.session.scalars(sa.select(Mail.to).where(Mail.notice == "transfer-ended")).all()
    assert told == ["bo@mail.example"]
