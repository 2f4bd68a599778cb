"""An account without a second factor that nobody used for 90 days: its address is proved again before one is added."""

from datetime import timedelta

import pytest
from flask import Flask

from adapters.clock import SettableClock
from models import User, db
from tests.browsing import Browser, Page
from tests.builders import People
from tests.letters import letters, link_to, notices_to
from tests.signing_in import give_password, sign_in, sign_out

TOTP, PASSKEY = "/manage/account/totp-provision", "/manage/account/webauthn-provision"
TASK, EMAILS = "/manage/unverified-account/", "/manage/account/emails/"
TOKENS, WHY = "/manage/account/token/", "/manage/account/why/"
ADDRESS, PROOF = "ana@mail.example", "address-proof"
NINETY_DAYS = timedelta(days=90)


@pytest.fixture
def ana(people: People) -> User:
    """Somebody without a second factor, whose address is verified."""
    return people.a_user("ana").verified().build()


def come_back(browser: Browser, clock: SettableClock, *, after: timedelta = NINETY_DAYS + timedelta(seconds=1)) -> None:
    """Sign in with the password, so long after the last time."""
    clock.advance(after)
    answer = give_password(browser)
    assert answer.headers["Location"] == "/manage/projects/"


def press(browser: Browser, path: str, button: str) -> Page:
    """Press a button of a page, known by the end of its address."""
    forms = [form.get("action", "") for form in browser.page(path).root.iter("form")]
    return browser.submit(next(action for action in forms if action.endswith(button)))


def prove(browser: Browser) -> str:
    """Have the link sent, open it and press its button; where it leads."""
    press(browser, TASK, "/verify")
    return browser.post(link_to(ADDRESS)).headers["Location"]


# --- stopped ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "action"), [(TOTP, "set up an authenticator app"), (PASSKEY, "add a passkey or security key")]
)
def test_a_second_factor_is_not_added_before_the_address_is_proved(
    browser: Browser, clock: SettableClock, ana: User, path: str, action: str
) -> None:
    come_back(browser, clock)

    page = browser.page(path)

    assert page.response.request.path == TASK
    assert page.h1 == "Prove your email address again"
    assert page.stop is not None
    assert f"You asked to {action}." in page.stop
    assert "Whoever has found the password only must not add a second factor." in page.stop
    assert "Nobody signed in to this account for 90 days or more." in page.text
    assert page.value("email") is None


def test_sending_the_form_adds_none_either(browser: Browser, clock: SettableClock, ana: User) -> None:
    come_back(browser, clock)

    answer = browser.post(TOTP, totp_value="123456", label="Mine now")

    assert answer.headers["Location"].startswith(TASK)


def test_programs_are_told_the_reason_and_where_to_go(browser: Browser, clock: SettableClock, ana: User) -> None:
    come_back(browser, clock)

    browser.environ["HTTP_ACCEPT"] = "application/json"
    refused = browser.post(f"{PASSKEY}/options")

    assert refused.status_code == 403
    assert refused.json is not None
    assert refused.json["code"] == "address_proof_required"
    assert refused.json["detail"] == "Prove your email address again to add a passkey or security key."
    assert refused.json["setup_url"] == f"http://localhost:8000{TASK}"


def test_the_page_that_tells_why_names_the_link(browser: Browser, clock: SettableClock, ana: User) -> None:
    come_back(browser, clock)
    browser.get(TOTP)

    page = browser.page(WHY)

    assert "You asked to set up an authenticator app" in page.text
    assert "Was nobody here for so long that the address has to be proved again?" in page.text
    assert "This alone: Open the link that proves your address again." in page.text
    assert TASK in page.links()


