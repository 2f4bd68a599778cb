"""A device is lost: in by a recovery code, on to replacing it, and told when the codes run out."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.recovery import FEW
from models import BrowserSession, Event, Passkey, RecoveryCode, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.letters import letters, notices_to
from tests.requirements import requirement
from tests.signing_in import (
    RECOVERY_STEP,
    SECOND_STEP,
    give_code,
    give_password,
    is_signed_in,
    recovery_code_of,
    sign_in,
    sign_out,
)

FACTORS, CODES, CONFIRM = "/manage/account/two-factor/", "/manage/account/recovery-codes/", "/account/reauthenticate/"
ADDRESS = "ana@mail.example"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def give_recovery_code(browser: Browser, user: User, which: int = 0) -> None:
    """In by password and recovery code."""
    give_password(browser)
    browser.post(RECOVERY_STEP, recovery_code_value=recovery_code_of(user, which))
    assert is_signed_in(browser)


def a_key(user: User, clock: SettableClock, *, refused: bool) -> None:
    """A security key on the account; refused: its counter fell."""
    key = Passkey(
        public_id="key",
        user_id=user.id,
        label="Blue key",
        credential_id=b"credential",
        public_key=b"never asked in these tests",
        sign_count=7,
        aaguid="00000000-0000-0000-0000-000000000000",
        transports="usb",
        verifies_user=False,
        is_discoverable=False,
        is_backup_eligible=False,
        is_backed_up=False,
        added_at=clock.now(),
        refused_since=clock.now() if refused else None,
    )
    db.session.add(key)
    db.session.commit()


def without_app(user: User) -> None:
    db.session.execute(sa.delete(TotpApp).where(TotpApp.user_id == user.id))
    db.session.commit()


def use_up(user: User, clock: SettableClock, *, left: int) -> None:
    """Codes were used until so many are left."""
    codes = db.session.scalars(sa.select(RecoveryCode).where(RecoveryCode.user_id == user.id).order_by(RecoveryCode.id))
    for code in codes.all()[left:]:
        code.used_at = clock.now()
    db.session.commit()


# --- replacing it -----------------------------------------------------------------------------------------------------


@requirement("R32")
def test_after_a_recovery_code_the_lost_device_is_to_be_replaced(browser: Browser, ana: User) -> None:
    give_password(browser, next_page="/help/policy/")

    page = browser.submit(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana))

    assert page.response.request.path == FACTORS
    assert page.h1 == "Replace the lost device"
    assert "You signed in with a recovery code; 9 are left." in page.text
    assert "Add a new second factor first, then remove the one that you have no more" in page.text
    for words in ("My phone", "Add a passkey or security key", "Add an authenticator app"):
        assert words in page.text


def test_the_page_says_so_as_long_as_that_session_lasts_and_in_no_other(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    give_recovery_code(browser, ana)
    clock.advance(timedelta(minutes=50))
    other = Browser(app)
    sign_in(other, ana, clock)

    assert browser.page(FACTORS).h1 == "Replace the lost device"
    assert other.page(FACTORS).h1 == "Second factors"


def test_the_new_one_is_added_and_the_lost_one_removed_without_another_proof(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    user_id, lost = ana.id, db.session.scalars(sa.select(TotpApp.public_id)).one()
    give_recovery_code(browser, ana)

    only_one = browser.submit(f"{FACTORS}{lost}/remove/", status=422)
    a_key(db.session.get_one(User, user_id), clock, refused=False)
    removed = browser.submit(f"{FACTORS}{lost}/remove/")

    assert "This is your only second factor" in only_one.text
    assert "“My phone” was removed." in removed.text
    thief = Browser(app)
    give_password(thief)
    assert thief.submit(SECOND_STEP, totp_value=code_of(ana, clock), status=422).status == 422


def test_whoever_has_a_key_and_no_app_is_not_told_of_another_app(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    a_key(ana, clock, refused=False)
    without_app(ana)
    browser.sign_in(ana)

    page = browser.page("/manage/account/totp-provision")

    assert page.h1 == "Connect an authenticator app"


@requirement("R33")
def test_it_needs_the_password_before_it(browser: Browser, ana: User) -> None:
    answer = browser.post(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana))

    assert answer.headers["Location"].startswith("/account/login/")
    assert not is_signed_in(browser)


def test_every_verified_address_is_told_and_what_to_do(app: Flask, browser: Browser, people: People) -> None:
    second = "second@mail.example"
    ana = people.a_user("ana").verified().also(second, verified=True).with_totp().with_recovery_codes().build()

    give_recovery_code(browser, ana)

    for address in (ADDRESS, second):
        letter = next(letter for letter in letters(address) if letter.notice == "recovery-code-used")
        for words in ("9 are left", "203.0.113.7", "Firefox on Linux", FACTORS, "/account/request-password-reset/"):
            assert words in letter.text


# --- few are left -----------------------------------------------------------------------------------------------------


@requirement("R32")
@pytest.mark.parametrize(
    ("left", "words"),
    [
        (3, "Only 3 recovery codes are left."),
        (1, "Only one recovery code is left."),
        (0, "No recovery code is left."),
    ],
)
def test_few_codes_are_said_on_every_page(
    browser: Browser, clock: SettableClock, people: People, ana: User, left: int, words: str
) -> None:
    people.a_project("tide-tables", owner=ana)
    use_up(ana, clock, left=left)
    sign_in(browser, ana, clock)

    for path in ("/", "/help/", "/project/tide-tables/", "/manage/projects/", "/manage/account/", FACTORS):
        page = browser.page(path)
        assert words in page.text, path
        assert CODES in page.links(), path


def test_four_are_not_few(browser: Browser, clock: SettableClock, ana: User) -> None:
    use_up(ana, clock, left=FEW + 1)
    sign_in(browser, ana, clock)

    assert FEW == 3
    assert "recovery codes are left." not in browser.page("/manage/account/").text


def test_nobody_else_sees_how_many_are_left(app: Flask, browser: Browser, clock: SettableClock, ana: User) -> None:
    use_up(ana, clock, left=1)
    sign_in(browser, ana, clock)

    assert "recovery code" not in Browser(app).page("/").text
    sign_out(browser)
    assert "recovery code" not in browser.page("/").text


@requirement("R32")
@pytest.mark.parametrize(
    ("left", "words"), [(5, "4 are left."), (4, "3 are left."), (2, "One is left."), (1, "It was the last one.")]
)
def test_the_mail_and_the_page_ask_for_new_ones_when_three_are_left(
    browser: Browser, clock: SettableClock, ana: User, left: int, words: str
) -> None:
    use_up(ana, clock, left=left)
    give_password(browser)

    page = browser.submit(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana))

    letter = next(letter for letter in letters(ADDRESS) if letter.notice == "recovery-code-used")
    assert words in letter.text
    assert ("Make new ones now." in letter.text) is (left <= 4)
    assert ("Make new ones now." in page.text) is (left <= 4)


# --- making new ones --------------------------------------------------------------------------------------------------


@requirement("R31")
def test_making_new_codes_is_a_button_that_asks_who_one_is(browser: Browser, clock: SettableClock, ana: User) -> None:
    sign_in(browser, ana, clock)
    clock.advance(timedelta(minutes=15))

    opened = browser.get(f"{CODES}generate")
    answer = browser.post(f"{CODES}generate")

    assert opened.status_code == 405
    assert answer.headers["Location"] == CONFIRM
    assert notices_to(ADDRESS) == ["sign-in-from-new-browser"]


def test_the_old_set_is_void_at_once_and_the_owner_told(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    old = recovery_code_of(ana)
    sign_in(browser, ana, clock)

    browser.submit(f"{CODES}generate")

    other = Browser(app)
    give_password(other)
    assert "does not work" in other.submit(RECOVERY_STEP, recovery_code_value=old, status=422).text
    assert notices_to(ADDRESS)[-1] == "recovery-codes-made"


# --- confirming that it is you ----------------------------------------------------------------------------------------


@pytest.fixture
def stale(browser: Browser, clock: SettableClock, ana: User) -> Browser:
    """Ana's browser, in which she has not proved for long that it is her."""
    sign_in(browser, ana, clock)
    clock.advance(timedelta(minutes=15))
    return browser


