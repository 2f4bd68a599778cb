"""A passkey or security key after the password: whose it may be, what a wrong one costs, and what a copy betrays."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.sign_ins import tell_of_unfinished
from models import BrowserSession, Event, KnownBrowser, Passkey, User, db
from tests.authenticator import (
    BACKED_UP,
    BACKUP_ELIGIBLE,
    USER_PRESENT,
    USER_VERIFIED,
    Authenticator,
    Json,
    a_password_manager,
    a_security_key,
    new_private_key,
)
from tests.browsing import Browser, wiring_of
from tests.builders import PASSWORD, People, code_of
from tests.ceremonies import AUTHENTICATE, SECOND_STEP, answer, ask, second_step, sign_in
from tests.letters import letters, notices_to
from tests.requirements import requirement

PRIVATE, STEP, RECOVERY = "/manage/account/two-factor/", "/account/two-factor/", "/account/recovery-code/"


@pytest.fixture
def stick() -> Authenticator:
    return a_security_key()


@pytest.fixture
def ana(people: People, stick: Authenticator) -> User:
    """Somebody with a key, an app and recovery codes."""
    return people.a_user("ana").verified().with_passkey(stick, "Stick").with_totp().with_recovery_codes().build()


def with_password(app: Flask, username: str = "ana", *, next_page: str = "", address: str = "203.0.113.7") -> Browser:
    """A browser in which the password was given."""
    browser = Browser(app, address=address)
    given = browser.post(f"/account/login/?next={next_page}", username=username, password=PASSWORD)
    assert given.headers["Location"] == STEP
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.get(PRIVATE).status_code == 200


def reasons() -> list[str]:
    """Why tries were refused, as the journal has it."""
    db.session.rollback()
    refused = sa.select(Event.details).where(Event.tag == "account:second_factor:refused").order_by(Event.id)
    return [details["reason"] for details in db.session.scalars(refused)]


def the_key() -> Passkey:
    db.session.rollback()
    return db.session.scalars(sa.select(Passkey)).one()


def test_a_key_finishes_the_sign_in_and_leads_to_where_one_was_going(
    app: Flask, clock: SettableClock, ana: User, stick: Authenticator
) -> None:
    browser = with_password(app, next_page="/help/policy/")

    answered = second_step(browser, stick, next="/elsewhere/")

    assert answered.get_json() == {"redirect_to": "/help/policy/"}
    assert is_signed_in(browser)
    row = db.session.scalars(sa.select(BrowserSession).where(BrowserSession.user_id == ana.id)).one()
    assert (row.level, row.method, row.confirmed_at) == ("full", "security key", clock.now())
    assert (the_key().sign_count, the_key().last_used_at) == (2, clock.now())


@requirement("R38")
def test_the_strongest_comes_first_on_the_page(app: Flask, ana: User) -> None:
    page = with_password(app).page(STEP)

    html = page.html
    assert html.index("Use your passkey or security key") < html.index('name="totp_value"') < html.index(RECOVERY)


def test_an_account_with_keys_only_is_asked_for_no_code(app: Flask, people: People, stick: Authenticator) -> None:
    people.a_user("ana").verified().with_passkey(stick).build()
    browser = with_password(app)

    page = browser.page(STEP)
    answered = second_step(browser, stick)

    assert page.value("totp_value") is None
    assert "Use your passkey or security key" in page.text
    assert answered.status_code == 200
    assert is_signed_in(browser)


def test_the_options_name_the_keys_of_this_account_and_the_ways_to_reach_them(
    app: Flask, people: People, ana: User, stick: Authenticator
) -> None:
    people.a_user("newt").verified().with_passkey(Authenticator()).build()

    options = ask(with_password(app), AUTHENTICATE, SECOND_STEP)

    assert options["allowCredentials"] == [{"id": stick.held[0].id, "type": "public-key", "transports": ["nfc", "usb"]}]
    assert (options["timeout"], options["rpId"]) == (300_000, "localhost")


def test_without_the_password_there_is_no_second_step(browser: Browser, ana: User, stick: Authenticator) -> None:
    for path in ("options", "validate"):
        refused = browser.ask(f"{AUTHENTICATE}{path}", SECOND_STEP)

        assert (refused.status_code, refused.get_json()["code"]) == (403, "not_signed_in")
        assert refused.get_json()["detail"] == "Give your username and password first."


def test_an_account_without_keys_is_told_so(app: Flask, people: People) -> None:
    people.a_member("ana")

    refused = with_password(app).ask(f"{AUTHENTICATE}options", SECOND_STEP)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "no_key")


def test_ten_minutes_after_the_password_it_is_asked_for_again(
    app: Flask, clock: SettableClock, ana: User, stick: Authenticator
) -> None:
    browser = with_password(app)
    clock.advance(timedelta(minutes=9))
    options = ask(browser, AUTHENTICATE, SECOND_STEP)
    clock.advance(timedelta(minutes=1, seconds=1))

    refused = answer(browser, AUTHENTICATE, stick.get(options), SECOND_STEP)

    assert (refused.status_code, refused.get_json()["code"]) == (403, "not_signed_in")
    assert not is_signed_in(browser)


@requirement("R47")
@pytest.mark.parametrize("tells_whose", [True, False])
def test_the_key_of_somebody_else_is_refused(app: Flask, people: People, ana: User, tells_whose: bool) -> None:
    """Be it one that is registered here, and answers in every other respect as it should."""
    foreign = Authenticator(is_discoverable=tells_whose)
    people.a_user("mallory").verified().with_passkey(foreign, "Mine").build()
    browser = with_password(app)

    refused = second_step(browser, foreign, get=lambda asked: foreign.get(asked, key=foreign.held[0]))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "unknown_passkey")
    assert not is_signed_in(browser)
    assert reasons() == ["unknown passkey"]


@requirement("R43")
def test_a_challenge_of_one_account_is_not_answered_for_the_next(
    app: Flask, people: People, ana: User, stick: Authenticator
) -> None:
    people.a_user("mallory").verified().with_passkey(Authenticator(), "Mine").build()
    browser = with_password(app, "mallory")
    challenge = ask(browser, AUTHENTICATE, SECOND_STEP)["challenge"]
    browser.post("/account/login/", username="ana", password=PASSWORD)

    refused = second_step(browser, stick, get=lambda asked: stick.get({**asked, "challenge": challenge}))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert not is_signed_in(browser)


@requirement("R43")
def test_a_challenge_for_signing_in_is_not_good_for_the_second_step(app: Flask, people: People) -> None:
    laptop = Authenticator()
    people.a_user("ana").verified().with_passkey(laptop).build()
    browser = with_password(app)
    challenge = ask(browser, AUTHENTICATE, {"step": "sign-in"})["challenge"]

    refused = second_step(browser, laptop, get=lambda asked: laptop.get({**asked, "challenge": challenge}))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "over")
    assert not is_signed_in(browser)


@requirement("R42")
def test_a_captured_answer_is_worth_nothing_a_second_time(app: Flask, ana: User, stick: Authenticator) -> None:
    browser = with_password(app)
    credential = stick.get(ask(browser, AUTHENTICATE, SECOND_STEP))
    answer(browser, AUTHENTICATE, credential, SECOND_STEP)
    browser.post("/account/logout/")
    browser.post("/account/login/", username="ana", password=PASSWORD)

    again = answer(browser, AUTHENTICATE, credential, SECOND_STEP)

    assert (again.status_code, again.get_json()["code"]) == (422, "over")
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "lie",
    [
        {"user_handle": b"somebody else"},
        {"user_handle": b""},
        {"flags": 0},
        {"flags": USER_VERIFIED},
        {"signed_by": new_private_key(-7)},
        {"auth_data": b"x" * 37},
    ],
    ids=["another's name", "no name", "nobody touched it", "verified but absent", "another's signature", "no data"],
)
def test_an_answer_that_does_not_hold_is_refused_and_noted(
    app: Flask, ana: User, stick: Authenticator, lie: Json
) -> None:
    browser = with_password(app)

    refused = second_step(browser, stick, get=lambda asked: stick.get(asked, **lie))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_verified")
    assert refused.get_json()["detail"] == (
        "The answer of your browser could not be checked. Nothing was changed. Try again."
    )
    assert not is_signed_in(browser)
    assert len(reasons()) == 1
    assert (the_key().sign_count, the_key().last_used_at) == (1, None)


def test_keys_codes_and_recovery_codes_share_one_budget(
    app: Flask, clock: SettableClock, ana: User, stick: Authenticator
) -> None:
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    for _ in range(2):
        assert with_password(app).post(STEP, totp_value="000000").status_code == 422
    assert with_password(app).post(RECOVERY, recovery_code_value="0" * 16).status_code == 422
    for _ in range(2):
        wrong = second_step(with_password(app), stick, get=lambda asked: stick.get(asked, flags=0))
        assert wrong.status_code == 422

    by_key = second_step(with_password(app), stick)
    by_app = with_password(app).post(STEP, totp_value=code_of(ana, clock))
    by_paper = with_password(app).post(RECOVERY, recovery_code_value=code)

    assert (by_key.status_code, by_key.get_json()["code"]) == (429, "too_many_attempts")
    assert by_key.headers["Retry-After"] == "300"
    assert (by_app.status_code, by_paper.status_code) == (429, 429)


def test_a_key_that_is_right_makes_the_account_start_over(app: Flask, ana: User, stick: Authenticator) -> None:
    for _ in range(4):
        second_step(with_password(app), stick, get=lambda asked: stick.get(asked, flags=0))
    second_step(with_password(app), stick)
    for number in range(4):
        browser = with_password(app, address=f"198.51.100.{number}")
        second_step(browser, stick, get=lambda asked: stick.get(asked, flags=0))

    last = second_step(with_password(app, address="198.51.100.77"), stick)

    assert last.status_code == 200


@requirement("R50")
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_counter_that_does_not_grow_betrays_a_copy_and_the_key_is_refused_for_good(
    app: Flask, clock: SettableClock, ana: User, stick: Authenticator, count: int
) -> None:
    second_step(with_password(app), stick)
    waiting = with_password(app)
    options = ask(waiting, AUTHENTICATE, SECOND_STEP)

    refused = second_step(with_password(app), stick, get=lambda asked: stick.get(asked, count=count))
    true_key = answer(waiting, AUTHENTICATE, stick.get(options), SECOND_STEP)

    for response in (refused, true_key):
        assert (response.status_code, response.get_json()["code"]) == (422, "key_refused")
        assert "“Stick” may have been copied: it counted backwards." in response.get_json()["detail"]
    assert not is_signed_in(waiting)
    assert (the_key().refused_since, the_key().sign_count) == (clock.now(), 2)


@requirement("R50")
def test_a_copy_is_told_by_mail_once_and_noted_each_time(app: Flask, ana: User, stick: Authenticator) -> None:
    waiting = with_password(app)
    options = ask(waiting, AUTHENTICATE, SECOND_STEP)
    second_step(with_password(app), stick, get=lambda asked: stick.get(asked, count=1))

    answer(waiting, AUTHENTICATE, stick.get(options), SECOND_STEP)

    (letter,) = letters("ana@mail.example")
    assert letter.notice == "key-refused"
    assert letter.subject == "A key of your account ana may have been copied"
    assert "“Stick”" in letter.text
    events = list(db.session.scalars(sa.select(Event).where(Event.tag == "account:passkey:refused")))
    assert [(event.user_id, event.actor_id) for event in events] == [(ana.id, None)] * 2
    assert events[0].details == {"label": "Stick", "kind": "security key"}


def test_a_refused_key_is_asked_for_no_more_and_other_ways_stay_open(
    app: Flask, clock: SettableClock, ana: User, stick: Authenticator
) -> None:
    second_step(with_password(app), stick, get=lambda asked: stick.get(asked, count=1))
    browser = with_password(app)

    page = browser.page(STEP)
    asked = browser.ask(f"{AUTHENTICATE}options", SECOND_STEP)
    browser.post(STEP, totp_value=code_of(ana, clock))

    assert "Use your passkey or security key" not in page.text
    assert (asked.status_code, asked.get_json()["code"]) == (422, "no_key")
    listed = browser.page(PRIVATE)
    assert "It may have been copied: it counted backwards on 22 Nov 2026. Remove it." in listed.text


def test_a_refused_key_that_is_the_only_factor_leaves_the_recovery_codes(
    app: Flask, people: People, stick: Authenticator
) -> None:
    ana = people.a_user("ana").verified().with_passkey(stick).with_recovery_codes().build()
    code: str = ana.test_codes[0]  # type: ignore[attr-defined]
    second_step(with_password(app), stick, get=lambda asked: stick.get(asked, count=1))
    browser = with_password(app)

    page = browser.page(STEP)
    arrived = browser.submit(RECOVERY, recovery_code_value=code)

    assert RECOVERY in page.links()
    assert arrived.h1 == "Replace the lost device"
    assert is_signed_in(browser)


def test_a_refused_passkey_does_not_sign_in_alone_either(app: Flask, people: People) -> None:
    laptop = Authenticator()
    people.a_user("ana").verified().with_passkey(laptop, "Laptop").build()
    sign_in(Browser(app), laptop, get=lambda asked: laptop.get(asked, count=1))
    browser = Browser(app)

    refused = sign_in(browser, laptop)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "key_refused")
    assert not is_signed_in(browser)


@requirement("R50")
def test_a_low_counter_without_a_good_signature_betrays_nothing(app: Flask, ana: User, stick: Authenticator) -> None:
    """Else anybody who knows the password could have the key of somebody else refused."""
    forger = new_private_key(stick.algorithm)

    refused = second_step(with_password(app), stick, get=lambda asked: stick.get(asked, count=0, signed_by=forger))

    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_verified")
    assert (the_key().refused_since, the_key().sign_count) == (None, 1)
    assert notices_to("ana@mail.example") == []
    assert second_step(with_password(app), stick).status_code == 200


@requirement("R51")
def test_a_key_that_never_counts_is_good_for_ever(app: Flask, people: People) -> None:
    manager = a_password_manager()
    people.a_user("ana").verified().with_passkey(manager).build()

    answers = [second_step(with_password(app), manager) for _ in range(3)] + [sign_in(Browser(app), manager)]

    assert [each.status_code for each in answers] == [200] * 4
    assert (the_key().sign_count, the_key().refused_since) == (0, None)


def test_a_key_may_begin_to_count_but_not_stop_again(app: Flask, people: People) -> None:
    manager = a_password_manager()
    people.a_user("ana").verified().with_passkey(manager).build()

    counted = second_step(with_password(app), manager, get=lambda asked: manager.get(asked, count=2**32 - 1))
    stopped = second_step(with_password(app), manager)

    assert counted.status_code == 200
    assert (stopped.status_code, stopped.get_json()["code"]) == (422, "key_refused")
    assert the_key().sign_count == 2**32 - 1


@requirement("R49")
@pytest.mark.parametrize("can_be_copied", [True, False])
def test_a_key_that_changes_whether_it_can_be_copied_is_another_one(
    app: Flask, people: People, can_be_copied: bool
) -> None:
    laptop = Authenticator(is_backup_eligible=can_be_copied)
    people.a_user("ana").verified().with_passkey(laptop).build()
    laptop.is_backup_eligible = not can_be_copied
    browser = with_password(app)

    refused = second_step(browser, laptop)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_verified")
    assert not is_signed_in(browser)
    assert reasons() == ["backup eligibility changed"]
    assert the_key().is_backup_eligible is can_be_copied


@requirement("R49")
def test_whether_it_is_copied_may_change_and_is_shown(app: Flask, people: People) -> None:
    manager = a_password_manager()
    ana = people.a_user("ana").verified().with_passkey(manager).build()
    owner = Browser(app).sign_in(ana)
    before = owner.page(PRIVATE)
    manager.is_backed_up = False

    second_step(with_password(app), manager)

    after = owner.page(PRIVATE)
    assert "synced · says it is Bitwarden" in before.text
    assert "could be synced · says it is Bitwarden" in after.text
    assert the_key().is_backed_up is False


def test_a_key_that_is_copied_but_cannot_be_is_refused(app: Flask, ana: User, stick: Authenticator) -> None:
    refused = second_step(with_password(app), stick, get=lambda asked: stick.get(asked, flags=USER_PRESENT | BACKED_UP))
    changed = second_step(
        with_password(app), stick, get=lambda asked: stick.get(asked, flags=USER_PRESENT | BACKUP_ELIGIBLE | BACKED_UP)
    )

    assert [each.get_json()["code"] for each in (refused, changed)] == ["not_verified", "not_verified"]
    assert the_key().is_backed_up is False


def test_a_browser_that_is_trusted_with_a_key_is_asked_for_the_password_only(
    app: Flask, ana: User, stick: Authenticator, clock: SettableClock
) -> None:
    browser = with_password(app)
    second_step(browser, stick, remember_browser="y")
    browser.post("/account/logout/")

    given = browser.post("/account/login/", username="ana", password=PASSWORD)

    assert given.headers["Location"] == "/manage/projects/"
    known = db.session.scalars(sa.select(KnownBrowser)).one()
    assert known.trusted_until == clock.now() + timedelta(days=30)
    assert "browser-trusted" in notices_to("ana@mail.example")


def test_a_browser_is_not_trusted_unless_it_was_asked_for_nor_for_administrators(
    app: Flask, people: People, ana: User, stick: Authenticator
) -> None:
    second_step(with_password(app), stick)
    admins = a_security_key()
    people.a_user("root").verified().with_passkey(admins).build()
    db.session.execute(sa.update(User).where(User.username == "root").values(is_admin=True))
    db.session.commit()

    second_step(with_password(app, "root"), admins, remember_browser="y")

    assert db.session.scalars(sa.select(KnownBrowser.trusted_until)).all() == [None, None]


@requirement("R36")
def test_a_removed_key_is_worth_nothing_on_the_next_request(app: Flask, ana: User, stick: Authenticator) -> None:
    owner, thief = Browser(app).sign_in(ana), with_password(app)
    credential = stick.get(ask(thief, AUTHENTICATE, SECOND_STEP))
    owner.submit("/manage/account/webauthn-provision/delete", label="Stick")

    refused = answer(thief, AUTHENTICATE, credential, SECOND_STEP)

    assert (refused.status_code, refused.get_json()["code"]) == (403, "not_signed_in")
    assert not is_signed_in(thief)


def test_a_removed_key_is_unknown_to_whoever_comes_later(app: Flask, ana: User, stick: Authenticator) -> None:
    browser = with_password(app)
    options = ask(browser, AUTHENTICATE, SECOND_STEP)
    db.session.execute(sa.delete(Passkey))
    db.session.commit()

    refused = answer(browser, AUTHENTICATE, stick.get(options), SECOND_STEP)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "unknown_passkey")
    assert not is_signed_in(browser)


def test_an_account_that_is_frozen_meanwhile_stays_shut(app: Flask, ana: User, stick: Authenticator) -> None:
    browser = with_password(app)
    credential = stick.get(ask(browser, AUTHENTICATE, SECOND_STEP))
    db.session.execute(sa.update(User).values(is_active=False))
    db.session.commit()

    refused = answer(browser, AUTHENTICATE, credential, SECOND_STEP)

    assert (refused.status_code, refused.get_json()["code"]) == (403, "not_signed_in")
    assert not is_signed_in(browser)


def test_the_owner_is_not_told_of_an_unfinished_sign_in_once_the_key_followed(
    app: Flask, ana: User, stick: Authenticator, clock: SettableClock
) -> None:
    second_step(with_password(app), stick)
    clock.advance(timedelta(minutes=11))
    found = wiring_of(app)

    tell_of_unfinished(db.session(), found.box, found.notices, now=clock.now())

    assert "sign-in-unfinished" not in notices_to("ana@mail.example")
