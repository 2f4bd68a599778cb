"""Several addresses, one of them primary; every change is told to all that are verified."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.emails import MAX_ADDRESSES
from domain.identity.throttle import VERIFICATION_MAIL
from models import Email, Event, User, db
from tests.browsing import Browser, Page
from tests.builders import PASSWORD, People
from tests.letters import letters, link_to, notices_to

EMAILS = "/manage/account/emails/"
SECOND = "second@mail.example"


@pytest.fixture
def ana(browser: Browser, people: People) -> User:
    """Somebody with everything, signed in."""
    user = people.a_member("ana")
    browser.sign_in(user)
    return user


def addresses() -> list[tuple[str, bool, bool]]:
    """Each address with whether it is primary and verified."""
    db.session.rollback()
    found = db.session.scalars(sa.select(Email).order_by(Email.id))
    return [(email.address, email.is_primary, email.verified_at is not None) for email in found]


def id_of(address: str) -> int:
    db.session.rollback()
    return db.session.scalars(sa.select(Email.id).where(Email.address == address)).one()


def add(browser: Browser, address: str = SECOND, *, verified: bool = False) -> None:
    assert browser.post(EMAILS, email=address).status_code == 303
    if verified:
        browser.post(link_to(address))


def row_of(page: Page, address: str) -> str:
    """The words of the table's row about an address."""
    rows = (" ".join("".join(row.itertext()).split()) for row in page.root.iter("tr"))
    return next(row for row in rows if address in row)


def test_a_new_address_counts_once_its_link_was_opened(browser: Browser, ana: User) -> None:
    page = browser.submit(EMAILS, email=" Second@Mail.Example ")

    assert "We sent a link to Second@mail.example" in page.text
    assert addresses() == [("ana@mail.example", True, True), ("Second@mail.example", False, False)]
    assert notices_to("Second@mail.example") == ["verify-email"]
    browser.post(link_to("Second@mail.example"))
    assert addresses()[1] == ("Second@mail.example", False, True)


def test_the_verified_addresses_are_told_of_a_new_one(browser: Browser, ana: User) -> None:
    add(browser)

    letter = letters("ana@mail.example")[-1]
    assert letter.notice == "address-added"
    for words in (SECOND, "22 Nov 2026, 14:05 UTC", "203.0.113.7", "Firefox on Linux", "If this was not you"):
        assert words in letter.text


@pytest.mark.parametrize("typed", ["ana@mail.example", "ANA@MAIL.EXAMPLE"])
def test_the_same_address_twice_is_refused(browser: Browser, ana: User, typed: str) -> None:
    page = browser.submit(EMAILS, status=422, email=typed)

    assert "on your account already" in page.text
    assert page.value("email") == typed
    assert len(addresses()) == 1


def test_an_address_of_somebody_else_is_taken_like_any_other_and_only_its_owner_is_told(
    browser: Browser, people: People, ana: User
) -> None:
    people.a_user("nora").verified().build()

    page = browser.submit(EMAILS, email="nora@mail.example")

    assert "We sent a link to nora@mail.example" in page.text
    assert notices_to("nora@mail.example") == ["address-in-use"]


def test_an_account_has_ten_addresses_at_most(browser: Browser, ana: User, clock: SettableClock) -> None:
    for number in range(MAX_ADDRESSES - 1):
        clock.advance(VERIFICATION_MAIL.limits[0].window)
        browser.sign_in(ana)
        add(browser, f"number{number}@mail.example")
    clock.advance(VERIFICATION_MAIL.limits[0].window)
    browser.sign_in(ana)

    refused = browser.submit(EMAILS, status=422, email="more@mail.example")

    assert "as many addresses as an account can have" in refused.text
    assert len(addresses()) == MAX_ADDRESSES


def test_mails_to_new_addresses_have_a_budget(browser: Browser, ana: User) -> None:
    for number in range(VERIFICATION_MAIL.limits[0].most):
        add(browser, f"number{number}@mail.example")

    refused = browser.submit(EMAILS, status=429, email="more@mail.example")

    assert "Too many verification mails" in refused.text
    assert refused.value("email") == "more@mail.example"
    assert letters("more@mail.example") == []


def test_another_verified_address_can_be_made_primary_and_both_are_told(browser: Browser, ana: User) -> None:
    add(browser, verified=True)

    page = browser.submit(f"{EMAILS}{id_of(SECOND)}/primary")

    assert f"{SECOND} is your primary address now" in page.text
    assert addresses() == [("ana@mail.example", False, True), (SECOND, True, True)]
    for told in ("ana@mail.example", SECOND):
        letter = letters(told)[-1]
        assert letter.notice == "primary-address-changed"
        assert SECOND in letter.text


def test_an_address_that_is_not_verified_cannot_be_made_primary(browser: Browser, ana: User) -> None:
    add(browser)

    page = browser.submit(f"{EMAILS}{id_of(SECOND)}/primary", status=422)

    assert f"Verify {SECOND} first" in page.text
    assert addresses()[0] == ("ana@mail.example", True, True)