def test_looking_around_changing_the_password_and_leaving_stay_possible(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    come_back(browser, clock)

    for path in ("/manage/projects/", "/manage/account/", "/manage/account/sessions/", "/manage/account/password/"):
        assert browser.get(path).status_code == 200, path
    sign_out(browser)


# --- the way through --------------------------------------------------------------------------------------------------


def test_a_link_to_the_primary_address_proves_it_and_leads_back(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    come_back(browser, clock)
    browser.get(TOTP)

    destination = prove(browser)

    assert destination == TOTP
    assert browser.page(destination).h1 == "Connect your authenticator app"
    letter = letters(ADDRESS)[-1]
    assert letter.notice == PROOF
    assert letter.subject == "Is this still the address of your account ana?"
    for words in (
        "the account ana",
        "for 90 days",
        "203.0.113.7",
        "Firefox on Linux",
        "/account/request-password-reset/",
    ):
        assert words in letter.text


def test_what_was_asked_for_first_is_kept_behind_it(browser: Browser, clock: SettableClock, ana: User) -> None:
    come_back(browser, clock)
    browser.submit(TOKENS, description="night builds", reach="user", expires="30")
    browser.get(TOTP)

    page = browser.page(prove(browser))

    assert page.h1 == "Connect your authenticator app"
    assert "Create an API token" in page.text


def test_it_is_said_that_it_was_done_and_nothing_is_asked_again(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    come_back(browser, clock)
    prove(browser)
    clock.advance(timedelta(days=1))
    sign_out_and_in(browser)

    page = browser.page(TOTP)

    assert page.h1 == "Connect your authenticator app"
    assert browser.get(TASK).headers["Location"] == "/manage/account/"
    assert "Email address ana@mail.example proved again" in browser.page("/manage/account/history/").text


def sign_out_and_in(browser: Browser) -> None:
    browser.client.delete_cookie("countersign")
    give_password(browser)


def test_the_link_is_good_once_and_for_a_day(browser: Browser, clock: SettableClock, ana: User) -> None:
    come_back(browser, clock)
    press(browser, TASK, "/verify")
    too_late = link_to(ADDRESS)
    clock.advance(timedelta(hours=24))
    sign_out_and_in(browser)

    refused = browser.submit(too_late, status=422)

    assert "This link does not work any more" in refused.text
    assert browser.page(TOTP).h1 == "Prove your email address again"


def test_opening_the_link_proves_nothing_before_its_button_is_pressed(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    come_back(browser, clock)
    press(browser, TASK, "/verify")

    browser.page(link_to(ADDRESS))

    assert browser.page(TOTP).h1 == "Prove your email address again"


def test_a_sign_in_in_between_does_not_take_the_place_of_the_proof(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    come_back(browser, clock)
    sign_out(browser)
    come_back(browser, clock, after=timedelta(minutes=1))

    assert browser.page(TOTP).h1 == "Prove your email address again"


def test_another_address_that_was_added_and_verified_does_not_do(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    come_back(browser, clock)
    attackers = "eve@mail.example"
    browser.post(EMAILS, email=attackers)
    browser.post(link_to(attackers))

    page = browser.page(TOTP)

    assert page.h1 == "Prove your email address again"
    assert notices_to(attackers) == ["verify-email"]
    assert "address-added" in notices_to(ADDRESS)


def test_nor_can_it_be_made_the_primary_one(browser: Browser, clock: SettableClock, people: People) -> None:
    people.a_user("ana").verified().also("eve@mail.example", verified=True).build()
    come_back(browser, clock)

    refused = press(browser, EMAILS, "/primary")

    assert refused.h1 == "Prove your email address again"
    assert refused.stop is not None
    assert "You asked to change your primary email address “eve@mail.example”." in refused.stop


def test_the_address_cannot_be_corrected_instead(browser: Browser, clock: SettableClock, ana: User) -> None:
    come_back(browser, clock)

    browser.submit(TASK, status=422, email="eve@mail.example")

    assert letters("eve@mail.example") == []
    assert browser.page(TOTP).h1 == "Prove your email address again"


def test_an_address_that_was_never_verified_is_proved_by_verifying_it(
    browser: Browser, clock: SettableClock, people: People
) -> None:
    people.a_user("ana").build()
    come_back(browser, clock)
    assert browser.page(TOTP).h1 == "Verify your email address"

    prove(browser)

    assert browser.page(TOTP).h1 == "Connect your authenticator app"


# --- whom it concerns -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("away", "is_asked"),
    [
        (timedelta(days=89), False),
        (NINETY_DAYS, False),
        (NINETY_DAYS + timedelta(seconds=1), True),
        (timedelta(days=1000), True),
    ],
)
def test_ninety_days_since_the_last_sign_in_are_long(
    browser: Browser, clock: SettableClock, ana: User, away: timedelta, is_asked: bool
) -> None:
    clock.advance(timedelta(days=200))
    give_password(browser)
    prove(browser)
    sign_out(browser)
    come_back(browser, clock, after=away)

    page = browser.page(TOTP)

    assert (page.h1 == "Prove your email address again") is is_asked


def test_an_account_that_nobody_ever_signed_in_to_counts_from_its_registration(
    browser: Browser, clock: SettableClock, people: People
) -> None:
    people.a_user("ana").verified().registered(clock.now() - timedelta(days=91)).build()

    give_password(browser)

    assert browser.page(TOTP).h1 == "Prove your email address again"


def test_somebody_with_a_second_factor_is_asked_for_nothing(
    browser: Browser, clock: SettableClock, people: People
) -> None:
    ana = people.a_member("ana")
    clock.advance(timedelta(days=400))

    sign_in(browser, ana, clock)

    assert browser.page(TOTP).h1 == "Connect another authenticator app"


def test_nor_later_when_the_second_factor_is_gone(
    app: Flask, browser: Browser, clock: SettableClock, people: People
) -> None:
    ana = people.a_member("ana")
    clock.advance(timedelta(days=400))
    sign_in(browser, ana, clock)
    clock.advance(timedelta(days=7))
    db.session.rollback()
    assert app.test_cli_runner().invoke(args=["users", "recover", "ana", "--yes"]).exit_code == 0

    give_password(browser)

    assert browser.page(TOTP).h1 == "Connect your authenticator app"


def test_after_the_operators_help_an_account_that_was_left_for_long_is_asked(
    app: Flask, browser: Browser, clock: SettableClock, people: People
) -> None:
    people.a_member("ana")
    db.session.rollback()
    assert app.test_cli_runner().invoke(args=["users", "recover", "ana", "--yes"]).exit_code == 0

    come_back(browser, clock)

    assert browser.page(TOTP).h1 == "Prove your email address again"
