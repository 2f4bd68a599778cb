"""An account may be in the wrong hands: the operator signs it out everywhere, or freezes it."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import interventions
from domain.policy.actions import Action
from domain.policy.decision import PermitMismatch
from domain.policy.principals import Operator
from domain.policy.targets import Target
from models import BrowserSession, Event, KnownBrowser, Mail, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.packages import a_wheel
from tests.permits import permit_of
from tests.requirements import requirement
from tests.signing_in import SECOND_STEP, give_code, give_password, is_signed_in, sign_in
from tests.uploading import upload


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


@pytest.fixture
def bo(people: People) -> User:
    return people.a_member("bo")


def run(app: Flask, *words: str, code: int = 0) -> str:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=["users", *words])
    assert result.exit_code == code, result.output
    db.session.expire_all()
    return result.output


def count(table: type[BrowserSession | KnownBrowser | Mail]) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def noted(tag: str) -> list[int | None]:
    """Whose accounts have such an event of the operator's."""
    db.session.rollback()
    events = db.session.scalars(sa.select(Event).where(Event.tag == tag).order_by(Event.id)).all()
    assert {(event.actor_id, event.address) for event in events} <= {(None, "shell")}
    return [event.user_id for event in events]


# --- signing out ------------------------------------------------------------------------------------------------------


@requirement("R64")
def test_one_account_is_signed_out_everywhere_at_once(app: Flask, clock: SettableClock, ana: User, bo: User) -> None:
    first, second, half, bos = (Browser(app) for _ in range(4))
    sign_in(first, ana, clock, trust=True)
    sign_in(second, ana, clock)
    sign_in(bos, bo, clock)
    give_password(half)

    out = run(app, "sign-out", "ANA")

    assert out == "ana is signed out everywhere, and no browser is trusted any more. Tokens go on working.\n"
    assert not is_signed_in(first)
    assert not is_signed_in(second)
    give_code(half, ana, clock)
    assert not is_signed_in(half)
    assert is_signed_in(bos)
    assert give_password(first).headers["Location"] == SECOND_STEP
    assert noted("operator:sessions:ended") == [ana.id]


@requirement("R64")
def test_everybody_is_signed_out_at_once(app: Flask, clock: SettableClock, ana: User, bo: User) -> None:
    anas, bos = Browser(app), Browser(app)
    sign_in(anas, ana, clock, trust=True)
    sign_in(bos, bo, clock)

    out = run(app, "sign-out", "--everybody")

    assert out.startswith("All 2 accounts are signed out everywhere")
    assert not is_signed_in(anas)
    assert not is_signed_in(bos)
    assert count(KnownBrowser) == 0
    assert noted("operator:sessions:ended") == [ana.id, bo.id]


def test_its_tokens_go_on_working_and_no_mail_is_written(app: Flask, people: People, ana: User) -> None:
    _, token = people.a_token(ana)

    run(app, "sign-out", "ana")

    assert upload(app, token, a_wheel()).status_code == 200
    assert [mail.notice for mail in db.session.scalars(sa.select(Mail))] == ["file-published"]


def test_who_is_meant_has_to_be_said(app: Flask, clock: SettableClock, ana: User) -> None:
    browser = Browser(app)
    sign_in(browser, ana, clock)

    assert "Name one account, or say --everybody." in run(app, "sign-out", code=2)
    assert "Name one account, or say --everybody." in run(app, "sign-out", "ana", "--everybody", code=2)
    assert "There is no account 'nobody'." in run(app, "sign-out", "nobody", code=1)
    assert is_signed_in(browser)


# --- freezing ---------------------------------------------------------------------------------------------------------


@requirement("R63")
def test_a_frozen_account_is_out_at_once_and_does_not_come_in(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    _, token = people.a_token(ana)
    browser = Browser(app)
    sign_in(browser, ana, clock, trust=True)
    before = count(Mail)

    out = run(app, "freeze", "ana")

    assert "ana is frozen: signed out everywhere, and its tokens are refused." in out
    assert "No mail tells of it; `flask users unfreeze ana` ends it." in out
    assert not is_signed_in(browser)
    page = browser.submit("/account/login/", status=422, username="ana", password=PASSWORD)
    assert "This account is frozen. Ask an administrator of this index." in page.text
    refused = upload(app, token, a_wheel())
    assert (refused.status_code, refused.text) == (
        403,
        "This account is frozen. Ask an administrator of this index.\n",
    )
    assert (count(BrowserSession), count(KnownBrowser), count(Mail)) == (1, 0, before)  # the one that is nobody's
    assert noted("operator:account:frozen") == [ana.id]
    assert "frozen" in run(app, "list")


def test_an_account_that_is_frozen_no_more_comes_in_with_both_factors(
    app: Flask, clock: SettableClock, people: People, ana: User
) -> None:
    _, token = people.a_token(ana)
    browser = Browser(app)
    sign_in(browser, ana, clock, trust=True)
    run(app, "freeze", "ana")

    out = run(app, "unfreeze", "ana")

    assert out == "ana may sign in again, and its tokens work again.\n"
    assert give_password(browser).headers["Location"] == SECOND_STEP
    sign_in(browser, ana, clock)
    assert upload(app, token, a_wheel()).status_code == 200
    assert noted("operator:account:unfrozen") == [ana.id]


def test_what_is_so_already_is_said_and_changes_nothing(app: Flask, ana: User) -> None:
    assert "Error: ana is not frozen." in run(app, "unfreeze", "ana", code=1)
    run(app, "freeze", "ana")
    assert "Error: ana is frozen already." in run(app, "freeze", "ana", code=1)
    assert "There is no account 'nobody'." in run(app, "freeze", "nobody", code=1)
    assert "There is no account 'nobody'." in run(app, "unfreeze", "nobody", code=1)
    assert len(noted("operator:account:frozen")) == 1


def test_its_owner_reads_of_it_in_words(app: Flask, clock: SettableClock, ana: User) -> None:
    for words in (["sign-out", "ana"], ["freeze", "ana"], ["unfreeze", "ana"]):
        run(app, *words)
    browser = Browser(app)
    sign_in(browser, ana, clock)

    page = browser.page("/manage/account/history/?show=sign-in")

    for sentence in (
        "All sessions ended by the operator",
        "Account frozen by the operator",
        "Account let in again by the operator",
        "the operator's shell",
    ):
        assert sentence in page.text


@pytest.mark.parametrize("deed", [interventions.end_sessions, interventions.freeze, interventions.unfreeze])
def test_no_other_permit_will_do(clock: SettableClock, ana: User, deed: Callable[..., None]) -> None:
    wrong = permit_of(Operator(), Action.RESET_FACTORS, Target(ana, "ana"), now=clock.now())

    with pytest.raises(PermitMismatch):
        deed(db.session(), wrong, ana, now=clock.now())


def test_a_permit_for_one_account_is_none_for_all(clock: SettableClock, ana: User) -> None:
    of_ana = permit_of(Operator(), Action.END_SESSIONS, Target(ana, "ana"), now=clock.now())

    with pytest.raises(PermitMismatch):
        interventions.end_everybodys_sessions(db.session(), of_ana, now=clock.now())