def is_confirmed(browser: Browser) -> bool:
    return browser.get("/manage/account/token/").status_code == 200


@requirement("R33")
def test_with_an_app_a_recovery_code_confirms_nothing(stale: Browser, ana: User) -> None:
    asked = stale.page(CONFIRM)

    page = stale.submit(CONFIRM, status=422, password=PASSWORD, recovery_code_value=recovery_code_of(ana))

    assert asked.value("recovery_code_value") is None
    assert "Type the six digits that your app shows." in page.text
    assert not is_confirmed(stale)


@requirement("R33")
def test_with_a_key_that_works_it_confirms_nothing(stale: Browser, clock: SettableClock, ana: User) -> None:
    without_app(ana)
    a_key(ana, clock, refused=False)

    asked = stale.page(CONFIRM)
    page = stale.submit(CONFIRM, status=422, password=PASSWORD, recovery_code_value=recovery_code_of(ana))

    assert asked.value("recovery_code_value") is None
    assert "Your second factor is a passkey or security key. Use the button for it, with your password." in page.text
    assert not is_confirmed(stale)


@requirement("R33")
def test_where_the_only_key_is_refused_it_does_and_is_used_up(stale: Browser, clock: SettableClock, ana: User) -> None:
    without_app(ana)
    a_key(ana, clock, refused=True)

    asked = stale.page(CONFIRM)
    stale.post(CONFIRM, password=PASSWORD, recovery_code_value=recovery_code_of(ana))
    was_confirmed = is_confirmed(stale)
    clock.advance(timedelta(minutes=15))
    again = stale.submit(CONFIRM, status=422, password=PASSWORD, recovery_code_value=recovery_code_of(ana))

    assert "None of your second factors works any more" in asked.text
    assert was_confirmed
    assert "This recovery code does not work." in again.text
    assert notices_to(ADDRESS)[-1] == "recovery-code-used"
    confirmed = db.session.scalars(sa.select(Event).where(Event.tag == "account:presence:confirmed")).one()
    assert confirmed.details == {"by": "password and recovery code"}


