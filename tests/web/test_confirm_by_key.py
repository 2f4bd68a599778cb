"""Confirming by a passkey or security key that it is you, and who is not taken at their word."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import BrowserSession, Event, Passkey, RecoveryCode, User, db
from tests.authenticator import Authenticator, Json, a_security_key
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.ceremonies import ADD, AUTHENTICATE, CONFIRM, SIGN_IN, answer, ask, confirm, sign_in
from tests.letters import notices_to
from tests.requirements import requirement

CODES, TOKENS = "/manage/account/recovery-codes/", "/manage/account/token/"
MAKE = f"{CODES}generate"
WRONG = "wrong horse battery staple 9"


@pytest.fixture
def laptop() -> Authenticator:
    return Authenticator()


@pytest.fixture
def stick() -> Authenticator:
    """Checks nobody."""
    return a_security_key()


@pytest.fixture
def ana(people: People, laptop: Authenticator, stick: Authenticator) -> User:
    with_keys = people.a_user("ana").verified().with_passkey(laptop, "Laptop").with_passkey(stick, "Stick")
    return with_keys.with_recovery_codes().build()


@pytest.fixture
def stale(browser: Browser, clock: SettableClock, ana: User) -> Browser:
    """A browser of hers in which nothing was proved for a while."""
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=15))
    return browser


def is_confirmed(browser: Browser) -> bool:
    return browser.post(MAKE).headers["Location"] == CODES


def by(authenticator: Authenticator) -> Callable[[Json], Json]:
    """The answer of the key that it holds, be it asked for or not."""
    return lambda asked: authenticator.get(asked, key=authenticator.held[0])


def reasons(tag: str) -> list[str]:
    """Why tries were refused, as the journal has it."""
    db.session.rollback()
    found = db.session.scalars(sa.select(Event.details).where(Event.tag == tag).order_by(Event.id))
    return [details["reason"] for details in found]


def test_a_passkey_confirms_alone_and_what_was_typed_is_still_there(
    stale: Browser, clock: SettableClock, ana: User, laptop: Authenticator
) -> None:
    asked = stale.submit(TOKENS, description="night builds", reach="user", expires="30")

    answered = confirm(stale, laptop)

    assert asked.h1 == "Confirm it is you"
    assert "Use your passkey or security key" in asked.text
    page = stale.page(answered.get_json()["redirect_to"])
    assert page.response.request.path == TOKENS
    assert page.value("description") == "night builds"
    row = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == ana.id)).one()
    assert row.confirmed_at == clock.now()
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:presence:confirmed")).one()
    assert (event.actor_id, event.details) == (ana.id, {"by": "passkey"})


@requirement("R57")
def test_the_session_gets_a_new_handle_and_the_old_is_dead(stale: Browser, laptop: Authenticator) -> None:
    before = stale.client.get_cookie("countersign")
    assert before is not None

    confirm(stale, laptop)

    after = stale.client.get_cookie("countersign")
    assert after is not None
    assert before.value != after.value
    assert is_confirmed(stale)
    stale.client.set_cookie("countersign", before.value)
    assert stale.get(CODES).headers["Location"].startswith("/account/login/")


@requirement("R65")
def test_it_holds_for_fifteen_minutes(stale: Browser, clock: SettableClock, laptop: Authenticator) -> None:
    confirm(stale, laptop)
    clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
    in_time = is_confirmed(stale)
    clock.advance(timedelta(seconds=1))

    assert in_time
    assert not is_confirmed(stale)


def test_the_options_name_the_keys_of_this_account(
    stale: Browser, people: People, laptop: Authenticator, stick: Authenticator
) -> None:
    people.a_user("newt").verified().with_passkey(Authenticator()).build()

    options = ask(stale, CONFIRM)

    assert [each["id"] for each in options["allowCredentials"]] == [laptop.held[0].id, stick.held[0].id]
    assert (options["rpId"], options["timeout"]) == ("localhost", 300_000)


def test_a_key_that_did_not_check_its_owner_needs_the_password_beside_it(stale: Browser, stick: Authenticator) -> None:
    without = confirm(stale, stick)
    wrong = confirm(stale, stick, password=WRONG)
    confirmed_before = is_confirmed(stale)
    right = confirm(stale, stick, password=PASSWORD)

    assert (without.status_code, without.get_json()["field"]) == (422, "password")
    assert "Type your password, then use it again." in without.get_json()["detail"]
    assert (wrong.status_code, wrong.get_json()["field"]) == (422, "password")
    assert wrong.get_json()["detail"] == "This is not your password."
    assert not confirmed_before
    assert right.status_code == 200
    assert is_confirmed(stale)
    (proof,) = db.session.scalars(sa.select(Event.details).where(Event.tag == "account:presence:confirmed"))
    assert proof == {"by": "password and security key"}
    assert reasons("account:presence:refused") == ["wrong password"]


def test_the_counter_of_a_key_is_kept_though_the_password_was_wrong(stale: Browser, stick: Authenticator) -> None:
    confirm(stale, stick, password=WRONG)

    db.session.rollback()
    assert db.session.scalars(sa.select(Passkey.sign_count).where(Passkey.label == "Stick")).one() == 2


def test_passwords_beside_a_key_have_a_budget(stale: Browser, stick: Authenticator) -> None:
    statuses = [confirm(stale, stick, password=WRONG).status_code for _ in range(11)]

    refused = confirm(stale, stick, password=PASSWORD)

    assert statuses == [422] * 10 + [429]
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_attempts")
    assert not is_confirmed(stale)


@requirement("R106")
def test_a_stranger_who_guesses_passwords_does_not_stand_in_the_way(
    app: Flask, stale: Browser, stick: Authenticator
) -> None:
    stranger = Browser(app, address="198.51.100.9")
    guesses = [stranger.post("/account/login/", username="ana", password=WRONG).status_code for _ in range(11)]

    confirm(stale, stick, password=PASSWORD)

    assert guesses[-1] == 429
    assert is_confirmed(stale)


@requirement("R106")
def test_a_thief_who_guesses_the_password_behind_a_key_does_not_stand_in_the_way(
    app: Flask, stale: Browser, stick: Authenticator
) -> None:
    """The owner has to confirm before the stolen key can be removed."""
    stick.is_discoverable = True
    guesses = []
    for number in range(11):
        thief = Browser(app, address=f"198.51.100.{number}")
        sign_in(thief, stick, by(stick))
        guesses.append(thief.post("/account/two-factor/password/", password=WRONG).status_code)

    confirm(stale, stick, password=PASSWORD)

    assert guesses[-1] == 429
    assert is_confirmed(stale)


@requirement("R47")
@pytest.mark.parametrize("tells_whose", [True, False])
def test_the_key_of_somebody_else_confirms_nothing(stale: Browser, people: People, tells_whose: bool) -> None:
    """Whoever finds a browser open has a key, too."""
    foreign = Authenticator(is_discoverable=tells_whose)
    people.a_user("mallory").verified().with_passkey(foreign).build()

    refused = confirm(stale, foreign, by(foreign), password=PASSWORD)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "unknown_passkey")
    assert not is_confirmed(stale)
    assert reasons("account:second_factor:refused") == ["unknown passkey"]


@requirement("R48")
def test_a_name_of_somebody_else_in_the_answer_is_refused(stale: Browser, laptop: Authenticator) -> None:
    refused = confirm(stale, laptop, lambda asked: laptop.get(asked, user_handle=b"mallory"))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_verified")
    assert not is_confirmed(stale)


@requirement("R43")
def test_a_challenge_for_signing_in_or_adding_confirms_nothing(
    app: Flask, browser: Browser, ana: User, clock: SettableClock, laptop: Authenticator
) -> None:
    browser.sign_in(ana)
    challenges = [ask(browser, AUTHENTICATE, SIGN_IN)["challenge"], ask(browser, ADD)["challenge"]]
    for challenge in challenges:
        options = {**ask(browser, CONFIRM), "challenge": challenge}

        refused = answer(browser, CONFIRM, laptop.get(options))

        assert (refused.status_code, refused.get_json()["code"]) == (422, "over")


@requirement("R43")
def test_a_challenge_to_confirm_signs_nobody_in(app: Flask, stale: Browser, laptop: Authenticator) -> None:
    credential = laptop.get(ask(stale, CONFIRM))

    refused = answer(Browser(app), AUTHENTICATE, credential, SIGN_IN)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")


@requirement("R43")
def test_a_challenge_of_another_session_is_refused(
    app: Flask, stale: Browser, ana: User, laptop: Authenticator
) -> None:
    elsewhere = Browser(app).sign_in(ana)

    refused = answer(stale, CONFIRM, laptop.get(ask(elsewhere, CONFIRM)))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert not is_confirmed(stale)


@requirement("R42")
def test_a_captured_answer_confirms_nothing_a_second_time(
    stale: Browser, clock: SettableClock, laptop: Authenticator
) -> None:
    credential = laptop.get(ask(stale, CONFIRM))
    answer(stale, CONFIRM, credential)
    clock.advance(timedelta(minutes=16))

    refused = answer(stale, CONFIRM, credential)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert not is_confirmed(stale)


def test_a_challenge_waits_six_minutes(stale: Browser, clock: SettableClock, laptop: Authenticator) -> None:
    options = ask(stale, CONFIRM)
    clock.advance(timedelta(minutes=6))

    refused = answer(stale, CONFIRM, laptop.get(options))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")


def test_wrong_answers_come_out_of_the_budget_of_all_second_factors(
    app: Flask, stale: Browser, laptop: Authenticator
) -> None:
    statuses = [confirm(stale, laptop, lambda asked: laptop.get(asked, flags=0)).status_code for _ in range(5)]
    other = Browser(app)
    other.post("/account/login/", username="ana", password=PASSWORD)

    here = confirm(stale, laptop)
    there = answer(
        other,
        AUTHENTICATE,
        laptop.get(ask(other, AUTHENTICATE, {"step": "second-step"})),
        {"step": "second-step"},
    )

    assert statuses == [422] * 5
    assert [(each.status_code, each.get_json()["code"]) for each in (here, there)] == [(429, "too_many_attempts")] * 2


def test_a_copied_key_is_refused_here_as_well(stale: Browser, laptop: Authenticator) -> None:
    refused = confirm(stale, laptop, lambda asked: laptop.get(asked, count=1))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "key_refused")
    assert not is_confirmed(stale)
    assert notices_to("ana@mail.example") == ["key-refused"]


def test_the_password_alone_is_not_enough_where_there_is_a_key(stale: Browser) -> None:
    page = stale.submit(CONFIRM, password=PASSWORD, status=422)

    assert "Use the button for it, with your password." in page.text
    assert page.value("recovery_code_value") is None
    assert page.value("totp_value") is None
    assert not is_confirmed(stale)


@requirement("R33")
def test_a_recovery_code_does_not_confirm_where_a_factor_works(
    stale: Browser, ana: User, laptop: Authenticator
) -> None:
    """Whoever found the sheet must not be able to change the second factors of somebody who has them."""
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    confirm(stale, laptop, lambda asked: laptop.get(asked, count=1))  # one key is refused

    stale.submit(CONFIRM, password=PASSWORD, recovery_code_value=code, status=422)

    assert not is_confirmed(stale)
    assert db.session.scalars(sa.select(RecoveryCode.used_at).distinct()).all() == [None]


@requirement("R33")
def test_a_recovery_code_confirms_once_no_factor_works_any_more(
    browser: Browser, clock: SettableClock, people: People, laptop: Authenticator
) -> None:
    ana = people.a_user("ana").verified().with_passkey(laptop).with_recovery_codes().build()
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    browser.sign_in(ana)
    confirm(browser, laptop, lambda asked: laptop.get(asked, count=1))
    clock.advance(timedelta(minutes=15))

    asked = browser.ask(f"{CONFIRM}options")
    without = browser.submit(CONFIRM, password=PASSWORD, recovery_code_value="", status=422)
    wrong_password = browser.submit(CONFIRM, password=WRONG, recovery_code_value=code, status=422)
    browser.submit(CONFIRM, password=PASSWORD, recovery_code_value=code)

    assert asked.status_code == 422
    assert asked.get_json()["detail"] == "This account has no passkey or security key that could answer."
    assert "Type one of your recovery codes." in without.text
    assert "This is not your password." in wrong_password.text
    assert is_confirmed(browser)


def test_password_and_code_confirm_beside_a_key(
    browser: Browser, clock: SettableClock, people: People, stick: Authenticator
) -> None:
    ana = people.a_user("ana").verified().with_passkey(stick).with_totp().build()
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=15))

    browser.submit(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    assert is_confirmed(browser)


@requirement("R36")
def test_a_removed_key_confirms_nothing_any_more(
    stale: Browser, ana: User, laptop: Authenticator, stick: Authenticator
) -> None:
    options = ask(stale, CONFIRM)
    confirm(stale, laptop)
    stale.submit(f"{ADD}delete", label="Stick")

    refused = answer(stale, CONFIRM, stick.get(options), {"password": PASSWORD})

    assert (refused.status_code, refused.get_json()["code"]) == (422, "unknown_passkey")


def test_nobody_and_half_a_sign_in_have_nothing_to_confirm(app: Flask, ana: User) -> None:
    half = Browser(app)
    half.post("/account/login/", username="ana", password=PASSWORD)
    for browser in (Browser(app), half):
        for path in ("options", "validate"):
            refused = browser.ask(f"{CONFIRM}{path}")

            assert (refused.status_code, refused.get_json()["code"]) == (403, "not_signed_in")


@requirement("R41")
def test_a_trusted_browser_has_confirmed_nothing(app: Flask, ana: User, laptop: Authenticator) -> None:
    browser = Browser(app)
    browser.post("/account/login/", username="ana", password=PASSWORD)
    options = ask(browser, AUTHENTICATE, {"step": "second-step"})
    answer(
        browser,
        AUTHENTICATE,
        laptop.get(options),
        {"step": "second-step", "remember_browser": "y"},
    )
    browser.post("/account/logout/")
    browser.post("/account/login/", username="ana", password=PASSWORD)

    unconfirmed = is_confirmed(browser)
    confirm(browser, laptop)

    assert not unconfirmed
    assert is_confirmed(browser)


def test_signing_in_by_passkey_is_proof_enough_for_a_while(browser: Browser, ana: User, laptop: Authenticator) -> None:
    sign_in(browser, laptop)

    assert is_confirmed(browser)
