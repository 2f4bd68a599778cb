"""A browser that is trusted asks for the password alone, for thirty days, and for nothing else than signing in."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.browsers import TRUST_LASTS
from models import BrowserSession, Event, KnownBrowser, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.letters import letters, link_to, notices_to
from tests.requirements import requirement
from tests.signing_in import (
    RECOVERY_STEP,
    SECOND_STEP,
    give_code,
    give_password,
    is_signed_in,
    kept_cookie,
    recovery_code_of,
    sign_in,
    sign_out,
    with_copied_cookie,
)

SESSIONS, TOKENS, CONFIRM = "/manage/account/sessions/", "/manage/account/token/", "/account/reauthenticate/"
ADDRESS, BOX = "ana@mail.example", "remember_browser"
NEW_PASSWORD = "a wholly different horse 7"


@pytest.fixture
def ana(people: People) -> User:
    return people.a_user("ana").verified().with_totp("Phone").with_totp("Tablet").with_recovery_codes().build()


@pytest.fixture
def trusted(browser: Browser, clock: SettableClock, ana: User) -> Browser:
    """A browser that ana's account trusts, and in which nobody is signed in now."""
    sign_in(browser, ana, clock, trust=True)
    sign_out(browser)
    return browser


def is_password_enough(browser: Browser, username: str = "ana") -> bool:
    """Whether one is in after the password."""
    answer = give_password(browser, username)
    assert answer.status_code == 303
    return answer.headers["Location"] != SECOND_STEP


def trusts() -> list[KnownBrowser]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(KnownBrowser).where(KnownBrowser.trusted_until.is_not(None))))


def test_the_box_stands_at_the_second_step(browser: Browser, ana: User) -> None:
    give_password(browser)

    page = browser.page(SECOND_STEP)

    box = page.root.find(f".//input[@name='{BOX}']")
    assert box is not None
    assert (box.get("type"), box.get("checked")) == ("checkbox", None)
    assert "Trust this browser for 30 days" in page.text
    assert "Not on a computer that others use." in page.text


def test_where_it_was_ticked_the_password_is_enough(trusted: Browser, ana: User) -> None:
    assert is_password_enough(trusted)

    assert is_signed_in(trusted)
    session = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == ana.id)).one()
    assert (session.level, session.method, session.confirmed_at) == ("full", "trusted browser", None)


def test_where_it_was_not_the_code_is_asked_for_again(browser: Browser, clock: SettableClock, ana: User) -> None:
    sign_in(browser, ana, clock)
    sign_out(browser)

    assert not is_password_enough(browser)
    assert trusts() == []


@requirement("R41")
def test_it_ends_after_thirty_days_however_often_one_signed_in(trusted: Browser, clock: SettableClock) -> None:
    until = trusts()[0].trusted_until
    assert until == clock.now() + TRUST_LASTS
    for _ in range(2):
        clock.set(until - timedelta(seconds=1))
        assert is_password_enough(trusted)
        sign_out(trusted)

    clock.set(until)

    assert not is_password_enough(trusted)


def test_a_code_and_the_box_begin_the_thirty_days_anew(trusted: Browser, clock: SettableClock, ana: User) -> None:
    clock.advance(TRUST_LASTS)
    sign_in(trusted, ana, clock, trust=True)
    sign_out(trusted)
    clock.advance(TRUST_LASTS - timedelta(hours=1))

    assert is_password_enough(trusted)
    assert len(trusts()) == 1


@requirement("R41")
def test_another_browser_is_asked_for_the_code(app: Flask, trusted: Browser) -> None:
    assert not is_password_enough(Browser(app))


def test_a_wrong_password_is_wrong_there_as_well(trusted: Browser) -> None:
    page = trusted.submit("/account/login/", status=422, username="ana", password="wrong horse battery staple")

    assert "Username or password is wrong." in page.text
    assert not is_signed_in(trusted)


@requirement("R41")
def test_a_stolen_copy_of_the_cookie_is_worth_nothing_without_the_password(app: Flask, trusted: Browser) -> None:
    cookie = kept_cookie(trusted)
    assert cookie is not None
    thief = with_copied_cookie(app, cookie)

    for path in ("/manage/account/", SECOND_STEP, RECOVERY_STEP, SESSIONS):
        assert thief.get(path).headers["Location"].startswith("/account/login/"), path
    thief.submit("/account/login/", status=422, username="ana", password="a guess that is wrong 3")

    assert not is_signed_in(thief)


