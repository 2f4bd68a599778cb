"""Connecting an authenticator app, from the QR code to the first code, and all that may go wrong in between."""

import re
from datetime import timedelta
from io import BytesIO

import pyotp
import pytest
import segno
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.sessions import Level
from models import BrowserSession, Ceremony, Event, Mail, TotpApp, User, db
from tests.browsing import Browser, Page, wiring_of
from tests.builders import PASSWORD, People, code_of
from tests.requirements import requirement

CHOOSE, PROVISION, CODES = (
    "/manage/account/two-factor/",
    "/manage/account/totp-provision",
    "/manage/account/recovery-codes/",
)


@pytest.fixture
def ana(people: People) -> User:
    return people.a_user("ana").verified().build()


def key_on(page: Page) -> str:
    """The secret that a page shows to those who cannot scan."""
    element = page.root.find(".//*[@id='key']")
    assert element is not None
    return "".join("".join(element.itertext()).split())


def code_for(secret: str, clock: SettableClock, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30) * steps)


def connect(browser: Browser, clock: SettableClock, **fields: str) -> Page:
    """Scan and type the code, as a person does."""
    secret = key_on(browser.page(PROVISION))
    return browser.submit(PROVISION, {"totp_value": code_for(secret, clock), "label": "My phone", **fields})


def apps(user_id: int) -> list[TotpApp]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(TotpApp).where(TotpApp.user_id == user_id).order_by(TotpApp.id)))