def test_a_refused_key_beside_an_app_changes_nothing(stale: Browser, clock: SettableClock, ana: User) -> None:
    a_key(ana, clock, refused=True)

    page = stale.submit(CONFIRM, status=422, password=PASSWORD, recovery_code_value=recovery_code_of(ana))

    assert page.value("recovery_code_value") is None
    assert not is_confirmed(stale)
    stale.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))
    assert is_confirmed(stale)


def test_a_wrong_password_uses_up_no_code(stale: Browser, clock: SettableClock, ana: User) -> None:
    without_app(ana)
    a_key(ana, clock, refused=True)
    wrong = "wrong horse battery staple"

    stale.submit(CONFIRM, status=422, password=wrong, recovery_code_value=recovery_code_of(ana))

    assert db.session.scalar(sa.select(RecoveryCode.id).where(RecoveryCode.used_at.is_not(None))) is None


def test_a_key_that_is_refused_keeps_the_account_at_two_factors(app: Flask, clock: SettableClock, ana: User) -> None:
    without_app(ana)
    a_key(ana, clock, refused=True)
    browser = Browser(app)

    answer = give_password(browser)
    page = browser.page(SECOND_STEP)
    give_code(browser, ana, clock)

    assert answer.headers["Location"] == SECOND_STEP
    assert page.value("totp_value") is None
    assert not is_signed_in(browser)
    give_recovery_code(browser, ana)
    assert "It may have been copied" in browser.page(FACTORS).text
    session = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.level == "full")).one()
    assert session.method == "recovery code"
