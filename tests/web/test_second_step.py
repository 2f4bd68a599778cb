"""The second step of signing in: with an app or a recovery code, and what happens when neither is right."""

from datetime import timedelta
from email.utils import format_datetime

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.sessions import Level
from models import BrowserSession, Event, Mail, RecoveryCode, TotpApp, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People, code_of
from tests.letters import letters
from tests.requirements import requirement

SIGN_IN, STEP, RECOVERY = "/account/login/", "/account/two-factor/", "/account/recovery-code/"
PRIVATE = "/manage/account/two-factor/"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def secret_of(user: User) -> str:
    secret: str = user.test_secrets[0]  # type: ignore[attr-defined]
    return secret


def recovery_codes_of(user: User) -> list[str]:
    codes: list[str] = user.test_codes  # type: ignore[attr-defined]
    return codes


def with_password(app: Flask, *, next_page: str = "", address: str = "203.0.113.7") -> Browser:
    """A browser in which the password was given."""
    browser = Browser(app, address=address)
    answer = browser.post(f"{SIGN_IN}?next={next_page}", username="ana", password=PASSWORD)
    assert answer.headers["Location"] == STEP
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.get(PRIVATE).status_code == 200


def reasons() -> list[str]:
    """Why tries were refused, as the journal has it."""
    db.session.rollback()
    refused = sa.select(Event.details).where(Event.tag == "account:second_factor:refused").order_by(Event.id)
    return [details["reason"] for details in db.session.scalars(refused)]


def test_the_password_alone_signs_nobody_in(app: Flask, ana: User) -> None:
    browser = with_password(app)

    assert not is_signed_in(browser)
    assert browser.page(STEP).h1 == "Confirm it is you"


@requirement("R95")
def test_a_code_signs_in_and_leads_to_where_one_was_going(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = with_password(app, next_page="/help/policy/")

    answer = browser.post(STEP, method="totp", totp_value=code_of(ana, clock))

    assert answer.headers["Location"] == "/help/policy/"
    assert is_signed_in(browser)
    row = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == ana.id)).one()
    assert (row.level, row.method, row.confirmed_at) == ("full", "authenticator app", clock.now())
    signed_in = db.session.scalars(sa.select(Event).where(Event.tag == "account:sign_in:succeeded")).one()
    assert signed_in.details == {"method": "authenticator app"}