def test_the_choice_names_keys_first_and_leads_to_either(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    page = browser.page(CHOOSE)
    app, key = (browser.get(f"{CHOOSE}?method={method}") for method in ("totp", "webauthn"))

    key_card, app_card = page.root.findall(".//input[@name='method']")
    assert (key_card.get("value"), key_card.get("checked")) == ("webauthn", "")
    assert (app_card.get("value"), app_card.get("checked")) == ("totp", None)
    assert (app.status_code, app.headers["Location"]) == (303, PROVISION)
    assert (key.status_code, key.headers["Location"]) == (303, "/manage/account/webauthn-provision")


def test_a_code_from_the_app_connects_it_and_codes_to_save_come_next(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)

    page = connect(browser, clock)

    assert page.h1 == "Save your recovery codes"
    assert "Two-factor authentication is on." in page.text
    assert [app.label for app in apps(ana.id)] == ["My phone"]


def test_the_qr_code_says_what_the_written_key_says(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    page = browser.page(PROVISION)

    uri = next(link for link in page.links() if link.startswith("otpauth:"))
    drawn = BytesIO()
    segno.make(uri, micro=False).save(
        drawn, kind="svg", border=4, omitsize=True, xmldecl=False, svgns=False, svgclass=None, lineclass=None
    )
    assert drawn.getvalue().decode() in page.html
    read = pyotp.parse_uri(uri)
    assert read.secret == key_on(page)
    assert (read.name, read.issuer) == ("ana", "Countersign localhost 8000")


@requirement("R22")
def test_the_secret_stands_in_no_label_no_address_and_no_cache(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    page = browser.page(PROVISION)

    secret = key_on(page)
    labels = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', page.html)
    assert "QR code for your authenticator app. The same key is written below." in labels
    assert not [label for label in labels if secret in label or "otpauth" in label]
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "style" not in page.html[page.html.index("<svg") : page.html.index("</svg>")]


@requirement("R25")
def test_the_secret_stays_over_reload_wrong_code_and_second_tab(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    secret = key_on(browser.page(PROVISION))

    reloaded = key_on(browser.page(PROVISION))
    after_wrong_code = key_on(browser.submit(PROVISION, totp_value="000000", label="", status=422))
    second_tab = key_on(browser.page(PROVISION))

    assert {reloaded, after_wrong_code, second_tab} == {secret}
    assert browser.submit(PROVISION, totp_value=code_for(secret, clock), label="").h1 == "Save your recovery codes"


def test_another_browser_gets_a_secret_of_its_own(app: Flask, browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    elsewhere = Browser(app).sign_in(ana)

    assert key_on(browser.page(PROVISION)) != key_on(elsewhere.page(PROVISION))


def test_starting_again_is_a_button_and_gives_a_new_secret(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    old = key_on(browser.page(PROVISION))

    page = browser.submit(f"{PROVISION}/restart")
    refused = browser.submit(PROVISION, totp_value=code_for(old, clock), label="", status=422)

    assert key_on(page) != old
    assert "This is a new code" in page.text
    assert "That code does not match." in refused.text


@requirement("R25")
def test_after_half_an_hour_there_is_a_new_secret(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    old = key_on(browser.page(PROVISION))
    clock.advance(timedelta(minutes=31))
    browser.submit("/account/reauthenticate/", password=PASSWORD)

    refused = browser.submit(PROVISION, totp_value=code_for(old, clock), label="", status=422)

    assert "This set-up is over" in refused.text
    assert key_on(refused) != old
    assert apps(ana.id) == []


def test_a_wrong_code_is_explained_and_only_the_name_is_kept(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    browser.page(PROVISION)

    page = browser.submit(PROVISION, totp_value="123 456", label="Tablet", status=422)

    assert "That code does not match. Codes change every 30 seconds: wait for the next one." in page.text
    assert page.title.startswith("Error: ")
    assert page.value("totp_value") == ""
    assert page.value("label") == "Tablet"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Type the six digits that your app shows."),
        ("12345", "That is not a six-digit code."),
        ("12345６x", "That is not a six-digit code."),
        ("1" * 100_000, "That is not a six-digit code."),
        ("\x00", "That is not a six-digit code."),
    ],
)
def test_what_is_no_code_is_refused_without_being_counted(browser: Browser, ana: User, typed: str, words: str) -> None:
    browser.sign_in(ana)
    browser.page(PROVISION)

    for _ in range(6):
        assert words in browser.submit(PROVISION, totp_value=typed, label="", status=422).text


@requirement("R19")
@pytest.mark.parametrize("spelling", ["{0}{1}{2} {3}{4}{5}", " {0}{1}{2}-{3}{4}{5}\t", "full-width"])
def test_a_code_may_be_typed_with_blanks_or_full_width(
    browser: Browser, clock: SettableClock, ana: User, spelling: str
) -> None:
    browser.sign_in(ana)
    code = code_for(key_on(browser.page(PROVISION)), clock)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)

    page = browser.submit(PROVISION, totp_value=wide if spelling == "full-width" else spelling.format(*code), label="")

    assert page.h1 == "Save your recovery codes"


@requirement("R20")
@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (-4, "Your phone's clock seems about 2 minutes behind. Switch on automatic time. Here it is 14:05:10 UTC."),
        (10, "Your phone's clock seems about 5 minutes ahead. Switch on automatic time. Here it is 14:05:10 UTC."),
        (-11, "That code does not match."),
    ],
)
def test_a_code_of_another_time_tells_how_far_the_clock_is_off(
    browser: Browser, clock: SettableClock, ana: User, steps: int, words: str
) -> None:
    browser.sign_in(ana)
    secret = key_on(browser.page(PROVISION))

    page = browser.submit(PROVISION, totp_value=code_for(secret, clock, steps=steps), label="", status=422)

    assert words in page.text
    assert apps(ana.id) == []


def test_five_wrong_codes_are_the_most(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    secret = key_on(browser.page(PROVISION))
    for _ in range(5):
        browser.submit(PROVISION, totp_value="000000", label="", status=422)

    page = browser.submit(PROVISION, totp_value=code_for(secret, clock), label="", status=429)

    assert "Too many wrong codes. Try again after 14:10 UTC" in page.text
    assert page.response.headers["Retry-After"] == "300"
    assert apps(ana.id) == []


def test_the_code_that_connected_the_app_does_not_sign_in(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    code = code_for(key_on(browser.page(PROVISION)), clock)
    browser.submit(PROVISION, totp_value=code, label="")
    thief = Browser(app).sign_in(ana, level=Level.HALF)

    page = thief.submit("/account/two-factor/", totp_value=code, status=422)

    assert "This code was already used. Wait for the next one." in page.text


def test_a_second_tab_that_comes_too_late_adds_nothing(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    secret = key_on(browser.page(PROVISION))
    browser.submit(PROVISION, totp_value=code_for(secret, clock), label="One")

    page = browser.submit(PROVISION, totp_value=code_for(secret, clock, steps=1), label="Two")

    assert page.h1 == "Second factors"
    assert "This set-up is over: it was finished or started again in another tab" in page.text
    assert [app.label for app in apps(ana.id)] == ["One"]


def test_a_further_app_has_a_name_of_its_own(browser: Browser, clock: SettableClock, people: People) -> None:
    member = people.a_member("ana")
    browser.sign_in(member)

    offered = browser.page(PROVISION).value("label")
    taken = browser.submit(
        PROVISION, totp_value=code_for(key_on(browser.page(PROVISION)), clock), label="My phone", status=422
    )
    done = connect(browser, clock, label="")

    assert offered == "My phone 2"
    assert "You have a second factor named “My phone” already. Choose another name." in taken.text
    assert done.h1 == "Two-factor authentication is on"
    assert [app.label for app in apps(member.id)] == ["My phone", "My phone 2"]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("x" * 65, "Use at most 64 characters."),
        ("x" * 100_000, "Use at most 64 characters."),
        ("My\u202ephone", "Leave out control characters and other invisible ones."),
        ("My\x00phone", "Leave out line breaks and control characters."),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(
    browser: Browser, clock: SettableClock, ana: User, label: str, words: str
) -> None:
    browser.sign_in(ana)
    code = code_for(key_on(browser.page(PROVISION)), clock)

    page = browser.submit(PROVISION, totp_value=code, label=label, status=422)

    assert words in page.text
    assert apps(ana.id) == []


def test_five_apps_are_the_most(browser: Browser, people: People) -> None:
    builder = people.a_user("ana").verified().with_recovery_codes()
    for number in range(5):
        builder.with_totp(f"App {number}")
    browser.sign_in(builder.build())

    page = browser.page(PROVISION)

    assert page.h1 == "Second factors"
    assert "You have 5 apps, which is the most. Remove one that you no longer use." in page.text
    assert PROVISION not in page.links()


@requirement("R24")
def test_a_set_up_that_is_given_up_leaves_the_app_that_there_is(
    app: Flask, browser: Browser, clock: SettableClock, people: People
) -> None:
    member = people.a_member("ana")
    browser.sign_in(member)
    secret = key_on(browser.page(PROVISION))

    browser.submit(PROVISION, totp_value="000000", label="", status=422)
    browser.submit(f"{PROVISION}/restart")

    assert [app.label for app in apps(member.id)] == ["My phone"]
    half = Browser(app).sign_in(member, level=Level.HALF)
    half.submit("/account/two-factor/", totp_value=code_for(secret, clock), status=422)
    assert half.post("/account/two-factor/", totp_value=code_of(member, clock)).status_code == 303


@requirement("R57")
def test_handle_and_form_token_from_before_are_dead_afterwards(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    cookie, token = browser.client.get_cookie("countersign"), browser.form_token()
    assert cookie is not None

    connect(browser, clock)

    copy = Browser(app)
    copy.client.set_cookie("countersign", cookie.value, domain="localhost")
    assert copy.get(CHOOSE).headers["Location"].startswith("/account/login/")
    assert browser.post("/account/logout/", csrf_token=token).status_code == 400
    assert browser.page(CHOOSE).h1 == "Second factors"


@requirement("R62")
def test_connecting_an_app_signs_other_browsers_out(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    elsewhere = Browser(app).sign_in(ana)
    browser.sign_in(ana)

    connect(browser, clock)

    assert elsewhere.get(CHOOSE).headers["Location"].startswith("/account/login/")
    assert db.session.scalar(sa.select(sa.func.count()).where(BrowserSession.user_id == ana.id)) == 1
    assert browser.page(CHOOSE).h1 == "Second factors"


@requirement("R22", "R34")
def test_it_is_told_by_mail_and_in_the_journal_without_the_secret(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    secret = key_on(browser.page(PROVISION))
    code = code_for(secret, clock)

    browser.submit(PROVISION, totp_value=code, label="Tablet")

    mail = db.session.scalars(sa.select(Mail).where(Mail.notice == "factor-added")).one()
    letter = wiring_of(app).notices.read(mail)
    assert (letter.to, letter.subject) == ("ana@mail.example", "An authenticator app was added to your account ana")
    assert "“Tablet”" in letter.text
    assert "203.0.113.7" in letter.text
    assert "Firefox on Linux" in letter.text
    assert "/account/request-password-reset/" in letter.text
    assert "“Tablet”" in letter.html
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:totp:added")).one()
    details = {"label": "Tablet", "kind": "authenticator app"}
    assert (event.actor_id, event.user_id, event.details) == (ana.id, ana.id, details)
    told = letter.text + letter.html + letter.subject + str([e.details for e in db.session.scalars(sa.select(Event))])
    assert secret not in told
    assert code not in told


@requirement("R22")
def test_nothing_secret_reaches_the_logs_or_an_address(
    browser: Browser,
    clock: SettableClock,
    ana: User,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    browser.sign_in(ana)
    secret = key_on(browser.page(PROVISION))
    code = code_for(secret, clock)

    answer = browser.post(PROVISION, totp_value=code, label="")

    printed = capfd.readouterr()
    written = printed.out + printed.err + caplog.text + answer.headers["Location"]
    assert answer.headers["Location"] == CODES
    assert secret not in written
    assert code not in written


def test_an_amber_notice_stands_on_every_page_until_the_codes_are_saved(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    connect(browser, clock)

    page = browser.page(CHOOSE)

    assert "Your recovery codes are not saved yet." in page.text
    assert CODES in page.links()


@requirement("R95")
def test_what_was_interrupted_waits_while_it_is_confirmed_who_one_is(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    browser.sign_in(ana)
    clock.advance(timedelta(minutes=20))
    stopped = browser.submit(f"{CODES}generate")
    asked = browser.page(f"{CHOOSE}?method=totp")

    confirmed = browser.submit("/account/reauthenticate/", password=PASSWORD)
    connect(browser, clock)
    done = browser.page(f"{CHOOSE}done/")

    assert stopped.stop is not None
    assert "make new recovery codes" in stopped.stop
    assert asked.h1 == "Confirm it is you"
    assert "Set up an authenticator app" in asked.text
    assert confirmed.h1 == "Connect your authenticator app"
    assert "Make new recovery codes" in confirmed.text
    assert "Continue: Make new recovery codes" in done.text
    assert browser.submit("/manage/account/resume/").response.request.path == CODES


def test_a_refresh_of_a_page_that_was_never_left_begins_nothing_twice(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)

    for _ in range(3):
        browser.page(PROVISION)

    assert db.session.scalar(sa.select(sa.func.count()).where(Ceremony.purpose == "totp")) == 1


def test_somebody_with_an_app_is_asked_for_its_code_when_confirming(
    browser: Browser, clock: SettableClock, people: People
) -> None:
    member = people.a_member("ana")
    browser.sign_in(member)
    clock.advance(timedelta(minutes=16))

    asked = browser.page(PROVISION)
    refused = browser.submit("/account/reauthenticate/", password=PASSWORD, status=422)
    passed = browser.submit("/account/reauthenticate/", password=PASSWORD, totp_value=code_of(member, clock))

    assert asked.h1 == "Confirm it is you"
    assert "Type the six digits that your app shows." in refused.text
    assert passed.h1 == "Connect another authenticator app"
