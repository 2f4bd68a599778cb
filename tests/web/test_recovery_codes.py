"""Recovery codes: shown once, saved, proved without burning one, made anew."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.sessions import Level
from models import BrowserSession, Event, Mail, RecoveryCode, User, db
from tests.browsing import Browser, Page, wiring_of
from tests.builders import People
from tests.requirements import requirement

CODES, DONE = "/manage/account/recovery-codes/", "/manage/account/two-factor/done/"


@pytest.fixture
def ana(people: People) -> User:
    """Somebody with an app, whose codes were saved."""
    return people.a_member("ana")


def codes_on(page: Page) -> list[str]:
    """The codes that a page shows, none where there is no list."""
    return ["".join(item.itertext()) for item in page.root.findall(".//ol[@id='codes']/li")]


def rows(user: User) -> list[RecoveryCode]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(RecoveryCode).where(RecoveryCode.user_id == user.id)))


def made(browser: Browser, user: User) -> list[str]:
    """Fresh codes, as their owner sees them."""
    return codes_on(browser.sign_in(user).submit(f"{CODES}generate"))


@requirement("R29")
def test_ten_codes_are_shown_and_only_their_hashes_kept(browser: Browser, ana: User) -> None:
    codes = made(browser, ana)

    assert len(set(codes)) == 10
    assert all(row.code_hash.startswith("$argon2id$") for row in rows(ana))
    kept = " ".join(row.code_hash for row in rows(ana))
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]


@requirement("R31")
def test_a_get_makes_none(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    before = [row.code_hash for row in rows(ana)]

    page = browser.page(CODES)

    assert codes_on(page) == []
    assert browser.get(f"{CODES}generate").status_code == 405
    assert [row.code_hash for row in rows(ana)] == before


@requirement("R29")
def test_the_page_can_be_reloaded_until_they_are_saved(browser: Browser, ana: User) -> None:
    codes = made(browser, ana)

    again = browser.page(CODES)
    browser.submit(f"{CODES}confirm", recovery_code_value=codes[6])

    assert codes_on(again) == codes
    assert codes_on(browser.page(CODES)) == []


@requirement("R29")
def test_another_browser_and_a_later_hour_see_none(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    made(browser, ana)
    elsewhere = Browser(app).sign_in(ana)

    assert codes_on(elsewhere.page(CODES)) == []
    clock.advance(timedelta(minutes=31))
    page = browser.page(CODES)
    assert codes_on(page) == []
    assert "The codes were shown when they were made and cannot be shown again." in page.text


def test_typing_any_one_proves_that_they_are_kept_and_burns_none(browser: Browser, ana: User) -> None:
    codes = made(browser, ana)

    page = browser.submit(f"{CODES}confirm", recovery_code_value=f" {codes[3].lower().replace('-', ' ')} ")

    assert page.h1 == "Two-factor authentication is on"
    assert "None was used up." in page.text
    assert [row.used_at for row in rows(ana)] == [None] * 10
    assert db.session.get_one(User, ana.id).recovery_codes_confirmed_at is not None
    assert "not saved yet" not in browser.page(CODES).text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Type one of your recovery codes."),
        ("1234", "That is not a whole recovery code."),
        ("UUUU-UUUU-UUUU-UUUU", "That is not a recovery code."),
        ("0000-0000-0000-0000", "This recovery code does not work."),
        ("x" * 100_000, "That is not a whole recovery code."),
    ],
)
def test_what_proves_nothing_is_refused_and_the_codes_stay_on_the_page(
    browser: Browser, ana: User, typed: str, words: str
) -> None:
    codes = made(browser, ana)

    page = browser.submit(f"{CODES}confirm", recovery_code_value=typed, status=422)

    assert words in page.text
    assert page.value("recovery_code_value") == ""
    assert codes_on(page) == codes
    assert db.session.get_one(User, ana.id).recovery_codes_confirmed_at is None


def test_a_burnt_code_proves_nothing(app: Flask, browser: Browser, ana: User) -> None:
    codes = made(browser, ana)
    Browser(app).sign_in(ana, level=Level.HALF).submit("/account/recovery-code/", recovery_code_value=codes[0])

    page = browser.submit(f"{CODES}confirm", recovery_code_value=codes[0], status=422)

    assert "This recovery code does not work." in page.text


def test_they_can_be_downloaded_while_they_are_shown(browser: Browser, ana: User) -> None:
    codes = made(browser, ana)

    answer = browser.post(f"{CODES}download")

    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="localhost-8000-recovery-codes-ana-2026-11-22.txt"'
    )
    assert "Recovery codes for ana at http://localhost:8000" in answer.text
    assert [line.split()[1] for line in answer.text.splitlines() if line.strip()[:2].rstrip(".").isdigit()] == codes


def test_afterwards_there_is_nothing_to_download(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    page = browser.submit(f"{CODES}download")

    assert page.h1 == "Recovery codes"
    assert "These codes are not shown any more." in page.text


@requirement("R31", "R62")
def test_new_codes_void_the_old_ones_and_sign_other_browsers_out(app: Flask, browser: Browser, ana: User) -> None:
    old: str = ana.test_codes[0]  # type: ignore[attr-defined]
    Browser(app).sign_in(ana)

    made(browser, ana)

    assert db.session.scalar(sa.select(sa.func.count()).where(BrowserSession.user_id == ana.id)) == 1
    page = (
        Browser(app)
        .sign_in(ana, level=Level.HALF)
        .submit("/account/recovery-code/", recovery_code_value=old, status=422)
    )
    assert "This recovery code does not work." in page.text


@requirement("R31")
def test_new_codes_need_a_fresh_proof_of_who_one_is(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    before = [row.code_hash for row in rows(ana)]
    clock.advance(timedelta(minutes=16))

    answer = browser.post(f"{CODES}generate")

    assert answer.headers["Location"] == "/account/reauthenticate/"
    assert [row.code_hash for row in rows(ana)] == before


@requirement("R31")
def test_making_them_is_told_by_mail_and_in_the_journal_without_a_code(app: Flask, browser: Browser, ana: User) -> None:
    codes = made(browser, ana)

    mail = db.session.scalars(sa.select(Mail).where(Mail.notice == "recovery-codes-made")).one()
    letter = wiring_of(app).notices.read(mail)
    events = list(db.session.scalars(sa.select(Event)))
    assert letter.subject == "New recovery codes were made for your account ana"
    assert "203.0.113.7" in letter.text
    assert "account:recovery_codes:made" in [event.tag for event in events]
    told = letter.text + letter.html + str([event.details for event in events])
    assert not [code for code in codes if code in told]


@requirement("R30", "R32")
def test_the_overview_says_what_is_left_and_what_was_used(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    codes: list[str] = ana.test_codes  # type: ignore[attr-defined]
    for code in codes[:7]:
        thrifty = Browser(app, address="198.51.100.9").sign_in(ana, level=Level.HALF)
        thrifty.submit("/account/recovery-code/", recovery_code_value=code)
    browser.sign_in(ana)

    page = browser.page(CODES)

    assert "3 of 10 are left, made 22 Nov 2026, 14:05 UTC." in page.text
    assert "Few are left: make new ones while you can still sign in." in page.text
    assert page.text.count("198.51.100.9") == 7
    assert "Only 3 recovery codes are left." in browser.page("/manage/account/two-factor/").text


def test_without_a_second_factor_there_are_none_to_see(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("newt").verified().build())

    page = browser.page(CODES)

    assert page.h1 == "Choose how to confirm it is you"
    assert "Recovery codes come with a second factor." in page.text


def test_the_last_page_lists_what_there_is(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    page = browser.page(DONE)

    assert "My phone" in page.text
    assert "10 of 10 left" in page.text
    assert "/manage/account/" in page.links()