@requirement("R41")
def test_another_account_in_the_same_browser_is_asked_for_its_code(
    trusted: Browser, clock: SettableClock, people: People
) -> None:
    bo = people.a_member("bo")

    assert not is_password_enough(trusted, "bo")
    give_code(trusted, bo, clock)
    sign_out(trusted)
    assert not is_password_enough(trusted, "bo")


def test_two_accounts_may_trust_one_browser_each_for_itself(
    trusted: Browser, clock: SettableClock, people: People
) -> None:
    sign_in(trusted, people.a_member("bo"), clock, trust=True)
    sign_out(trusted)
    for username in ("ana", "bo"):
        assert is_password_enough(trusted, username), username
        sign_out(trusted)


def test_what_one_account_ends_the_other_one_keeps(trusted: Browser, clock: SettableClock, people: People) -> None:
    sign_in(trusted, people.a_member("bo"), clock, trust=True)

    trusted.post(f"{SESSIONS}end-others")

    assert len(trusts()) == 1
    sign_out(trusted)
    assert not is_password_enough(trusted, "bo")
    assert is_password_enough(trusted)


@requirement("R41")
def test_an_administrator_is_offered_no_box_and_sending_it_does_nothing(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    make_administrator(ana)
    give_password(browser)

    page = browser.page(SECOND_STEP)
    give_code(browser, ana, clock, trust=True)

    assert page.value(BOX) is None
    assert is_signed_in(browser)
    assert "You can have one trusted" not in browser.page(SESSIONS).text
    sign_out(browser)
    assert not is_password_enough(browser)
    assert trusts() == []


def test_whoever_became_an_administrator_since_is_asked_again(trusted: Browser, ana: User) -> None:
    make_administrator(ana)

    assert not is_password_enough(trusted)


def make_administrator(user: User) -> None:
    db.session.execute(sa.update(User).where(User.id == user.id).values(is_admin=True))
    db.session.commit()


@requirement("R41")
def test_a_recovery_code_comes_with_no_box_and_sending_it_does_nothing(browser: Browser, ana: User) -> None:
    give_password(browser)

    page = browser.page(RECOVERY_STEP)
    browser.post(RECOVERY_STEP, {"recovery_code_value": recovery_code_of(ana), BOX: "y"})

    assert page.value(BOX) is None
    assert is_signed_in(browser)
    assert trusts() == []


@requirement("R41")
def test_it_never_counts_as_confirming_that_it_is_you(trusted: Browser, clock: SettableClock, ana: User) -> None:
    give_password(trusted)

    asked = trusted.page(TOKENS)
    without_code = trusted.submit(CONFIRM, status=422, password=PASSWORD, totp_value="")
    clock.advance(timedelta(seconds=30))
    trusted.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    assert asked.h1 == "Confirm it is you"
    assert "Type the six digits that your app shows." in without_code.text
    assert trusted.page(TOKENS).h1 == "Create an API token"


# --- the cookie -------------------------------------------------------------------------------------------------------


@requirement("R41")
def test_the_cookie_is_a_random_handle_of_which_the_table_has_the_hash(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    give_password(browser)

    answer = give_code(browser, ana, clock, trust=True)

    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("countersign-browser="))
    attributes = r"Expires=[^;]+; Max-Age=34560000; HttpOnly; Path=/; SameSite=Lax"
    assert re.fullmatch(rf"countersign-browser=[\w-]{{43}}; {attributes}", cookie)
    row = trusts()[0]
    handle = kept_cookie(browser)
    assert handle is not None
    assert handle.encode() not in row.handle_hash
    assert len(row.handle_hash) == 32


@pytest.fixture
def app_over_tls(make_app: MakeApp) -> Iterator[Flask]:
    application = make_app(public_url="https://index.example")
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def test_over_tls_it_is_secure_and_bound_to_the_host(app_over_tls: Flask, clock: SettableClock) -> None:
    ana = People(app_over_tls, clock).a_member("ana")
    browser = Browser(app_over_tls)
    browser.environ["HTTP_REFERER"] = "https://index.example/account/login/"
    give_password(browser)

    cookies = give_code(browser, ana, clock).headers.getlist("Set-Cookie")

    kept = [cookie for cookie in cookies if cookie.startswith("__Host-countersign-browser=")]
    assert len(kept) == 1
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in kept[0]
    assert "Domain" not in kept[0]


def test_whoever_knew_the_cookie_before_does_not_share_in_the_trust(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    planted = "planted".ljust(43, "x")
    browser.client.set_cookie("countersign-browser", planted)

    sign_in(browser, ana, clock, trust=True)

    assert kept_cookie(browser) != planted
    assert not is_password_enough(with_copied_cookie(app, planted))


def test_an_account_that_knew_the_browser_before_knows_it_still(
    browser: Browser, clock: SettableClock, people: People, ana: User
) -> None:
    bo = people.a_member("bo")
    sign_in(browser, bo, clock)
    sign_out(browser)
    sign_in(browser, ana, clock, trust=True)
    sign_out(browser)

    sign_in(browser, bo, clock)

    assert notices_to("bo@mail.example").count("sign-in-from-new-browser") == 1


# --- who is told ------------------------------------------------------------------------------------------------------


def test_every_verified_address_is_told_and_the_journal(app: Flask, clock: SettableClock, people: People) -> None:
    ana = people.a_user("ana").verified().also("second@mail.example", verified=True).with_totp().build()

    sign_in(Browser(app), ana, clock, trust=True)

    for address in (ADDRESS, "second@mail.example"):
        letter = next(letter for letter in letters(address) if letter.notice == "browser-trusted")
        for words in ("22 Dec 2026", "203.0.113.7", "Firefox on Linux", f"http://localhost:8000{SESSIONS}"):
            assert words in letter.text
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:browser:trusted")).one()
    assert (event.user_id, event.details) == (ana.id, {"until": "2026-12-22"})


def test_signing_in_there_is_told_to_nobody_again(trusted: Browser) -> None:
    before = len(letters(ADDRESS))

    assert is_password_enough(trusted)

    assert len(letters(ADDRESS)) == before


@requirement("R41")
def test_it_is_listed_with_browser_address_and_end(trusted: Browser) -> None:
    give_password(trusted)

    page = trusted.page(SESSIONS)

    table = next(table for table in page.root.iter("table") if "Trusted until" in "".join(table.itertext()))
    words = " ".join("".join(table.itertext()).split())
    for expected in ("Firefox on Linux", "This one", "22 Nov 2026", "22 Dec 2026", "203.0.113.7", "Ask it again"):
        assert expected in words


@requirement("R41")
def test_where_no_other_session_is_the_button_names_the_trust_alone(
    app: Flask, trusted: Browser, clock: SettableClock, ana: User
) -> None:
    give_password(trusted)
    alone = trusted.page(SESSIONS).text
    clock.advance(timedelta(minutes=1))
    sign_in(Browser(app), ana, clock)

    page = trusted.page(SESSIONS)

    assert "Trust no browser any more" in alone
    assert "End all other sessions" not in alone
    assert "End all other sessions" in page.text
    assert "Ending all others ends the trust in browsers, too." in page.text


def test_another_browser_is_not_called_this_one(app: Flask, trusted: Browser, clock: SettableClock, ana: User) -> None:
    other = Browser(app)
    clock.advance(timedelta(minutes=1))
    sign_in(other, ana, clock)

    page = other.page(SESSIONS)

    table = next(table for table in page.root.iter("table") if "Trusted until" in "".join(table.itertext()))
    assert "This one" not in "".join(table.itertext())


# --- how it ends ------------------------------------------------------------------------------------------------------

Change = Callable[[Browser, User, SettableClock], None]


def change_password(browser: Browser, user: User, clock: SettableClock) -> None:
    new = {"new_password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD}
    browser.submit("/manage/account/password/", {"password": PASSWORD, **new})


def add_app(browser: Browser, user: User, clock: SettableClock) -> None:
    page = browser.page("/manage/account/totp-provision")
    shown = page.root.find(".//*[@id='key']")
    assert shown is not None
    code = pyotp.TOTP("".join("".join(shown.itertext()).split())).at(clock.now())
    browser.post("/manage/account/totp-provision", totp_value=code, label="Third")


def remove_app(browser: Browser, user: User, clock: SettableClock) -> None:
    tablet = db.session.scalars(sa.select(TotpApp.public_id).where(TotpApp.label == "Tablet")).one()
    browser.post(f"/manage/account/two-factor/{tablet}/remove/")


def make_codes(browser: Browser, user: User, clock: SettableClock) -> None:
    browser.post("/manage/account/recovery-codes/generate")


def end_other_sessions(browser: Browser, user: User, clock: SettableClock) -> None:
    browser.post(f"{SESSIONS}end-others")


def ask_it_again(browser: Browser, user: User, clock: SettableClock) -> None:
    trusted_id = trusts()[0].id
    browser.post(f"/manage/account/browsers/{trusted_id}/distrust")


CHANGES = [change_password, add_app, remove_app, make_codes, end_other_sessions, ask_it_again]


@requirement("R41")
@pytest.mark.parametrize("where", ["there", "elsewhere"])
@pytest.mark.parametrize("change", CHANGES)
def test_it_dies_with(
    app: Flask, trusted: Browser, clock: SettableClock, ana: User, change: Change, where: str
) -> None:
    working = trusted if where == "there" else Browser(app)
    give_password(working)
    if where == "there":
        clock.advance(timedelta(seconds=30))
        working.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))
    else:
        give_code(working, ana, clock)
    assert len(trusts()) == 1

    change(working, ana, clock)

    assert trusts() == []
    assert is_signed_in(working)
    trusted.post("/account/logout/")
    password = NEW_PASSWORD if change is change_password else PASSWORD
    answer = trusted.post("/account/login/", username="ana", password=password)
    assert answer.headers["Location"] == SECOND_STEP


@requirement("R41")
def test_it_dies_with_a_reset_of_the_password(app: Flask, trusted: Browser) -> None:
    Browser(app).submit("/account/request-password-reset/", username_or_email="ana")
    Browser(app).submit(link_to(ADDRESS), new_password=NEW_PASSWORD, password_confirm=NEW_PASSWORD)

    answer = trusted.post("/account/login/", username="ana", password=NEW_PASSWORD)

    assert answer.headers["Location"] == SECOND_STEP
    assert trusts() == []


@requirement("R41")
def test_it_dies_with_the_operators_help(app: Flask, trusted: Browser, clock: SettableClock, ana: User) -> None:
    assert app.test_cli_runner().invoke(args=["users", "recover", "ana", "--yes"]).exit_code == 0

    assert trusts() == []
    assert db.session.scalars(sa.select(KnownBrowser)).all() == []


def test_asking_it_again_stands_in_the_journal_and_leaves_the_browser_known(
    trusted: Browser, clock: SettableClock, ana: User
) -> None:
    give_password(trusted)
    clock.advance(timedelta(seconds=30))
    trusted.post(CONFIRM, password=PASSWORD, totp_value=code_of(ana, clock))

    page = trusted.submit(f"/manage/account/browsers/{trusts()[0].id}/distrust")

    assert "That browser is asked for the second factor again." in page.text
    assert "No browser is trusted" in page.text
    assert db.session.scalar(sa.select(Event.id).where(Event.tag == "account:browser:distrusted"))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(KnownBrowser)) == 1


def test_nobody_can_touch_the_browser_of_another_account(
    app: Flask, trusted: Browser, clock: SettableClock, people: People
) -> None:
    bo = Browser(app)
    sign_in(bo, people.a_member("bo"), clock)
    theirs = trusts()[0].id

    for browser_id in (theirs, theirs + 100, 10**30):
        assert bo.post(f"/manage/account/browsers/{browser_id}/distrust").status_code == 404
    assert len(trusts()) == 1


def test_asking_it_again_wants_to_know_who_one_is(trusted: Browser) -> None:
    give_password(trusted)
    browser_id = trusts()[0].id

    answer = trusted.post(f"/manage/account/browsers/{browser_id}/distrust")

    assert answer.headers["Location"] == CONFIRM
    assert len(trusts()) == 1
