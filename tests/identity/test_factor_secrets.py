"""What of a second factor can be read from the database: nothing that makes a code."""

import base64
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from adapters.secretbox import SecretBox
from domain.identity import ceremonies, factors, second_step, sessions, totp_enrolment
from domain.identity.standing import standing_of
from domain.notices import Notices
from domain.policy.actions import Action
from domain.policy.decision import Permit, PermitMismatch
from domain.policy.principals import Member
from domain.problems import Problem
from models import Event, TotpApp, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People, code_of
from tests.permits import ORIGIN, permit_for, permit_of
from tests.requirements import requirement

ANOTHER_KEY = b"another key, of thirty-two bytes"


def enrolment_permit(user: User, clock: SettableClock) -> Permit:
    """The permit of somebody in a browser session that exists."""
    row, _ = sessions.start(db.session(), origin=ORIGIN, now=clock.now())
    account = standing_of(db.session(), user.id)
    assert account is not None
    member = Member(ORIGIN, account, session_id=row.id, confirmed_at=clock.now())
    db.session.commit()
    return permit_of(member, Action.ENROL_TOTP, now=clock.now())


def spellings(secret: str) -> list[bytes]:
    """A secret as a thief would look for it: raw, in base32, in hexadecimal, in base64."""
    raw = base64.b32decode(secret)
    return [raw, secret.encode(), raw.hex().encode(), base64.b64encode(raw)]


def enrol(permit: Permit, box: SecretBox, notices: Notices, clock: SettableClock) -> str:
    """Connect an app; returns its secret."""
    secret: str = totp_enrolment.begin_totp(db.session(), permit, box, now=clock.now()).payload["secret"]
    db.session.commit()
    code = pyotp.TOTP(secret).at(clock.now())
    totp_enrolment.confirm_totp(db.session(), permit, box, notices, code=code, label="", now=clock.now())
    db.session.commit()
    return secret


@requirement("R23")
def test_the_database_file_holds_no_secret_waiting_or_kept(
    app: Flask, people: People, clock: SettableClock, tmp_path: Path
) -> None:
    ana, found = people.a_user("ana").verified().build(), wiring_of(app)
    permit = enrolment_permit(ana, clock)

    kept = enrol(permit, found.box, found.notices, clock)
    waiting: str = totp_enrolment.begin_totp(db.session(), permit, found.box, now=clock.now()).payload["secret"]
    db.session.commit()

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("countersign.sqlite3*"))
    assert b"My phone" in stored
    assert not [spelling for secret in (kept, waiting) for spelling in spellings(secret) if spelling in stored]


@requirement("R29")
def test_the_recovery_codes_stand_in_no_file_either(
    app: Flask, people: People, clock: SettableClock, tmp_path: Path
) -> None:
    ana, found = people.a_user("ana").verified().build(), wiring_of(app)
    permit = enrolment_permit(ana, clock)
    enrol(permit, found.box, found.notices, clock)

    begun = ceremonies.current(
        db.session(),
        found.box,
        ceremonies.Purpose.RECOVERY_CODES,
        user_id=ana.id,
        session_id=permit.member.session_id,
        now=clock.now(),
    )

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("countersign.sqlite3*"))
    assert begun is not None
    assert len(begun.payload["codes"]) == 10
    assert not [code for code in begun.payload["codes"] if code.encode() in stored]


@requirement("R23")
def test_two_apps_of_one_account_cannot_be_swapped_either(app: Flask, people: People, clock: SettableClock) -> None:
    ana = people.a_user("ana").verified().with_totp("One").with_totp("Two").build()
    one, two = db.session.scalars(sa.select(TotpApp).order_by(TotpApp.id))
    one.secret_sealed, two.secret_sealed = two.secret_sealed, one.secret_sealed
    db.session.commit()

    with pytest.raises(Problem, match="cannot be opened here"):
        second_step.check_code(
            db.session(), wiring_of(app).box, ana.id, code_of(ana, clock), origin=ORIGIN, now=clock.now()
        )


@requirement("R23", "R104")
def test_without_its_key_a_secret_opens_nothing_and_another_app_still_works(
    app: Flask, people: People, clock: SettableClock
) -> None:
    ana = people.a_user("ana").verified().with_totp("Old").with_totp("New").build()
    other_box = SecretBox([ANOTHER_KEY])
    new = db.session.scalars(sa.select(TotpApp).where(TotpApp.label == "New")).one()
    context = factors.secret_context(user_id=ana.id, public_id=new.public_id)
    new.secret_sealed = other_box.seal(ana.test_secrets[1].encode(), context=context)  # type: ignore[attr-defined]
    db.session.commit()

    used = second_step.check_code(
        db.session(), other_box, ana.id, code_of(ana, clock, 1), origin=ORIGIN, now=clock.now()
    )
    db.session.commit()

    assert used.label == "New"
    with pytest.raises(Problem, match="cannot be opened here"):
        second_step.check_code(db.session(), other_box, ana.id, code_of(ana, clock, 0), origin=ORIGIN, now=clock.now())


def test_the_way_to_the_secret_asks_for_the_right_permit(app: Flask, people: People, clock: SettableClock) -> None:
    ana, box = people.a_user("ana").verified().build(), wiring_of(app).box
    permit = permit_for(ana, Action.VIEW_FACTORS, now=clock.now())

    with pytest.raises(PermitMismatch):
        totp_enrolment.begin_totp(db.session(), permit, box, now=clock.now())


@requirement("R22")
def test_no_event_and_no_page_but_one_shows_the_secret(browser: Browser, people: People, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    secret: str = ana.test_secrets[0]  # type: ignore[attr-defined]
    browser.sign_in(ana)

    pages = [
        browser.page(path).html
        for path in (
            "/manage/account/two-factor/",
            "/manage/account/two-factor/done/",
            "/manage/account/recovery-codes/",
            "/manage/account/totp-provision",
        )
    ]

    events = str([event.details for event in db.session.scalars(sa.select(Event))])
    assert secret not in "".join(pages) + events
