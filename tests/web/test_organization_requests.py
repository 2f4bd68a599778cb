"""From the wish for an organization to its making, on the pages."""

import pytest
import sqlalchemy as sa
from flask import Flask

from domain.identity.throttle import REQUEST_ORGANIZATION
from models import Attempt, Event, Mail, Organization, OrganizationMember, OrganizationRequest, User, db
from tests.browsing import Browser
from tests.builders import People

LIST, REQUEST, ADMIN = "/manage/organizations/", "/manage/organizations/request/", "/admin/organizations/"
PURPOSE = "We look after the tide gauges of the north coast."
WISH = {
    "name": "Tide-Club",
    "display_name": "Tide  Club",
    "url": "https://tide.example/club",
    "description": "Gauges and charts",
    "purpose": PURPOSE,
}


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    """Somebody who is signed in and in no organization."""
    user = people.a_member("ana")
    browser.sign_in(user)
    return user


@pytest.fixture
def root(app: Flask, people: People) -> Browser:
    """An administrator's browser."""
    return Browser(app).sign_in(people.an_administrator("root"))


def the_request() -> OrganizationRequest:
    db.session.expire_all()
    return db.session.scalars(sa.select(OrganizationRequest)).one()


def mails() -> list[tuple[str, str]]:
    return [(mail.notice, mail.to) for mail in db.session.scalars(sa.select(Mail).order_by(Mail.id))]


def tags() -> list[str]:
    told = sa.select(Event.tag).where(Event.tag.startswith("organization:"))
    return list(db.session.scalars(told.order_by(Event.id)))


def test_from_wish_to_organization(ana: User, browser: Browser, root: Browser) -> None:
    nothing = browser.page(LIST)
    asked = browser.submit(REQUEST, WISH)
    listed = root.page(ADMIN)
    shown = root.page(f"{ADMIN}{the_request().id}/")
    done = root.submit(f"{ADMIN}{the_request().id}/decide", decision="approve")
    mine = browser.page(LIST)

    organization = db.session.scalars(sa.select(Organization)).one()
    member = db.session.scalars(sa.select(OrganizationMember)).one()
    assert "You are in no organization" in nothing.text
    assert "You asked for Tide-Club. The administrators of this index answer by mail." in asked.text
    assert "Waits" in asked.text
    assert "Tide-Club" in listed.text
    assert PURPOSE in shown.text
    assert "The organization Tide-Club exists now. ana is told by mail." in done.text
    assert (organization.name, organization.name_key) == ("Tide-Club", "tide-club")
    assert (organization.display_name, organization.url) == ("Tide Club", WISH["url"])
    assert (member.user_id, member.role) == (ana.id, "owner")
    assert "Owner" in mine.text
    assert mails() == [
        ("organization-requested", "root@mail.example"),
        ("organization-approved", "ana@mail.example"),
    ]
    assert tags() == ["organization:request:made", "organization:request:approved"]


def test_whoever_types_the_address_of_the_administration_comes_to_what_waits(
    ana: User, browser: Browser, root: Browser
) -> None:
    answer = root.get("/admin/")

    assert (answer.status_code, answer.headers["Location"]) == (302, ADMIN)
    assert browser.get("/admin/").status_code == 403


def test_a_question_goes_out_and_its_answer_comes_back(
    ana: User, browser: Browser, root: Browser, people: People
) -> None:
    wish = people.a_request("tide-club", ana)

    root.submit(f"{ADMIN}{wish.id}/decide", decision="ask", text="Which gauges?\r\nAll of them?")
    waiting = browser.page(f"{REQUEST}{wish.id}/")
    browser.submit(f"{REQUEST}{wish.id}/", answer="Those in the north.")
    shown = root.page(f"{ADMIN}{wish.id}/")

    assert "Which gauges? All of them?" in waiting.text
    assert the_request().question == "Which gauges?\nAll of them?"
    assert "Those in the north." in shown.text
    assert the_request().status == "open"
    assert mails() == [
        ("organization-question", "ana@mail.example"),
        ("organization-question-answered", "root@mail.example"),
    ]
    assert tags() == ["organization:request:asked", "organization:request:answered"]