@requirement("R57")
def test_the_session_gets_a_new_handle_and_the_half_one_is_dead(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = with_password(app)
    before = browser.client.get_cookie("countersign")

    browser.post(STEP, totp_value=code_of(ana, clock))

    after = browser.client.get_cookie("countersign")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    browser.client.set_cookie("countersign", before.value)
    assert not is_signed_in(browser)


@requirement("R33")
@pytest.mark.parametrize("path", [STEP, RECOVERY])
def test_without_the_password_there_is_no_second_step(browser: Browser, ana: User, path: str) -> None:
    page = browser.page(path)

    assert page.h1 == "Sign in"
    assert "Give your username and password first." in page.text
    assert browser.post(path, totp_value="123456").headers["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("path", [STEP, RECOVERY])
def test_whoever_is_signed_in_needs_no_second_step(browser: Browser, ana: User, path: str) -> None:
    browser.sign_in(ana)

    assert browser.get(path).headers["Location"] == "/manage/projects/"


@requirement("R07")
def test_after_ten_minutes_the_password_is_asked_for_again(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = with_password(app)
    clock.advance(timedelta(minutes=10, seconds=1))

    page = browser.submit(STEP, totp_value=code_of(ana, clock))

    assert page.h1 == "Sign in"
    assert "More than ten minutes have passed since you gave your password. Type it again." in page.text
    assert not is_signed_in(browser)


@requirement("R16", "R19")
def test_a_code_works_once_however_it_is_spelled(app: Flask, clock: SettableClock, ana: User) -> None:
    code = code_of(ana, clock)
    with_password(app).post(STEP, totp_value=code)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)

    for spelling in (code, f"{code[:3]} {code[3:]}", wide):
        page = with_password(app).submit(STEP, totp_value=spelling, status=422)
        assert "This code was already used. Wait for the next one." in page.text

    assert reasons() == ["code used before"] * 3


@requirement("R18")
def test_after_a_code_an_earlier_one_is_refused(app: Flask, clock: SettableClock, ana: User) -> None:
    earlier = pyotp.TOTP(secret_of(ana)).at(clock.now() - timedelta(seconds=30))
    with_password(app).post(STEP, totp_value=code_of(ana, clock))

    page = with_password(app).submit(STEP, totp_value=earlier, status=422)

    assert "This code was already used. Wait for the next one." in page.text


@requirement("R08")
def test_half_a_sign_in_is_not_finished_with_the_code_of_somebody_else(
    app: Flask, clock: SettableClock, ana: User, people: People
) -> None:
    bo = people.a_member("bo")
    browser = with_password(app)
    browser.post(SIGN_IN, username="bo", password=PASSWORD)

    refused = browser.submit(STEP, totp_value=code_of(ana, clock), status=422)

    assert "That code does not match." in refused.text
    assert not is_signed_in(browser)
    browser.post(STEP, totp_value=code_of(bo, clock))
    assert "bo" in browser.page("/manage/account/").text.split()


@requirement("R20")
@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_the_codes_beside_the_present_one_are_good(app: Flask, clock: SettableClock, ana: User, steps: int) -> None:
    browser = with_password(app)
    code = pyotp.TOTP(secret_of(ana)).at(clock.now() + steps * timedelta(seconds=30))

    assert browser.post(STEP, totp_value=code).status_code == 303


@requirement("R20")
def test_a_code_of_another_time_is_refused_and_the_clock_named(app: Flask, clock: SettableClock, ana: User) -> None:
    late = pyotp.TOTP(secret_of(ana)).at(clock.now() - timedelta(minutes=3))

    page = with_password(app).submit(STEP, totp_value=late, status=422)

    assert "Your phone's clock seems about 3 minutes behind." in page.text
    assert "Here it is 14:05:10 UTC." in page.text
    assert page.value("totp_value") == ""


@requirement("R20")
def test_a_code_of_another_time_counts_as_a_guess(app: Flask, clock: SettableClock, ana: User) -> None:
    browser, late = with_password(app), pyotp.TOTP(secret_of(ana)).at(clock.now() - timedelta(minutes=3))
    for _ in range(4):
        browser.submit(STEP, totp_value=late, status=422)
    browser.submit(STEP, totp_value=late, status=429)

    assert with_password(app).post(STEP, totp_value=code_of(ana, clock)).status_code == 429


@requirement("R21")
def test_nothing_that_is_sent_tells_the_time(app: Flask, clock: SettableClock, ana: User) -> None:
    moment = clock.now() - timedelta(minutes=3)
    late = pyotp.TOTP(secret_of(ana)).at(moment)
    told = dict.fromkeys(("now", "time", "timestamp", "for_time", "step"), str(int(moment.timestamp())))
    browser = with_password(app)
    token = browser.form_token()

    answer = browser._send(
        "POST",
        STEP,
        data={**told, "csrf_token": token, "totp_value": late},
        query_string=told,
        headers={"Date": format_datetime(moment, usegmt=True)},
    )

    assert answer.status_code == 422
    assert not is_signed_in(browser)


def test_each_of_several_apps_signs_in(app: Flask, clock: SettableClock, people: People) -> None:
    ana = people.a_user("ana").verified().with_totp("Phone").with_totp("Tablet").build()

    assert with_password(app).post(STEP, totp_value=code_of(ana, clock, 0)).status_code == 303
    assert with_password(app).post(STEP, totp_value=code_of(ana, clock, 1)).status_code == 303


@requirement("R07")
def test_after_five_wrong_codes_the_sign_in_is_over(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = with_password(app)
    for _ in range(4):
        browser.submit(STEP, totp_value="000000", status=422)

    page = browser.submit(STEP, totp_value="000000", status=429)

    assert page.h1 == "This sign-in was given up"
    assert db.session.scalar(sa.select(sa.func.count()).where(BrowserSession.user_id == ana.id)) == 0
    assert browser.page(STEP).h1 == "Sign in"


@requirement("R26", "R105")
def test_a_spent_budget_holds_for_every_browser_kind_of_code_and_right_codes(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    guesser = with_password(app, address="198.51.100.1")
    for _ in range(4):
        guesser.submit(STEP, totp_value="000000", status=422)
    guesser.submit(RECOVERY, recovery_code_value="0000-0000-0000-0000", status=429)

    by_app = with_password(app).submit(STEP, totp_value=code_of(ana, clock), status=429)
    by_code = with_password(app).submit(RECOVERY, recovery_code_value=recovery_codes_of(ana)[0], status=429)

    assert "Too many wrong codes. Try again after 14:10 UTC" in by_app.text
    assert by_app.response.headers["Retry-After"] == "300"
    assert "Too many wrong codes." in by_code.text
    assert reasons() == ["wrong code"] * 4 + ["wrong recovery code", "too many tries", "too many tries"]
    clock.advance(timedelta(minutes=5, seconds=1))
    assert with_password(app).post(STEP, totp_value=code_of(ana, clock)).status_code == 303


def test_an_address_has_a_budget_over_all_accounts(app: Flask, clock: SettableClock, people: People) -> None:
    victims = [people.a_user(f"victim{number}").verified().with_totp().build() for number in range(4)]
    for number in range(10):
        half = Browser(app, address="198.51.100.1").sign_in(victims[number % 3], level=Level.HALF)
        half.submit(STEP, totp_value="000000", status=422)

    last = Browser(app, address="198.51.100.1").sign_in(victims[3], level=Level.HALF)
    elsewhere = Browser(app, address="198.51.100.2").sign_in(victims[3], level=Level.HALF)

    assert last.post(STEP, totp_value=code_of(victims[3], clock)).status_code == 429
    assert elsewhere.post(STEP, totp_value=code_of(victims[3], clock)).status_code == 303


@requirement("R28")
def test_a_success_starts_the_account_over_but_not_the_address(app: Flask, clock: SettableClock, ana: User) -> None:
    for _ in range(3):
        browser = with_password(app)
        for _ in range(3):
            browser.submit(STEP, totp_value="000000", status=422)
        assert browser.post(STEP, totp_value=code_of(ana, clock)).status_code == 303
        clock.advance(timedelta(seconds=60))

    browser = with_password(app)
    browser.submit(STEP, totp_value="000000", status=422)

    assert browser.post(STEP, totp_value=code_of(ana, clock)).status_code == 429


@requirement("R28")
def test_a_success_gives_nothing_back_to_another_account_or_another_method(
    app: Flask, clock: SettableClock, ana: User, people: People
) -> None:
    bo = people.a_member("bo")
    guessed = Browser(app).sign_in(bo, level=Level.HALF)
    for _ in range(4):
        guessed.submit(STEP, totp_value="000000", status=422)
    browser = with_password(app)
    for _ in range(9):
        Browser(app).post(SIGN_IN, username="ana", password="wrong horse battery")

    assert browser.post(STEP, totp_value=code_of(ana, clock)).status_code == 303

    guessed.submit(STEP, totp_value="000000", status=429)
    assert Browser(app).post(SIGN_IN, username="ana", password="wrong horse battery").status_code == 422
    assert Browser(app).post(SIGN_IN, username="ana", password="wrong horse battery").status_code == 429


def test_malformed_codes_are_no_guesses(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = with_password(app)

    for _ in range(7):
        assert "That is not a six-digit code." in browser.submit(STEP, totp_value="12345", status=422).text

    assert browser.post(STEP, totp_value=code_of(ana, clock)).status_code == 303


def test_another_method_than_ours_is_refused(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = with_password(app)

    page = browser.submit(STEP, method="webauthn", totp_value=code_of(ana, clock), status=400)

    assert "There is no such way to confirm it." in page.text
    assert not is_signed_in(browser)


@requirement("R40")
@pytest.mark.parametrize("method", ["email", "mail", "sms", "link"])
def test_no_mail_takes_the_place_of_a_second_factor(app: Flask, ana: User, method: str) -> None:
    browser = with_password(app)

    refused = browser.submit(STEP, method=method, totp_value="", status=400)

    assert letters() == []
    assert "There is no such way to confirm it." in refused.text
    assert not is_signed_in(browser)


def test_a_frozen_account_gets_no_further(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = with_password(app)
    db.session.execute(sa.update(User).where(User.id == ana.id).values(is_active=False))
    db.session.commit()

    assert browser.post(STEP, totp_value=code_of(ana, clock)).headers["Location"].startswith(SIGN_IN)
    assert not is_signed_in(browser)


@requirement("R30", "R32")
def test_a_recovery_code_signs_in_once_and_leads_to_replacing_the_device(app: Flask, ana: User) -> None:
    code = recovery_codes_of(ana)[4]
    browser = with_password(app)

    page = browser.submit(RECOVERY, recovery_code_value=code.lower().replace("-", ""))
    again = with_password(app).submit(RECOVERY, recovery_code_value=code, status=422)

    assert page.h1 == "Replace the lost device"
    assert "You signed in with a recovery code; 9 are left." in page.text
    assert "Add a new second factor first, then remove the one that you have no more" in page.text
    assert "This recovery code does not work. It may be mistyped, used already, or replaced" in again.text
    used = db.session.scalars(sa.select(RecoveryCode).where(RecoveryCode.used_at.is_not(None))).one()
    assert (used.user_id, used.used_from) == (ana.id, "203.0.113.7")


@requirement("R32")
def test_whoever_has_few_recovery_codes_left_is_told(app: Flask, ana: User) -> None:
    for code in recovery_codes_of(ana)[:6]:
        with_password(app).post(RECOVERY, recovery_code_value=code)

    page = with_password(app).submit(RECOVERY, recovery_code_value=recovery_codes_of(ana)[6])

    assert "You signed in with a recovery code; 3 are left. Make new ones now." in page.text


@requirement("R100")
def test_a_used_recovery_code_is_told_by_mail_and_in_the_journal(app: Flask, ana: User) -> None:
    code = recovery_codes_of(ana)[0]

    with_password(app).post(RECOVERY, recovery_code_value=code)

    mail = db.session.scalars(sa.select(Mail).where(Mail.notice == "recovery-code-used")).one()
    letter = wiring_of(app).notices.read(mail)
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:recovery_code:used")).one()
    assert letter.subject == "A recovery code of your account ana was used"
    assert "9 are left." in letter.text
    assert "203.0.113.7" in letter.text
    assert (event.user_id, event.details) == (ana.id, {"left": 9})
    assert code not in letter.text + letter.html


def test_wrong_used_and_void_recovery_codes_are_refused_in_the_same_words(app: Flask, ana: User) -> None:
    used = recovery_codes_of(ana)[0]
    with_password(app).post(RECOVERY, recovery_code_value=used)

    of_used = with_password(app).submit(RECOVERY, recovery_code_value=used, status=422)
    of_wrong = with_password(app).submit(RECOVERY, recovery_code_value="0000-0000-0000-0000", status=422)

    assert of_used.text == of_wrong.text


@requirement("R23", "R104")
def test_a_secret_that_was_swapped_opens_nothing_and_is_noted(
    app: Flask, clock: SettableClock, ana: User, people: People
) -> None:
    eve = people.a_member("eve")
    first, second = db.session.scalars(sa.select(TotpApp).order_by(TotpApp.id))
    first.secret_sealed, second.secret_sealed = second.secret_sealed, first.secret_sealed
    db.session.commit()
    eves_code = code_of(eve, clock)

    browser = with_password(app)
    page = browser.submit(STEP, totp_value=eves_code, status=422)

    assert "The key of your authenticator app cannot be opened here" in page.text
    assert "Use a recovery code" in page.text
    assert not is_signed_in(browser)
    assert reasons() == ["key cannot be opened"]
    assert browser.post(RECOVERY, recovery_code_value=recovery_codes_of(ana)[0]).status_code == 303


@requirement("R22")
def test_no_code_is_logged_or_put_into_an_address(
    app: Flask, clock: SettableClock, ana: User, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    code, recovery_code = code_of(ana, clock), recovery_codes_of(ana)[0]
    browser = with_password(app)

    wrong = browser.post(STEP, totp_value="000000")
    right = browser.post(STEP, totp_value=code)
    by_recovery_code = with_password(app).post(RECOVERY, recovery_code_value=recovery_code)

    printed = capfd.readouterr()
    events = str([event.details for event in db.session.scalars(sa.select(Event))])
    written = printed.out + printed.err + caplog.text + events + wrong.text
    written += right.headers["Location"] + by_recovery_code.headers["Location"]
    assert not [secret for secret in (code, recovery_code, secret_of(ana), PASSWORD) if secret in written]