def test_another_address_can_be_removed_and_it_is_told_too(browser: Browser, ana: User) -> None:
    add(browser, verified=True)

    page = browser.submit(f"{EMAILS}{id_of(SECOND)}/remove")

    assert f"{SECOND} was removed" in page.text
    assert addresses() == [("ana@mail.example", True, True)]
    for told in ("ana@mail.example", SECOND):
        assert letters(told)[-1].notice == "address-removed"


def test_the_primary_address_cannot_be_removed(browser: Browser, ana: User) -> None:
    page = browser.submit(f"{EMAILS}{id_of('ana@mail.example')}/remove", status=422)

    assert "cannot be removed" in page.text
    assert len(addresses()) == 1


@pytest.mark.parametrize("change", ["remove", "primary"])
def test_links_that_were_mailed_before_an_address_was_given_up_do_not_work(
    app: Flask, browser: Browser, ana: User, change: str
) -> None:
    """An address is given up because somebody else reads it, too: one who has asked for a new password there."""
    add(browser, verified=True)
    lost = SECOND if change == "remove" else "ana@mail.example"
    Browser(app).post("/account/request-password-reset/", username_or_email=lost)
    link = link_to(lost)

    browser.post(f"{EMAILS}{id_of(SECOND)}/{change}")

    assert "reset-password" in link
    assert Browser(app).get(link).status_code == 422


def test_a_removed_address_can_be_verified_by_somebody_else(
    app: Flask, browser: Browser, people: People, ana: User
) -> None:
    add(browser, verified=True)
    browser.post(f"{EMAILS}{id_of(SECOND)}/remove")
    nora = Browser(app).sign_in(people.a_member("nora"))

    add(nora, verified=True)

    assert (SECOND, False, True) in addresses()


@pytest.mark.parametrize("what", ["verify", "primary", "remove"])
def test_nobody_learns_of_another_persons_address(browser: Browser, people: People, ana: User, what: str) -> None:
    people.a_user("nora").verified().build()
    theirs = id_of("nora@mail.example")

    assert browser.post(f"{EMAILS}{theirs}/{what}").status_code == 404
    assert browser.post(f"{EMAILS}{theirs + 100}/{what}").status_code == 404
    assert browser.post(f"{EMAILS}{10**30}/{what}").status_code == 404
    assert ("nora@mail.example", True, True) in addresses()


def test_what_each_change_needs(app: Flask, people: People, clock: SettableClock) -> None:
    newt = people.a_user("newt").verified().build()
    browser = Browser(app).sign_in(newt)
    add(browser, verified=True)
    make_primary, remove = f"{EMAILS}{id_of(SECOND)}/primary", f"{EMAILS}{id_of(SECOND)}/remove"

    assert browser.post(make_primary).headers["Location"].startswith("/manage/account/two-factor/")
    clock.advance(timedelta(minutes=16))
    assert browser.post(remove).headers["Location"].startswith("/account/reauthenticate/")
    assert browser.post(EMAILS, email="third@mail.example").headers["Location"].startswith("/account/reauthenticate/")
    assert len(addresses()) == 2


def test_what_was_typed_comes_back_after_confirming(browser: Browser, people: People, clock: SettableClock) -> None:
    browser.sign_in(people.a_user("newt").verified().build())
    clock.advance(timedelta(minutes=16))
    browser.post(EMAILS, email=SECOND)

    page = browser.submit("/account/reauthenticate/", password=PASSWORD)

    assert page.response.request.path == EMAILS
    assert page.value("email") == SECOND
    assert "We kept what you typed" in page.text
    assert len(addresses()) == 1


def test_every_change_leaves_its_event(browser: Browser, ana: User) -> None:
    add(browser, verified=True)
    browser.post(f"{EMAILS}{id_of(SECOND)}/primary")
    browser.post(f"{EMAILS}{id_of('ana@mail.example')}/remove")

    events = db.session.scalars(sa.select(Event).where(Event.tag.like("account:email:%")).order_by(Event.id))
    assert [(event.tag.rpartition(":")[2], event.details["address"], event.actor_id) for event in events] == [
        ("added", SECOND, ana.id),
        ("verified", SECOND, ana.id),
        ("made_primary", SECOND, ana.id),
        ("removed", "ana@mail.example", ana.id),
    ]


@pytest.mark.parametrize("path", [EMAILS, "/manage/account/"])
def test_the_pages_can_be_read_without_a_second_factor(browser: Browser, people: People, path: str) -> None:
    browser.sign_in(people.a_user("newt").build())

    assert "newt@mail.example" in browser.page(path).text


def test_the_list_offers_what_can_be_done(browser: Browser, ana: User) -> None:
    add(browser)
    add(browser, "third@mail.example", verified=True)

    page = browser.page(EMAILS)

    assert "Remove" not in row_of(page, "ana@mail.example")
    assert "Send the link again" in row_of(page, SECOND)
    assert "Make primary" in row_of(page, "third@mail.example")
