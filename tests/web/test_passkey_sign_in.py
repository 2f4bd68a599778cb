"""Signing in with a passkey: alone where it checked its owner, else with the password behind it."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.throttle import CODES_IN_A_ROW, take
from models import Attempt, BrowserSession, Ceremony, Event, Passkey, User, db
from tests.authenticator import Authenticator, a_password_manager, a_security_key
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.ceremonies import AUTHENTICATE, CONFIRM, SECOND_STEP, SIGN_IN, answer, ask, sign_in
from tests.letters import notices_to
from tests.requirements import requirement

PRIVATE, PASSWORD_STEP = "/manage/account/two-factor/", "/account/two-factor/password/"
PROJECTS = "/manage/projects/"
WRONG = "wrong horse battery staple 9"


@pytest.fixture
def laptop() -> Authenticator:
    return Authenticator()


@pytest.fixture
def ana(people: People, laptop: Authenticator) -> User:
    return people.a_user("ana").verified().with_passkey(laptop, "Laptop").with_recovery_codes().build()


def is_signed_in(browser: Browser) -> bool:
    return browser.get(PRIVATE).status_code == 200


def reasons(tag: str) -> list[str]:
    """Why tries were refused, as the journal has it."""
    db.session.rollback()
    found = db.session.scalars(sa.select(Event.details).where(Event.tag == tag).order_by(Event.id))
    return [details["reason"] for details in found]


@requirement("R37")
def test_a_passkey_that_checked_its_owner_signs_in_alone(
    browser: Browser, clock: SettableClock, ana: User, laptop: Authenticator
) -> None:
    clock.advance(timedelta(hours=1))

    answered = sign_in(browser, laptop)

    assert answered.get_json() == {"redirect_to": PROJECTS}
    assert is_signed_in(browser)
    row = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == ana.id)).one()
    assert (row.level, row.method, row.confirmed_at) == ("full", "passkey", clock.now())
    key = db.session.scalars(sa.select(Passkey)).one()
    assert (key.last_used_at, key.sign_count) == (clock.now(), 2)
    assert "Firefox" in (key.last_used_with or "")
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:sign_in:succeeded")).one()
    assert (event.user_id, event.details) == (ana.id, {"method": "passkey"})


def test_what_it_opens_is_fresh_enough_for_what_asks_for_a_proof(
    browser: Browser, ana: User, laptop: Authenticator
) -> None:
    sign_in(browser, laptop)

    assert browser.page("/manage/account/token/").h1 == "Create an API token"


def test_no_mail_is_sent_of_a_new_browser_for_a_fake_page_cannot_have_a_passkey(
    browser: Browser, ana: User, laptop: Authenticator
) -> None:
    sign_in(browser, laptop)

    assert notices_to("ana@mail.example") == []


def test_a_security_key_that_checks_its_owner_and_knows_whose_it_is_signs_in_as_well(
    browser: Browser, people: People
) -> None:
    stick = Authenticator(transports=("usb",))
    people.a_user("ana").verified().with_passkey(stick).build()

    sign_in(browser, stick)

    assert is_signed_in(browser)
    assert db.session.scalars(sa.select(BrowserSession.method).where(BrowserSession.level == "full")).one() == (
        "security key"
    )


@requirement("R52")
def test_the_options_tell_nothing_of_anybody(app: Flask, ana: User) -> None:
    empty = Browser(app, address="198.51.100.4")
    known = Browser(app)
    known.post("/account/login/", username="ana", password=PASSWORD)  # half signed in already

    answers = [ask(browser, AUTHENTICATE, {**SIGN_IN, "username": "ana"}) for browser in (empty, known)]

    for options in answers:
        assert len(options.pop("challenge")) == 43
        assert options == {
            "allowCredentials": [],
            "rpId": "localhost",
            "timeout": 300_000,
            "userVerification": "preferred",
        }


@requirement("R57")
def test_the_session_gets_a_new_handle_and_a_new_form_token_and_the_old_are_dead(
    browser: Browser, ana: User, laptop: Authenticator
) -> None:
    token = browser.form_token()
    before = browser.client.get_cookie("countersign")
    assert before is not None

    sign_in(browser, laptop)

    after = browser.client.get_cookie("countersign")
    assert after is not None
    assert before.value != after.value
    assert browser.post("/account/logout/", csrf_token=token).status_code == 400
    browser.client.set_cookie("countersign", before.value)
    assert not is_signed_in(browser)


@pytest.mark.parametrize("asked_for", ["/help/policy/", "/search/?q=tide"])
def test_it_leads_to_where_one_was_going(browser: Browser, ana: User, laptop: Authenticator, asked_for: str) -> None:
    assert sign_in(browser, laptop, next=asked_for).get_json() == {"redirect_to": asked_for}


@requirement("R95")
@pytest.mark.parametrize(
    "asked_for",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/nowhere/", "x" * 3_000],
)
def test_it_leads_nowhere_else(browser: Browser, ana: User, laptop: Authenticator, asked_for: str) -> None:
    assert sign_in(browser, laptop, next=asked_for).get_json() == {"redirect_to": PROJECTS}


@requirement("R37")
def test_a_key_that_did_not_check_its_owner_has_the_password_asked(browser: Browser, people: People) -> None:
    stick = Authenticator(verifies_user=False, transports=("usb",))
    people.a_user("ana").verified().with_passkey(stick).build()

    answered = sign_in(browser, stick, next="/help/policy/")
    half = is_signed_in(browser)
    page = browser.page(PASSWORD_STEP)
    finished = browser.post(PASSWORD_STEP, password=PASSWORD)

    assert answered.get_json() == {"redirect_to": PASSWORD_STEP}
    assert not half
    assert "Your key was recognised, ana, but it has not shown that it checks who uses it." in page.text
    assert finished.headers["Location"] == "/help/policy/"
    assert is_signed_in(browser)
    assert db.session.scalars(sa.select(BrowserSession.method).where(BrowserSession.level == "full")).one() == (
        "security key"
    )


def test_half_of_it_is_no_password_for_the_second_step(browser: Browser, people: People) -> None:
    """Else the thief of a key would be in with the key alone."""
    stick = Authenticator(verifies_user=False)
    ana = people.a_user("ana").verified().with_passkey(stick).with_recovery_codes().build()
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    sign_in(browser, stick)

    refused = browser.ask(f"{AUTHENTICATE}options", SECOND_STEP)
    browser.post("/account/recovery-code/", recovery_code_value=code)

    assert (refused.status_code, refused.get_json()["code"]) == (403, "not_signed_in")
    assert not is_signed_in(browser)


def test_a_wrong_password_behind_a_key_is_said_and_five_end_the_sign_in(browser: Browser, people: People) -> None:
    stick = Authenticator(verifies_user=False)
    people.a_user("ana").verified().with_passkey(stick).build()
    sign_in(browser, stick)

    pages = [browser.submit(PASSWORD_STEP, password=WRONG, status=422) for _ in range(4)]
    browser.submit(PASSWORD_STEP, password=WRONG, status=429)

    assert "This is not your password." in pages[0].text
    assert browser.post(PASSWORD_STEP, password=PASSWORD).headers["Location"].startswith("/account/login/")
    assert not is_signed_in(browser)
    assert reasons("account:sign_in:failed") == ["wrong password"] * 5


def test_passwords_behind_a_key_have_a_budget_of_their_own_that_strangers_cannot_spend(
    app: Flask, people: People
) -> None:
    stick = Authenticator(verifies_user=False)
    people.a_user("ana").verified().with_passkey(stick).build()
    stranger, own = Browser(app, address="198.51.100.4"), Browser(app)
    guesses = [stranger.post("/account/login/", username="ana", password=WRONG).status_code for _ in range(11)]

    sign_in(own, stick)
    own.post(PASSWORD_STEP, password=PASSWORD)

    assert guesses[-1] == 429
    assert is_signed_in(own)


def test_a_thief_of_the_key_has_ten_passwords_in_five_minutes(app: Flask, people: People, clock: SettableClock) -> None:
    stick = Authenticator(verifies_user=False)
    people.a_user("ana").verified().with_passkey(stick).build()
    statuses = []
    for number in range(11):
        thief = Browser(app, address=f"198.51.100.{number}")
        sign_in(thief, stick)
        statuses.append(thief.post(PASSWORD_STEP, password=WRONG).status_code)

    thief = Browser(app, address="198.51.100.77")
    sign_in(thief, stick)
    refused = thief.post(PASSWORD_STEP, password=PASSWORD)

    assert statuses == [422] * 10 + [429]
    assert refused.status_code == 429
    assert not is_signed_in(thief)


def test_ten_minutes_after_the_key_it_is_asked_for_again(
    browser: Browser, people: People, clock: SettableClock
) -> None:
    stick = Authenticator(verifies_user=False)
    people.a_user("ana").verified().with_passkey(stick).build()
    sign_in(browser, stick)
    clock.advance(timedelta(minutes=10, seconds=1))

    refused = browser.post(PASSWORD_STEP, password=PASSWORD)

    assert refused.headers["Location"].startswith("/account/login/")
    assert not is_signed_in(browser)


def test_a_key_that_is_removed_meanwhile_leaves_half_a_sign_in_nowhere(app: Flask, people: People) -> None:
    stick = Authenticator(verifies_user=False)
    ana = people.a_user("ana").verified().with_passkey(stick, "Stick").with_totp().build()
    thief, owner = Browser(app), Browser(app).sign_in(ana)
    sign_in(thief, stick)

    owner.submit("/manage/account/webauthn-provision/delete", label="Stick")
    thief.post(PASSWORD_STEP, password=PASSWORD)

    assert not is_signed_in(thief)


@requirement("R106")
def test_wrong_passwords_and_codes_of_strangers_do_not_block_a_passkey(
    app: Flask, people: People, clock: SettableClock
) -> None:
    laptop = Authenticator()
    people.a_user("ana").verified().with_passkey(laptop).with_totp().build()
    stranger, knows_password = Browser(app, address="198.51.100.4"), Browser(app, address="198.51.100.5")
    knows_password.post("/account/login/", username="ana", password=PASSWORD)
    codes = [knows_password.post("/account/two-factor/", totp_value="000000").status_code for _ in range(5)]
    passwords = [stranger.post("/account/login/", username="ana", password=WRONG).status_code for _ in range(11)]

    own = Browser(app)
    answered = sign_in(own, laptop)

    assert (codes[-1], passwords[-1]) == (429, 429)
    assert answered.status_code == 200
    assert is_signed_in(own)


@requirement("R26")
def test_a_passkey_makes_codes_work_again_after_a_hundred_wrong_ones(
    app: Flask, people: People, clock: SettableClock
) -> None:
    laptop = Authenticator()
    ana = people.a_user("ana").verified().with_passkey(laptop).with_totp().build()
    for _ in range(100):
        take(db.session(), (CODES_IN_A_ROW, str(ana.id)), now=clock.now())
    closed = Browser(app)
    closed.post("/account/login/", username="ana", password=PASSWORD)
    refused = closed.post("/account/two-factor/", totp_value=code_of(ana, clock))

    sign_in(Browser(app), laptop)

    other = Browser(app)
    other.post("/account/login/", username="ana", password=PASSWORD)
    taken = other.post("/account/two-factor/", totp_value=code_of(ana, clock))
    assert refused.status_code == 422
    assert "A hundred codes in a row were wrong" in refused.text
    assert taken.status_code == 303


def test_a_passkey_that_nobody_has_is_called_that_so_that_its_keeper_may_forget_it(browser: Browser, ana: User) -> None:
    stranger = Authenticator()
    stranger.hold(b"somebody")

    refused = sign_in(browser, stranger)

    assert refused.status_code == 422
    assert refused.get_json() == {
        "status": 422,
        "code": "unknown_passkey",
        "field": "credential",
        "detail": "This passkey is not registered here, or not any more. "
        "Use another one, or sign in with your password.",
    }
    assert not is_signed_in(browser)
    assert reasons("account:sign_in:failed") == ["unknown passkey"]


@requirement("R48")
@pytest.mark.parametrize("said", [None, b"", b"somebody else", "another account's"])
def test_a_passkey_that_does_not_say_whose_it_is_signs_nobody_in(
    browser: Browser, people: People, ana: User, laptop: Authenticator, said: bytes | str | None
) -> None:
    people.a_user("newt").verified().with_passkey(Authenticator()).build()
    other = db.session.scalars(sa.select(User.passkey_handle).where(User.username == "newt")).one()
    laptop.is_discoverable = False  # leaves its name out

    handle = other if isinstance(said, str) else said
    refused = sign_in(browser, laptop, get=lambda asked: laptop.get(asked, key=laptop.held[0], user_handle=handle))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_verified")
    assert not is_signed_in(browser)
    assert reasons("account:second_factor:refused") == ["another account's name in the answer"]


def test_a_frozen_account_stays_shut_and_the_try_is_noted(browser: Browser, people: People) -> None:
    laptop = Authenticator()
    people.a_user("ana").verified().with_passkey(laptop).frozen().build()

    refused = sign_in(browser, laptop)

    assert refused.status_code == 422
    assert refused.get_json()["detail"] == "This account is frozen. Ask an administrator of this index."
    assert not is_signed_in(browser)
    assert reasons("account:sign_in:failed") == ["the account is frozen"]
    assert db.session.scalars(sa.select(Passkey.sign_count)).one() == laptop.held[0].count


@requirement("R42")
def test_a_captured_answer_is_worth_nothing_a_second_time(
    app: Flask, browser: Browser, ana: User, laptop: Authenticator
) -> None:
    credential = laptop.get(ask(browser, AUTHENTICATE, SIGN_IN))
    answer(browser, AUTHENTICATE, credential, SIGN_IN)
    browser.post("/account/logout/")

    answers = [answer(each, AUTHENTICATE, credential, SIGN_IN) for each in (browser, Browser(app))]

    assert [(each.status_code, each.get_json()["code"]) for each in answers] == [(422, "over"), (422, "over")]
    assert not is_signed_in(browser)


@requirement("R42")
def test_an_answer_that_was_refused_is_worth_nothing_either(browser: Browser, ana: User, laptop: Authenticator) -> None:
    options = ask(browser, AUTHENTICATE, SIGN_IN)
    answer(browser, AUTHENTICATE, laptop.get(options, flags=0), SIGN_IN)

    again = answer(browser, AUTHENTICATE, laptop.get(options), SIGN_IN)

    assert (again.status_code, again.get_json()["code"]) == (422, "over")
    assert not is_signed_in(browser)


@requirement("R43")
def test_a_challenge_is_good_for_the_browser_that_asked(
    app: Flask, browser: Browser, ana: User, laptop: Authenticator
) -> None:
    options = ask(browser, AUTHENTICATE, SIGN_IN)

    refused = answer(Browser(app), AUTHENTICATE, laptop.get(options), SIGN_IN)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert answer(browser, AUTHENTICATE, laptop.get(options), SIGN_IN).status_code == 200


@requirement("R42")
def test_a_challenge_waits_six_minutes(
    browser: Browser, clock: SettableClock, ana: User, laptop: Authenticator
) -> None:
    in_time, too_late = ask(browser, AUTHENTICATE, SIGN_IN), ask(browser, AUTHENTICATE, SIGN_IN)
    clock.advance(timedelta(minutes=6))
    refused = answer(browser, AUTHENTICATE, laptop.get(too_late), SIGN_IN)
    clock.advance(timedelta(seconds=-1))

    answered = answer(browser, AUTHENTICATE, laptop.get(in_time), SIGN_IN)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert answered.status_code == 200


@requirement("R43")
def test_a_challenge_for_adding_or_confirming_or_the_second_step_signs_nobody_in(
    app: Flask, people: People, laptop: Authenticator, ana: User
) -> None:
    member, half = Browser(app).sign_in(ana), Browser(app)
    half.post("/account/login/", username="ana", password=PASSWORD)
    others = [
        (member, ask(member, "/manage/account/webauthn-provision/")["challenge"]),
        (member, ask(member, CONFIRM)["challenge"]),
        (half, ask(half, AUTHENTICATE, SECOND_STEP)["challenge"]),
    ]
    for browser, challenge in others:
        options = {**ask(browser, AUTHENTICATE, SIGN_IN), "challenge": challenge}

        refused = answer(browser, AUTHENTICATE, laptop.get(options), SIGN_IN)

        assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert not is_signed_in(half)


@requirement("R42")
def test_of_a_challenge_only_the_hash_is_kept(browser: Browser, ana: User) -> None:
    challenge = ask(browser, AUTHENTICATE, SIGN_IN)["challenge"]

    row = db.session.scalars(sa.select(Ceremony).where(Ceremony.purpose == "passkey-sign-in")).one()
    kept = json.dumps([repr(value) for value in vars(row).values()])
    assert challenge not in kept
    assert (row.user_id, row.session_id is None) == (None, False)


def test_guesses_from_one_address_are_counted_and_a_success_costs_nothing(
    app: Flask, people: People, clock: SettableClock, laptop: Authenticator, ana: User
) -> None:
    stranger = Authenticator()
    stranger.hold(b"somebody")
    for _ in range(12):
        assert sign_in(Browser(app), laptop).status_code == 200
    browser = Browser(app)

    statuses = [sign_in(browser, stranger).status_code for _ in range(11)]
    refused = sign_in(browser, laptop)

    assert statuses == [422] * 10 + [429]
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_attempts")
    assert refused.headers["Retry-After"] == "300"
    assert sign_in(Browser(app, address="198.51.100.4"), laptop).status_code == 200
    assert db.session.scalars(sa.select(Attempt.bucket).where(Attempt.bucket.startswith("factor:account"))).all() == []


@requirement("R90")
def test_without_the_form_token_nothing_is_answered(browser: Browser, ana: User) -> None:
    for path in ("options", "validate"):
        assert browser.ask(f"{AUTHENTICATE}{path}", {"csrf_token": ""}).status_code == 400


def test_somebody_who_is_signed_in_may_change_to_another_account(
    browser: Browser, people: People, ana: User, laptop: Authenticator
) -> None:
    newt = people.a_user("newt").verified().with_passkey(a_password_manager()).build()
    browser.sign_in(newt)

    sign_in(browser, laptop)

    assert "ana" in browser.page("/manage/account/").text
    assert db.session.scalars(sa.select(BrowserSession.user_id).where(BrowserSession.level == "full")).all() == [ana.id]


def test_a_key_of_the_second_step_signs_nobody_in_by_itself(browser: Browser, people: People) -> None:
    """It does not know whose it is; with a name added by hand it would have to be signed for."""
    stick = a_security_key(verifies_user=True)
    people.a_user("ana").verified().with_passkey(stick).build()

    refused = sign_in(browser, stick, get=lambda asked: stick.get(asked, key=stick.held[0]))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_verified")
    assert not is_signed_in(browser)
