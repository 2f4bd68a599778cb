"""Where the index asks for it, a sign-in from a new browser waits until a mailed link is opened there."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain import upkeep
from domain.identity import sign_ins
from domain.identity.sign_ins import Method
from domain.identity.throttle import NEW_BROWSER_MAIL
from models import BrowserSession, Event, KnownBrowser, TotpApp, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.letters import letters, link_to, notices_to
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

SENT, ADDRESS = "/account/confirm-login/", "ana@mail.example"


@pytest.fixture
def app(make_app: MakeApp) -> Iterator[Flask]:
    """An index that has new browsers confirmed."""
    application = make_app(new_browsers="confirm")
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def wait_for_link(app: Flask, user: User, clock: SettableClock, *, next_page: str = "", trust: bool = False) -> Browser:
    """A new browser in which password and code were given."""
    browser = Browser(app)
    give_password(browser, next_page=next_page)
    assert give_code(browser, user, clock, trust=trust).headers["Location"] == SENT
    return browser


def test_nobody_is_in_before_the_link_is_opened(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock)

    page = browser.page(SENT)

    assert page.h1 == "Check your mail"
    assert not is_signed_in(browser)
    assert db.session.scalars(sa.select(BrowserSession.id).where(BrowserSession.user_id.is_not(None))).all() == []
    assert db.session.scalars(sa.select(KnownBrowser)).all() == []
    tags = db.session.scalars(sa.select(Event.tag).where(Event.tag.startswith("account:"))).all()
    assert tags == ["account:sign_in:waiting"]


def test_the_button_behind_the_link_lets_the_browser_in(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock)

    asked = browser.page(link_to(ADDRESS))
    was_in_before = is_signed_in(browser)
    browser.submit(link_to(ADDRESS))

    assert asked.h1 == "Is it you who signs in?"
    assert asked.response.headers["Referrer-Policy"] == "strict-origin"
    assert not was_in_before
    assert is_signed_in(browser)
    session = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == ana.id)).one()
    assert (session.method, session.confirmed_at) == ("authenticator app", clock.now())


@pytest.mark.parametrize("change", ["password", "second factor"])
def test_a_link_that_a_change_of_the_same_moment_did_not_find_lets_nobody_in(
    app: Flask, people: People, clock: SettableClock, change: str
) -> None:
    ben, browser = people.a_user("ben").verified().build(), Browser(app)
    assert give_password(browser, "ben").headers["Location"] == SENT
    clock.advance(timedelta(minutes=1))
    if change == "password":
        ben.password_changed_at = clock.now()
    else:
        db.session.add(
            TotpApp(
                public_id="app", user_id=ben.id, label="My phone", secret_sealed=b"", last_step=0, added_at=clock.now()
            )
        )
    db.session.commit()

    page = browser.submit(link_to("ben@mail.example"), status=422)

    assert "does not work any more" in page.text
    assert not is_signed_in(browser)


def test_from_then_on_the_account_knows_the_browser(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock)
    browser.submit(link_to(ADDRESS))
    sign_out(browser)

    sign_in(browser, ana, clock)

    assert notices_to(ADDRESS) == ["confirm-browser", "sign-in-from-new-browser"]


def test_opened_in_another_browser_it_lets_nobody_in_and_is_not_spent(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    browser, elsewhere = wait_for_link(app, ana, clock), Browser(app)

    shown = elsewhere.page(link_to(ADDRESS), status=422)
    pressed = elsewhere.submit(link_to(ADDRESS), status=422)
    browser.submit(link_to(ADDRESS))

    assert shown.h1 == pressed.h1 == "Open this link in the other browser"
    assert not is_signed_in(elsewhere)
    assert is_signed_in(browser)


def test_it_is_good_once(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock)
    link = link_to(ADDRESS)
    browser.submit(link)
    sign_out(browser)

    page = browser.submit(link, status=422)

    assert "This link does not work any more" in page.text
    assert not is_signed_in(browser)


def test_it_is_good_for_an_hour(app: Flask, clock: SettableClock, ana: User) -> None:
    first, second = wait_for_link(app, ana, clock), wait_for_link(app, ana, clock)
    of_first, of_second = [letter_link(number) for number in (0, 1)]
    clock.advance(timedelta(minutes=59))

    first.submit(of_first)
    clock.advance(timedelta(minutes=1))
    late = second.submit(of_second, status=422)

    assert is_signed_in(first)
    assert "older than an hour" in late.text
    assert not is_signed_in(second)


def letter_link(number: int) -> str:
    """The link in one of the mails that ask."""
    asking = [letter for letter in letters(ADDRESS) if letter.notice == "confirm-browser"]
    return next(word for word in asking[number].text.split() if "?token=" in word).removeprefix("http://localhost:8000")


def test_each_of_two_browsers_needs_its_own_link(app: Flask, clock: SettableClock, ana: User) -> None:
    first, second = wait_for_link(app, ana, clock), wait_for_link(app, ana, clock)
    of_first, of_second = [letter_link(number) for number in (0, 1)]

    first.submit(of_second, status=422)
    was_in_before = is_signed_in(first)
    second.submit(of_second)
    first.submit(of_first)

    assert not was_in_before
    assert is_signed_in(first)
    assert is_signed_in(second)


def test_a_new_password_voids_it(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock)
    link = link_to(ADDRESS)
    browser.submit("/account/request-password-reset/", username_or_email="ana")
    new = "a wholly different horse 7"
    Browser(app).submit(link_to(ADDRESS), new_password=new, password_confirm=new)

    page = browser.submit(link, status=422)

    assert "This link does not work any more" in page.text
    assert not is_signed_in(browser)


def test_a_frozen_account_gets_no_further(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock)
    db.session.execute(sa.update(User).values(is_active=False))
    db.session.commit()

    page = browser.submit(link_to(ADDRESS), status=422)

    assert "This link does not work any more" in page.text
    assert not is_signed_in(browser)


@pytest.mark.parametrize("token", ["x", "a" * 43, "ä" * 43])
def test_a_link_that_was_made_up_opens_nothing(app: Flask, browser: Browser, token: str) -> None:
    assert "This link does not work any more" in browser.page(f"{SENT}?token={token}", status=422).text


def test_a_code_is_spent_although_the_link_was_never_opened(app: Flask, clock: SettableClock, ana: User) -> None:
    wait_for_link(app, ana, clock)
    browser = Browser(app)
    give_password(browser)

    page = browser.submit(SECOND_STEP, totp_value=code_of(ana, clock), status=422)

    assert "This code was already used." in page.text


def test_a_recovery_code_too_and_nothing_says_that_one_is_in(app: Flask, clock: SettableClock, ana: User) -> None:
    browser, again = Browser(app), Browser(app)
    give_password(browser)
    give_password(again)

    page = browser.submit(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana))
    refused = again.submit(RECOVERY_STEP, recovery_code_value=recovery_code_of(ana), status=422)

    assert page.h1 == "Check your mail"
    assert "You signed in" not in page.text
    assert "This recovery code does not work." in refused.text
    assert browser.submit(link_to(ADDRESS)).h1 == "Replace the lost device"


def test_the_second_factor_was_given_so_nobody_is_warned_of_an_unfinished_sign_in(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    wait_for_link(app, ana, clock)
    db.session.rollback()
    clock.advance(timedelta(minutes=11))

    found = wiring_of(app)
    upkeep.sweep(db.session(), found.store, found.box, found.notices, now=clock.now())
    db.session.commit()

    assert notices_to(ADDRESS) == ["confirm-browser"]


def test_where_one_was_going_is_kept(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock, next_page="/help/policy/")

    assert browser.post(link_to(ADDRESS)).headers["Location"] == "/help/policy/"


def test_so_is_the_wish_to_have_the_browser_trusted(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock, trust=True)
    browser.submit(link_to(ADDRESS))
    sign_out(browser)

    give_password(browser)

    assert is_signed_in(browser)


def test_the_password_alone_has_to_wait_as_well(app: Flask, people: People) -> None:
    people.a_user("ana").verified().build()
    browser = Browser(app)

    answer = give_password(browser)
    browser.submit(link_to(ADDRESS))

    assert answer.headers["Location"] == SENT
    assert is_signed_in(browser)


def test_an_account_without_a_verified_address_has_nowhere_to_be_asked(app: Flask, people: People) -> None:
    people.a_user("ana").build()
    browser = Browser(app)

    give_password(browser)

    assert is_signed_in(browser)


def test_whoever_registers_does_not_wait(app: Flask, browser: Browser) -> None:
    browser.submit(
        "/account/register/",
        username="newt",
        email="newt@mail.example",
        new_password=PASSWORD,
        password_confirm=PASSWORD,
    )

    assert is_signed_in(browser)


@pytest.mark.parametrize("method", list(Method))
def test_only_what_a_fake_page_can_have_needs_the_link(
    app: Flask, clock: SettableClock, ana: User, method: Method
) -> None:
    must = sign_ins.must_confirm(db.session(), ana, method=method, handle=None, now=clock.now())

    assert must is (method in (Method.PASSWORD, Method.APP, Method.RECOVERY_CODE))


def test_a_copy_of_the_cookie_is_as_good_as_the_browser_and_needs_both_factors_still(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    browser = wait_for_link(app, ana, clock)
    cookie = kept_cookie(browser)
    assert cookie is not None

    copy = with_copied_cookie(app, cookie)
    give_password(copy)

    assert not is_signed_in(copy)
    assert give_code(copy, ana, clock).headers["Location"] == SENT


def test_too_many_links_are_refused_in_words(app: Flask, clock: SettableClock, people: People) -> None:
    people.a_user("ana").verified().build()
    for _ in range(NEW_BROWSER_MAIL.limits[0].most):
        give_password(Browser(app))

    page = Browser(app).submit("/account/login/", status=429, username="ana", password=PASSWORD)

    assert "Too many sign-ins from new browsers. Try again after 15:05 UTC" in page.text
    assert notices_to(ADDRESS).count("confirm-browser") == NEW_BROWSER_MAIL.limits[0].most


def test_so_they_are_after_a_code(app: Flask, clock: SettableClock, ana: User) -> None:
    for _ in range(NEW_BROWSER_MAIL.limits[0].most):
        wait_for_link(app, ana, clock)
    browser = Browser(app)
    give_password(browser)

    clock.advance(timedelta(seconds=30))
    page = browser.submit(SECOND_STEP, totp_value=code_of(ana, clock), status=429)

    assert "Too many sign-ins from new browsers." in page.text
    assert not is_signed_in(browser)


def test_the_mail_goes_to_the_primary_address_and_says_what_to_do(
    app: Flask, clock: SettableClock, people: People
) -> None:
    people.a_user("ana").verified().also("second@mail.example", verified=True).build()
    give_password(Browser(app, address="198.51.100.9"))

    letter = letters()[-1]

    assert [each.to for each in letters()] == [ADDRESS]
    for words in ("198.51.100.9", "Firefox on Linux", "Confirm a sign-in", "/account/request-password-reset/"):
        assert words in f"{letter.subject} {letter.text}"


def test_it_stands_in_the_history(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = wait_for_link(app, ana, clock)
    browser.submit(link_to(ADDRESS))

    page = browser.page("/manage/account/history/")

    assert "Sign-in from a new browser; we mailed a link to confirm it" in page.text
