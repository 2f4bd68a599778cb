"""Asking somebody into an organization, and what may follow."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import Event, Invitation, Mail, OrganizationMember, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People

PEOPLE, MINE = "/manage/organization/acme/people/", "/manage/organizations/"


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    """The owner of acme, signed in."""
    user = people.a_member("ana")
    people.an_organization("acme", user)
    browser.sign_in(user)
    return user


def answer(number: int, how: str) -> str:
    return f"/manage/projects/invitation/{number}/{how}"


def invitation() -> Invitation:
    return db.session.scalars(sa.select(Invitation)).one()


def parts() -> dict[str, str]:
    db.session.expire_all()
    return {part.user.username: part.role for part in db.session.scalars(sa.select(OrganizationMember))}


def mails() -> list[tuple[str, str]]:
    return [(mail.notice, mail.to) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]


@pytest.mark.parametrize("guest", ["Bo", "BO@mail.example"])
def test_from_invitation_to_belonging(ana: User, browser: Browser, app: Flask, people: People, guest: str) -> None:
    theirs = Browser(app).sign_in(people.a_member("bo"))

    sent = browser.submit(f"{PEOPLE}invite", guest=guest, role="manager")
    asked = theirs.page(MINE)
    done = theirs.submit(answer(invitation().id, "accept"))

    assert "is invited and has seven days to answer." in sent.text
    assert "ana asks you to become a manager of Acme." in asked.text
    assert "You belong to acme now." in done.text
    assert parts() == {"ana": "owner", "bo": "manager"}
    assert [(notice, to.lower()) for notice, to in mails()] == [
        ("organization-invitation", "bo@mail.example"),
        ("member-added", "ana@mail.example"),
        ("member-added", "bo@mail.example"),
    ]
    tags = list(db.session.scalars(sa.select(Event.tag).order_by(Event.id)))
    assert tags == ["organization:invitation:sent", "organization:member:added"]


def test_an_address_that_is_not_proved_opens_nothing(ana: User, browser: Browser, app: Flask, people: People) -> None:
    eve = people.a_user("eve").verified().with_totp().also("bo@mail.example").build()
    browser.submit(f"{PEOPLE}invite", guest="bo@mail.example", role="owner")
    theirs = Browser(app).sign_in(eve)

    assert "asks you" not in theirs.page(MINE).text
    assert theirs.post(answer(invitation().id, "accept")).status_code == 404


def test_declining_leaves_everything_as_it_was(ana: User, browser: Browser, app: Flask, people: People) -> None:
    theirs = Browser(app).sign_in(people.a_user("bo").verified().build())
    browser.submit(f"{PEOPLE}invite", guest="bo", role="member")

    page = theirs.submit(answer(invitation().id, "decline"))

    assert "You declined to join acme." in page.text
    assert parts() == {"ana": "owner"}


def test_what_is_revoked_or_over_cannot_be_accepted(
    ana: User, browser: Browser, app: Flask, people: People, clock: SettableClock
) -> None:
    theirs = Browser(app).sign_in(people.a_member("bo"))
    browser.submit(f"{PEOPLE}invite", guest="bo", role="member")
    number = invitation().id

    revoked = browser.submit(f"{PEOPLE}revoke", username="bo")
    again = browser.submit(f"{PEOPLE}revoke", username="bo", status=422)
    late = theirs.post(answer(number, "accept"))
    browser.submit(f"{PEOPLE}invite", guest="bo", role="member")
    row = invitation()
    row.expires_at = clock.now() - timedelta(seconds=1)
    number = row.id
    db.session.commit()
    over = theirs.submit(answer(number, "accept"))

    assert "The invitation of bo was revoked." in revoked.text
    assert "This invitation is not open any more" in again.text
    assert late.status_code == 404
    assert "The invitation to acme is not open any more. Ask its owners for a new one." in over.text
    assert parts() == {"ana": "owner"}


@pytest.mark.parametrize(
    ("guest", "role", "words"),
    [
        ("ghost", "member", "There is nobody of that name on this index. Check the spelling."),
        ("", "member", "There is nobody of that name on this index."),
        ("ice", "owner", "There is nobody of that name on this index."),
        ("ana", "member", "ana belongs to acme already."),
        ("cleo", "member", "cleo is invited already and has not answered yet."),
        ("Cleo@mail.example", "member", "is invited already"),
        ("x@y", "member", "email address"),
        ("a@b@c.example", "member", "email address"),
        (f"{'x' * 250}@mail.example", "member", "Use an address of at most 254 characters."),
        ("bo", "king", "Choose what they are to be."),
    ],
)
def test_a_refused_invitation_says_why(
    ana: User, browser: Browser, people: People, guest: str, role: str, words: str
) -> None:
    people.a_member("bo")
    people.a_member("cleo")
    people.a_user("ice").verified().frozen().build()
    for name in ("cleo", "cleo@mail.example"):
        browser.submit(f"{PEOPLE}invite", guest=name, role="member")

    page = browser.submit(f"{PEOPLE}invite", guest=guest, role=role, status=422)

    assert words in page.text
    assert page.value("guest") == guest
    assert len(db.session.scalars(sa.select(Invitation)).all()) == 2


def test_whoever_came_in_has_no_other_invitation(ana: User, browser: Browser, app: Flask, people: People) -> None:
    theirs = Browser(app).sign_in(people.a_member("bo"))
    for guest in ("bo", "bo@mail.example"):
        browser.submit(f"{PEOPLE}invite", guest=guest, role="member")
    first, second = [row.id for row in db.session.scalars(sa.select(Invitation).order_by(Invitation.id))]

    theirs.submit(answer(first, "accept"))

    assert theirs.post(answer(second, "accept")).status_code == 404
    assert parts() == {"ana": "owner", "bo": "member"}


def test_whoever_belongs_already_is_told_so(ana: User, browser: Browser, app: Flask, people: People) -> None:
    theirs = Browser(app).sign_in(people.a_member("bo"))
    browser.submit(f"{PEOPLE}invite", guest="bo", role="owner")
    member = OrganizationMember(user_id=bo_id(), role="member", since=ana.registered_at)
    member.organization_id = db.session.scalars(sa.select(OrganizationMember.organization_id)).one()
    db.session.add(member)
    db.session.commit()

    page = theirs.submit(answer(invitation().id, "accept"))

    assert "You belong to acme already." in page.text
    assert parts() == {"ana": "owner", "bo": "member"}


def bo_id() -> int:
    return db.session.scalars(sa.select(User.id).where(User.username == "bo")).one()


def test_members_and_managers_invite_nobody(ana: User, app: Flask, people: People) -> None:
    mia = people.a_member("mia")
    people.a_member("bo")
    member = OrganizationMember(user_id=mia.id, role="manager", since=mia.registered_at)
    member.organization_id = db.session.scalars(sa.select(OrganizationMember.organization_id)).one()
    db.session.add(member)
    db.session.commit()
    theirs = Browser(app).sign_in(mia)

    assert theirs.submit(f"{PEOPLE}invite", guest="bo", role="owner", status=403).stop is not None
    assert theirs.submit(f"{PEOPLE}revoke", username="bo", status=403).stop is not None
    assert "Invite somebody" not in theirs.page(PEOPLE).text


def told(notice: str) -> list[str]:
    return list(db.session.scalars(sa.select(Mail.to).where(Mail.notice == notice).order_by(Mail.id)))


def test_a_revoked_and_a_declined_invitation_are_told(ana: User, browser: Browser, app: Flask, people: People) -> None:
    theirs = Browser(app).sign_in(people.a_member("bo"))
    browser.submit(f"{PEOPLE}invite", guest="new@mail.example", role="member")
    browser.submit(f"{PEOPLE}revoke", username="new@mail.example")
    browser.submit(f"{PEOPLE}invite", guest="bo", role="member")

    theirs.submit(answer(invitation().id, "decline"))

    assert told("invitation-revoked") == ["new@mail.example"]
    assert told("invitation-declined") == ["ana@mail.example"]


def test_declining_for_an_address_does_not_tell_whose_it_is(
    ana: User, browser: Browser, app: Flask, people: People
) -> None:
    people.a_user("bo").verified().also("secret@mail.example", verified=True).with_totp().build()
    bo = db.session.get_one(User, bo_id())
    browser.submit(f"{PEOPLE}invite", guest="secret@mail.example", role="member")

    Browser(app).sign_in(bo).submit(answer(invitation().id, "decline"))

    page = browser.page("/manage/organization/acme/history/")
    assert "Invitation of secret@mail.example to acme declined" in page.text
    assert "bo" not in page.text.split()
    letters = [wiring_of(app).notices.read(mail) for mail in db.session.scalars(sa.select(Mail))]
    declined = [letter for letter in letters if letter.notice == "invitation-declined"]
    assert len(declined) == 1
    assert "secret@mail.example" in declined[0].text
    assert "bo" not in declined[0].text.split()


def test_nobody_comes_in_at_the_word_of_an_owner_who_is_frozen(
    ana: User, browser: Browser, app: Flask, people: People
) -> None:
    theirs = Browser(app).sign_in(people.a_member("bo"))
    browser.submit(f"{PEOPLE}invite", guest="bo", role="owner")
    ana.is_active = False
    db.session.commit()

    page = theirs.submit(answer(invitation().id, "accept"))

    assert "ana may no longer invite to acme." in page.text
    assert parts() == {"ana": "owner"}


LONG = "x" * 64 + "@" + ".".join(["h" * 60, "h" * 60, "h" * 55, "example"])  # 250 characters


@pytest.mark.parametrize("address", ["new@mail.example", LONG])
def test_one_address_is_not_filled_however_long_it_is(either_app: Flask, clock: SettableClock, address: str) -> None:
    people = People(either_app, clock)
    statuses = []
    for number in range(6):
        host = people.a_member(f"host{number}")
        people.an_organization(f"club-{number}", host)
        browser = Browser(either_app).sign_in(host)
        here = f"/manage/organization/club-{number}/people/invite"
        statuses.append(browser.post(here, guest=address, role="member").status_code)

    assert statuses == [303] * 5 + [429]
