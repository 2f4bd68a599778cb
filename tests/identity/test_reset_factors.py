"""The operator's help when everything is lost: what is removed, who is told, and who may not do it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import factors
from domain.identity.sessions import Level
from domain.identity.standing import standing_of
from domain.policy.actions import Action
from domain.policy.decision import Denial, Permit, PermitMismatch
from domain.policy.judge import judge
from domain.policy.principals import Operator
from domain.policy.targets import Target
from models import BrowserSession, Ceremony, Event, Mail, RecoveryCode, TotpApp, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People
from tests.permits import EVERYONE, member_of, permit_for, permit_of
from tests.requirements import requirement


@pytest.fixture
def ana(people: People) -> User:
    return (
        people.a_user("ana")
        .verified()
        .also("ana@work.example", verified=True)
        .also("typo@mail.example")
        .with_totp("One")
        .with_totp("Two")
        .with_recovery_codes()
        .build()
    )


def reset(app: Flask, user: User, clock: SettableClock) -> None:
    permit = permit_of(Operator(), Action.RESET_FACTORS, Target(user, user.username), now=clock.now())
    factors.reset_factors(db.session(), permit, wiring_of(app).notices, user, now=clock.now())
    db.session.commit()


@requirement("R36")
def test_apps_codes_and_sessions_go_and_the_password_stays(app: Flask, clock: SettableClock, ana: User) -> None:
    signed_in = Browser(app).sign_in(ana)
    signed_in.page("/manage/account/totp-provision")
    Browser(app).sign_in(ana, level=Level.HALF)
    password_hash = ana.password_hash

    reset(app, ana, clock)

    for table in (TotpApp, RecoveryCode, BrowserSession, Ceremony):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0, table
    assert ana.password_hash == password_hash
    assert ana.recovery_codes_confirmed_at is None
    standing = standing_of(db.session(), ana.id)
    assert standing is not None
    assert not standing.has_second_factor
    assert signed_in.get("/manage/account/two-factor/").headers["Location"].startswith("/account/login/")


def test_afterwards_the_password_signs_in_and_a_new_app_is_asked_for(
    app: Flask, clock: SettableClock, ana: User
) -> None:
    reset(app, ana, clock)
    browser = Browser(app)

    browser.submit("/account/login/", username="ana", password=PASSWORD)

    assert browser.page("/manage/account/two-factor/").h1 == "Choose how to confirm it is you"
    assert browser.submit("/manage/account/recovery-codes/generate").stop is not None


def test_a_spent_budget_is_given_back_with_it(app: Flask, clock: SettableClock, ana: User) -> None:
    half = Browser(app).sign_in(ana, level=Level.HALF)
    for _ in range(4):
        half.submit("/account/two-factor/", totp_value="000000", status=422)
    half.submit("/account/two-factor/", totp_value="000000", status=429)

    reset(app, ana, clock)

    browser = Browser(app).sign_in(ana)
    assert (
        "Too many"
        not in browser.submit("/manage/account/totp-provision", totp_value="000000", label="", status=422).text
    )


def test_every_verified_address_is_told(app: Flask, clock: SettableClock, ana: User) -> None:
    clock.advance(timedelta(minutes=1))

    reset(app, ana, clock)

    mails = list(db.session.scalars(sa.select(Mail).where(Mail.notice == "factors-reset")))
    letter = wiring_of(app).notices.read(mails[0])
    assert sorted(mail.to for mail in mails) == ["ana@mail.example", "ana@work.example"]
    assert letter.subject == "The second factors of your account ana were reset"
    assert "An administrator of this index removed all second factors" in " ".join(letter.text.split())
    assert "When:  22 Nov 2026, 14:06 UTC" in letter.text
    assert "http://localhost:8000/manage/account/two-factor/" in letter.text


def test_it_stands_in_the_journal_as_the_operators_deed(app: Flask, clock: SettableClock, ana: User) -> None:
    reset(app, ana, clock)

    event = db.session.scalars(sa.select(Event).where(Event.tag == "operator:factors:reset")).one()
    assert (event.actor_id, event.user_id, event.address) == (None, ana.id, "shell")
    assert event.details == {"factors": ["One", "Two"]}


def test_nobody_in_a_browser_may_do_it(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    eve = people.a_member("eve")

    decision = judge(member_of(eve, now=clock.now()), Action.RESET_FACTORS, Target(ana, "ana"), EVERYONE, clock.now())

    assert isinstance(decision, Denial)


def test_a_permit_for_one_account_resets_no_other(app: Flask, clock: SettableClock, people: People, ana: User) -> None:
    eve = people.a_member("eve")
    for_eve = permit_of(Operator(), Action.RESET_FACTORS, Target(eve, "eve"), now=clock.now())
    other_action = permit_for(ana, Action.VIEW_FACTORS, now=clock.now())

    for permit in (for_eve, other_action):
        assert isinstance(permit, Permit)
        with pytest.raises(PermitMismatch):
            factors.reset_factors(db.session(), permit, wiring_of(app).notices, ana, now=clock.now())
    assert db.session.scalar(sa.select(sa.func.count()).where(TotpApp.user_id == ana.id)) == 2