def test_declining_needs_a_reason_which_the_person_reads(
    ana: User, browser: Browser, root: Browser, people: People
) -> None:
    wish = people.a_request("tide-club", ana)

    without = root.submit(f"{ADMIN}{wish.id}/decide", decision="decline", text=" ", status=422)
    root.submit(f"{ADMIN}{wish.id}/decide", decision="decline", text="There is one already.")
    page = browser.page(LIST)

    assert "Write the reason." in without.text
    assert "Declined There is one already." in page.text
    assert mails() == [("organization-declined", "ana@mail.example")]


def test_approving_one_declines_the_others_for_the_name(ana: User, root: Browser, people: People) -> None:
    bo = people.a_member("bo")
    first, second = people.a_request("tide-club", ana), people.a_request("Tide-Club", bo)

    shown = root.page(f"{ADMIN}{first.id}/")
    root.submit(f"{ADMIN}{first.id}/decide", decision="approve")

    db.session.expire_all()
    assert "The same name is also asked for by bo." in shown.text
    assert (first.status, second.status) == ("approved", "declined")
    assert mails() == [("organization-approved", "ana@mail.example"), ("organization-declined", "bo@mail.example")]


def test_an_administrator_may_approve_her_own_and_the_journal_says_so(app: Flask, people: People) -> None:
    root = people.an_administrator("root")
    wish = people.a_request("tide-club", root)

    Browser(app).sign_in(root).submit(f"{ADMIN}{wish.id}/decide", decision="approve")

    event = db.session.scalars(sa.select(Event).where(Event.tag == "organization:request:approved")).one()
    assert event.details == {"organization": "tide-club", "own": " by whoever made it"}


def test_a_request_is_withdrawn(ana: User, browser: Browser, people: People) -> None:
    wish = people.a_request("tide-club", ana)

    page = browser.submit(f"{REQUEST}{wish.id}/withdraw")

    assert "You no longer ask for tide-club." in page.text
    assert db.session.scalars(sa.select(OrganizationRequest)).all() == []
    assert tags() == ["organization:request:withdrawn"]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", "", "Choose a name."),
        ("name", "x", "Use at least 2 characters."),
        ("name", "x" * 51, "Use at most 50 characters."),
        ("name", "tide club", "Use letters from A to Z, digits,"),
        ("name", "Admin", "This name is reserved"),
        ("name", "tide\0club", "Leave out line breaks and control characters."),
        ("name", "ACME", "The name ACME is taken. Choose another one."),
        ("name", "Acm.e", "The name Acm.e is too like acme, which exists."),
        ("name", "tide-cluB", "You have asked for this name already."),
        ("display_name", "  ", "Say what the organization is called."),
        ("display_name", "x" * 101, "Use at most 100 characters."),
        ("display_name", "a\u202eb", "Leave out line breaks and invisible characters."),
        ("url", "javascript:alert(1)", "Write a web address that begins with https:// or http://."),
        ("url", "https://", "Write a web address"),
        ("url", "http://[", "Write a web address"),
        ("url", "https://you@evil.example/", "Write a web address"),
        ("url", f"https://x.example/{'x' * 400}", "Use at most 400 characters."),
        ("description", "x" * 401, "Use at most 400 characters."),
        ("purpose", "x" * 31, "Say in at least 32 characters"),
        ("purpose", "x" * 1025, "Use at most 1024 characters."),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_kept(
    ana: User, browser: Browser, people: People, field: str, typed: str, words: str
) -> None:
    people.an_organization("acme", people.a_member("bo"))
    people.a_request("Tide-Club", ana)

    page = browser.submit(REQUEST, {**WISH, "name": "buoys", field: typed}, status=422)

    error = page.root.find(f".//*[@id='{field}-error']")
    assert error is not None
    assert words in "".join(error.itertext())
    assert page.value("purpose") == (typed if field == "purpose" else PURPOSE)
    assert len(db.session.scalars(sa.select(OrganizationRequest)).all()) == 1


