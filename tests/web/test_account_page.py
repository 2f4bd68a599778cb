"""The account page: how well one is protected, and what happened lately."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import ApiToken, RecoveryCode, User, db
from tests.browsing import Browser, Page
from tests.builders import PASSWORD, People
from tests.requirements import requirement

ACCOUNT = "/manage/account/"


def tasks(page: Page) -> dict[str, bool]:
    """The checklist: what is asked, and whether it is done."""
    found = {}
    for item in page.root.iter("li"):
        title, state = item.find("div/b"), item.find("div/span[@class='visually-hidden']")
        if title is not None and state is not None:
            found["".join(title.itertext())] = "".join(state.itertext()) == "done"
    return found


def test_somebody_new_has_everything_before_them(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("newt").build())

    page = browser.page(ACCOUNT)

    assert tasks(page) == {
        "Verify your email address": False,
        "Set up a second factor": False,
        "Save recovery codes": False,
        "Add a second method": False,
        "Use a passkey": False,
        "No stale tokens": True,
    }
    assert "1 of 6 done" in page.text
    assert "/manage/unverified-account/" in page.links()
    assert "/manage/account/two-factor/" in page.links()


def test_somebody_with_everything_has_nothing(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().with_totp("One").with_totp("Two").with_recovery_codes().build())

    page = browser.page(ACCOUNT)

    assert [title for title, is_done in tasks(page).items() if not is_done] == ["Use a passkey"]
    assert "5 of 6 done" in page.text
    assert "10 of 10 left" in page.text
    assert "Authenticator app, since 22 Nov 2026 · required" in page.text
    for name in ("One", "Two"):
        assert f"Remove {name}" in page.text
        assert f"Rename {name}" in page.text


def test_the_only_app_is_not_offered_for_removal_where_one_is_required(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member("ana"))

    page = browser.page(ACCOUNT)

    assert "Your only one: add another before you remove it" in page.text
    assert "Remove My phone" not in page.text


@pytest.mark.parametrize(("used", "left", "is_done"), [(6, "4 of 10 left", True), (7, "3 of 10 left", False)])
def test_few_recovery_codes_are_an_open_task(
    browser: Browser, people: People, clock: SettableClock, used: int, left: str, is_done: bool
) -> None:
    ana = people.a_member("ana")
    ids = db.session.scalars(sa.select(RecoveryCode.id).limit(used)).all()
    db.session.execute(sa.update(RecoveryCode).where(RecoveryCode.id.in_(ids)).values(used_at=clock.now()))
    db.session.commit()
    browser.sign_in(ana)

    page = browser.page(ACCOUNT)

    assert left in page.text
    assert tasks(page)["Recovery codes saved" if is_done else "Make new recovery codes"] is is_done


def test_codes_that_were_never_proved_to_be_kept_are_an_open_task(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    db.session.get_one(User, ana.id).recovery_codes_confirmed_at = None
    db.session.commit()
    browser.sign_in(ana)

    assert tasks(browser.page(ACCOUNT))["Save your recovery codes"] is False


@pytest.mark.parametrize(("age", "is_stale"), [(timedelta(days=90), False), (timedelta(days=91), True)])
def test_tokens_that_nobody_uses_are_named(
    browser: Browser, people: People, clock: SettableClock, age: timedelta, is_stale: bool
) -> None:
    ana = people.a_member("ana")
    token, _ = people.a_token(ana, "old ci")
    fresh, _ = people.a_token(ana, "ci")
    db.session.get_one(ApiToken, token.id).created_at = clock.now() - age
    db.session.get_one(ApiToken, fresh.id).created_at = clock.now() - timedelta(days=400)
    db.session.get_one(ApiToken, fresh.id).last_used_at = clock.now()
    db.session.commit()
    browser.sign_in(ana)

    page = browser.page(ACCOUNT)

    assert ("Not used for 90 days: old ci" in page.text) is is_stale
    assert tasks(page)["Remove stale tokens" if is_stale else "No stale tokens"] is not is_stale


@requirement("R100")
def test_what_happened_is_listed_in_words_with_when_and_from_where(
    app: Flask, browser: Browser, people: People
) -> None:
    people.a_user("ana").verified().build()
    Browser(app, address="198.51.100.9").post("/account/login/", username="ana", password="wrong horse")
    browser.post("/account/login/", username="ana", password=PASSWORD)

    page = browser.page(ACCOUNT)

    rows = [" ".join("".join(row.itertext()).split()) for row in page.root.iter("tr")]
    assert any(
        "Signed in (password)" in row and "203.0.113.7" in row and "22 Nov 2026, 14:05 UTC" in row for row in rows
    )
    assert any("could not sign in: wrong password" in row and "198.51.100.9" in row for row in rows)
    assert "Firefox on Linux" in page.text


def test_the_full_name_can_be_changed(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").build())

    page = browser.submit(ACCOUNT, full_name="  Ana   Bell ")

    assert "Your profile is saved" in page.text
    assert page.value("full_name") == "Ana Bell"
    assert "Profile edited" in page.text


def test_a_full_name_at_fault_is_kept_in_the_form_and_nowhere_else(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").build())

    page = browser.submit(ACCOUNT, status=422, full_name="win at http://evil.example")

    assert "Leave out web addresses" in page.text
    assert page.value("full_name") == "win at http://evil.example"
    assert page.title.startswith("Error: ")
    assert browser.page(ACCOUNT).value("full_name") == ""
