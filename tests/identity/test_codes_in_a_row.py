"""A hundred wrong codes in a row close codes of apps, until a better proof opens them again."""

from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain import upkeep
from domain.identity import factors, recovery, second_step, sign_ins, throttle
from domain.identity.guesses import CodesOver
from domain.identity.sign_ins import Method
from domain.identity.throttle import CODES_IN_A_ROW, TooMany
from domain.policy.actions import Action
from domain.policy.principals import Operator
from domain.policy.targets import Target
from domain.problems import Problem
from models import Attempt, Event, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People, code_of
from tests.permits import ORIGIN, permit_of
from tests.requirements import requirement

HALF_AN_HOUR = timedelta(minutes=30)  # slow enough for every other budget: 48 tries a day
A_HUNDRED = CODES_IN_A_ROW.limits[0].most


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def wrong_code(user: User, clock: SettableClock) -> str:
    """Six digits that the user's app shows neither now nor for a long time around now."""
    totp = pyotp.TOTP(user.test_secrets[0])  # type: ignore[attr-defined]
    shown = {totp.at(clock.now(), counter_offset=step) for step in range(-100, 101)}
    return next(code for number in range(1_000_000) if (code := f"{number:06}") not in shown)


def type_code(app: Flask, user_id: int, code: str, clock: SettableClock) -> None:
    second_step.check_code(db.session(), wiring_of(app).box, user_id, code, origin=ORIGIN, now=clock.now())
    db.session.commit()


def type_wrong_codes(app: Flask, user: User, clock: SettableClock, how_many: int) -> None:
    user_id = user.id
    for _ in range(how_many):
        clock.advance(HALF_AN_HOUR)
        with pytest.raises(Problem, match="That code does not match"):
            type_code(app, user_id, wrong_code(user, clock), clock)


def spend_all(user_id: int, clock: SettableClock) -> None:
    """As if a hundred wrong codes had been typed long ago."""
    for _ in range(A_HUNDRED):
        throttle.take(db.session(), (CODES_IN_A_ROW, str(user_id)), now=clock.now() - timedelta(days=40))


@requirement("R26")
def test_a_hundred_wrong_codes_over_days_close_the_codes(either_app: Flask, clock: SettableClock) -> None:
    ana = People(either_app, clock).a_member("ana")
    user_id, began = ana.id, clock.now()

    type_wrong_codes(either_app, ana, clock, A_HUNDRED)
    clock.advance(timedelta(days=300))
    with pytest.raises(CodesOver) as refused:
        type_code(either_app, user_id, code_of(ana, clock), clock)

    assert clock.now() - began > timedelta(days=2)
    assert "A hundred codes in a row were wrong" in refused.value.message
    assert "a passkey, a security key or a recovery code: then they work again" in refused.value.message
    last = db.session.scalars(sa.select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert (last.tag, last.details) == ("account:second_factor:refused", {"reason": "too many tries"})


@requirement("R26")
def test_a_right_code_before_the_hundredth_starts_over(app: Flask, clock: SettableClock, ana: User) -> None:
    user_id = ana.id
    for _ in range(2):
        type_wrong_codes(app, ana, clock, A_HUNDRED - 1)
        clock.advance(HALF_AN_HOUR)

        type_code(app, user_id, code_of(ana, clock), clock)


@requirement("R26")
def test_a_try_that_was_not_looked_at_is_no_wrong_code(app: Flask, clock: SettableClock, ana: User) -> None:
    user_id = ana.id
    for _ in range(5):
        with pytest.raises(Problem, match="That code does not match"):
            type_code(app, user_id, wrong_code(ana, clock), clock)
    for _ in range(A_HUNDRED):
        with pytest.raises(TooMany):
            type_code(app, user_id, wrong_code(ana, clock), clock)
    clock.advance(HALF_AN_HOUR)

    type_code(app, user_id, code_of(ana, clock), clock)

    assert db.session.scalars(sa.select(Event).where(Event.details["reason"].as_string() == "wrong code")).all()[4:]


@requirement("R26")
def test_a_recovery_code_opens_them_again(app: Flask, clock: SettableClock, ana: User) -> None:
    user_id, notices = ana.id, wiring_of(app).notices
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    spend_all(user_id, clock)

    recovery.use_code(db.session(), notices, user_id, code, origin=ORIGIN, now=clock.now())
    db.session.commit()

    type_code(app, user_id, code_of(ana, clock), clock)


@requirement("R26")
@pytest.mark.parametrize("method", [Method.TRUSTED_BROWSER, Method.PASSWORD])
def test_a_sign_in_without_a_second_factor_does_not(
    app: Flask, clock: SettableClock, ana: User, method: Method
) -> None:
    user_id, notices = ana.id, wiring_of(app).notices
    spend_all(user_id, clock)

    user = db.session.get_one(User, user_id)
    sign_ins.complete(db.session(), notices, user, method=method, handle=None, origin=ORIGIN, now=clock.now())
    db.session.commit()

    with pytest.raises(CodesOver):
        type_code(app, user_id, code_of(ana, clock), clock)


def test_the_operators_reset_opens_them_again(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    user_id, notices = ana.id, wiring_of(app).notices
    spend_all(user_id, clock)
    user = db.session.get_one(User, user_id)
    permit = permit_of(Operator(), Action.RESET_FACTORS, Target(user, "ana"), now=clock.now())

    factors.reset_factors(db.session(), permit, notices, user, now=clock.now())
    db.session.commit()

    throttle.take(db.session(), (CODES_IN_A_ROW, str(user_id)), now=clock.now())


def test_the_sweep_does_not_forget_them(app: Flask, clock: SettableClock, ana: User) -> None:
    user_id, found = ana.id, wiring_of(app)
    spend_all(user_id, clock)
    throttle.take(db.session(), (throttle.SECOND_FACTOR, str(user_id)), now=clock.now() - timedelta(days=40))

    upkeep.sweep(db.session(), found.store, found.box, found.notices, now=clock.now())
    db.session.commit()

    assert db.session.scalars(sa.select(Attempt.bucket)).all() == [f"codes:account:{user_id}"]
    with pytest.raises(CodesOver):
        type_code(app, user_id, code_of(ana, clock), clock)


def test_nobody_elses_codes_are_closed_by_it(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    bo = people.a_member("bo")
    bo_id = bo.id
    spend_all(ana.id, clock)

    type_code(app, bo_id, code_of(bo, clock), clock)


@requirement("R26")
def test_the_pages_say_so_and_a_recovery_code_still_signs_in(
    app: Flask, browser: Browser, clock: SettableClock, ana: User
) -> None:
    recovery_code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    spend_all(ana.id, clock)
    browser.post("/account/login/", username="ana", password=PASSWORD)

    page = browser.submit("/account/two-factor/", totp_value=code_of(ana, clock), status=422)
    browser.post("/account/recovery-code/", recovery_code_value=recovery_code)

    assert "A hundred codes in a row were wrong, so codes of apps are refused." in page.text
    assert browser.get("/manage/account/").status_code == 200


def test_confirming_that_it_is_you_does_not_take_them_either(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana)
    spend_all(ana.id, clock)

    page = browser.submit("/account/reauthenticate/", password=PASSWORD, totp_value=code_of(ana, clock), status=422)

    assert "A hundred codes in a row were wrong" in page.text