def test_a_fourth_request_waits_for_an_answer_to_one_of_three(ana: User, browser: Browser, people: People) -> None:
    for name in ("one", "two", "three"):
        people.a_request(name, ana)

    page = browser.submit(REQUEST, WISH, status=422)

    assert "Three of your requests wait for an answer. Wait for it, or withdraw one." in page.text


def test_the_eleventh_request_of_a_day_waits(ana: User, browser: Browser) -> None:
    browser.submit(REQUEST, {**WISH, "name": ""}, status=422)
    bucket = f"{REQUEST_ORGANIZATION.name}:{ana.id}"
    db.session.execute(sa.update(Attempt).where(Attempt.bucket == bucket).values(count=10))
    db.session.commit()

    assert "Too many requests for organizations." in browser.submit(REQUEST, WISH, status=429).text


def test_nobody_else_sees_a_request(ana: User, app: Flask, people: People) -> None:
    wish = people.a_request("tide-club", ana, status="asked", question="Why?")
    eve = Browser(app).sign_in(people.a_member("eve"))

    assert eve.get(f"{REQUEST}{wish.id}/").status_code == 404
    assert eve.post(f"{REQUEST}{wish.id}/withdraw").status_code == 404
    assert eve.get(f"{ADMIN}{wish.id}/").status_code == 404
    assert eve.post(f"{ADMIN}{wish.id}/decide", decision="approve").status_code == 404
    assert eve.page(ADMIN, status=403).stop is not None
    assert the_request().status == "asked"


def test_what_is_decided_stays_decided(ana: User, browser: Browser, root: Browser, people: People) -> None:
    wish = people.a_request("tide-club", ana, status="declined", reason="No.")

    for decision in ("approve", "decline", "ask"):
        page = root.submit(f"{ADMIN}{wish.id}/decide", decision=decision, text="Hm?", status=422)
        assert "Somebody else was quicker" in page.text
    withdrawn = browser.submit(f"{REQUEST}{wish.id}/withdraw")
    answered = browser.submit(f"{REQUEST}{wish.id}/", answer="x", status=422)

    assert "Somebody else was quicker" in withdrawn.text
    assert "Somebody else was quicker" in answered.text
    assert the_request().status == "declined"


def test_a_decision_is_one_of_three(ana: User, root: Browser, people: People) -> None:
    wish = people.a_request("tide-club", ana)

    for decision in ("", "burn"):
        page = root.submit(f"{ADMIN}{wish.id}/decide", decision=decision, status=422)
        assert "Choose what you decide." in page.text


def test_a_frozen_account_gets_no_organization(root: Browser, people: People) -> None:
    wish = people.a_request("tide-club", people.a_user("ice").verified().frozen().build())

    page = root.submit(f"{ADMIN}{wish.id}/decide", decision="approve", status=422)

    assert "ice is frozen, and cannot own an organization." in page.text
    assert the_request().status == "open"


@pytest.mark.parametrize("before", ["0", "-1", "x", "99999999999"])
def test_a_bad_page_mark_gives_the_first_page(ana: User, root: Browser, people: People, before: str) -> None:
    people.a_request("tide-club", ana)

    assert "tide-club" in root.page(f"{ADMIN}?before={before}").text


def test_many_requests_are_paged(app: Flask, root: Browser, people: People) -> None:
    bo = people.a_member("bo")
    for number in range(51):
        people.a_request(f"club-{number}", bo)

    first = root.page(ADMIN)
    second = root.page(next(link for link in first.links() if "before=" in link))

    assert ("club-50" in first.text, "club-0 " in first.text) == (True, False)
    assert ("club-50" in second.text, "club-0" in second.text) == (False, True)


def test_the_way_to_the_administration_is_shown_to_administrators(ana: User, browser: Browser, root: Browser) -> None:
    assert ADMIN in root.page(LIST).links()
    assert ADMIN not in browser.page(LIST).links()


def test_the_list_opens_without_a_second_factor(app: Flask, people: People) -> None:
    newt = people.a_user("newt").build()
    people.an_organization("acme", people.a_member("ana"), members=(newt,))

    assert "Member" in Browser(app).sign_in(newt).page(LIST).text
