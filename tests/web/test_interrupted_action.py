"""The interrupted action is kept and offered again: filled in, once, for half an hour, in the browser it began in."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import factors
from models import ApiToken, TotpApp, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.requirements import requirement

TOKENS, RESUME, FORGET = "/manage/account/token/", "/manage/account/resume/", "/manage/account/resume/forget/"
TYPED = {"description": "night builds", "reach": "user", "expires": "30"}


@pytest.fixture
def newt(people: People) -> User:
    return people.a_user("newt").verified().build()


def enrol(app: Flask, clock: SettableClock, user_id: int) -> None:
    """A second factor, as the pages would make it."""
    sealed = wiring_of(app).box.seal(b"x", context=factors.secret_context(user_id=user_id, public_id="a"))
    db.session.add(
        TotpApp(public_id="a", user_id=user_id, label="x", secret_sealed=sealed, last_step=0, added_at=clock.now())
    )
    db.session.commit()


@requirement("R95")
def test_a_form_opens_again_filled_in_and_is_not_sent(
    app: Flask, browser: Browser, clock: SettableClock, newt: User
) -> None:
    user_id = newt.id
    browser.sign_in(newt)
    stopped = browser.submit(TOKENS, TYPED)
    assert stopped.stop is not None
    assert "Create an API token" in stopped.text
    enrol(app, clock, user_id)

    page = browser.submit(RESUME)

    assert page.response.request.path == TOKENS
    assert page.value("description") == "night builds"
    assert "We kept what you typed." in page.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 0


def test_it_is_offered_once(app: Flask, browser: Browser, clock: SettableClock, newt: User) -> None:
    user_id = newt.id
    browser.sign_in(newt).submit(TOKENS, TYPED)
    enrol(app, clock, user_id)
    browser.submit(RESUME)

    page = browser.submit(RESUME)

    assert page.response.request.path == "/manage/account/"
    assert "was not kept any longer" in page.text


def test_it_is_kept_for_half_an_hour(app: Flask, browser: Browser, clock: SettableClock, newt: User) -> None:
    user_id = newt.id
    browser.sign_in(newt).submit(TOKENS, TYPED)
    enrol(app, clock, user_id)
    clock.advance(timedelta(minutes=31))

    assert browser.submit(RESUME).response.request.path == "/manage/account/"


def test_it_can_be_forgotten(app: Flask, browser: Browser, clock: SettableClock, newt: User) -> None:
    user_id = newt.id
    browser.sign_in(newt).submit(TOKENS, TYPED)
    enrol(app, clock, user_id)

    browser.submit(FORGET)

    assert browser.submit(RESUME).response.request.path == "/manage/account/"


def test_the_newest_one_wins(app: Flask, browser: Browser, clock: SettableClock, newt: User) -> None:
    user_id = newt.id
    browser.sign_in(newt).submit(TOKENS, TYPED)
    browser.submit("/manage/projects/create/", name="tide-tables")
    enrol(app, clock, user_id)

    page = browser.submit(RESUME)

    assert page.response.request.path == "/manage/projects/create/"
    assert page.value("name") == "tide-tables"


def test_another_browser_of_the_same_account_is_not_led_there(
    app: Flask, browser: Browser, clock: SettableClock, newt: User
) -> None:
    user_id = newt.id
    browser.sign_in(newt).submit(TOKENS, TYPED)
    other = Browser(app).sign_in(newt)
    enrol(app, clock, user_id)

    assert other.submit(RESUME).response.request.path == "/manage/account/"


@pytest.mark.parametrize("mark", ["1", "", "\u00e9", "x" * 12])
def test_a_link_from_elsewhere_fills_no_form_in(browser: Browser, people: People, mark: str) -> None:
    browser.sign_in(people.a_member())

    page = browser.page(f"{TOKENS}?kept={mark}&description=mallory&reach=user")

    assert "We kept" not in page.text
    assert "mallory" not in page.html


def test_no_more_is_kept_than_an_honest_form_holds(
    app: Flask, browser: Browser, clock: SettableClock, newt: User
) -> None:
    user_id = newt.id
    browser.sign_in(newt).post(TOKENS, {**TYPED, "description": "x" * 100_000, "password": "hunter22"})
    enrol(app, clock, user_id)

    address = browser.post(RESUME).headers["Location"]

    assert len(address) < 1_000
    assert "hunter22" not in address
