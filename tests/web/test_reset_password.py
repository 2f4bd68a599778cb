"""Forgotten passwords: a link to a verified address, and nothing that gets round the second factor."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.throttle import PASSWORD_OF_ACCOUNT, RESET_FROM_ADDRESS, RESET_MAIL
from models import ApiToken, BrowserSession, Event, RecoveryCode, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.letters import letters, link_to, notices_to
from tests.requirements import requirement

REQUEST, LOGIN = "/account/request-password-reset/", "/account/login/"
NEW = "quiet lantern over seven harbours"
LINK_OVER = "This link does not work any more"


def ask(browser: Browser, who: str = "ana", status: int = 200) -> str:
    return browser.submit(REQUEST, status=status, username_or_email=who).text


def set_new(browser: Browser, link: str, password: str = NEW) -> int:
    return browser.post(link, new_password=password, password_confirm=password).status_code


def signs_in(app: Flask, password: str) -> bool:
    return Browser(app, address="198.51.100.77").post(LOGIN, username="ana", password=password).status_code == 303


@requirement("R76")
@pytest.mark.parametrize("who", ["ana", "ANA", "ana@mail.example", " Ana@Mail.Example "])
def test_a_link_is_mailed_to_the_verified_address_and_sets_a_new_password(
    app: Flask, browser: Browser, people: People, who: str
) -> None:
    people.a_user("ana").verified().build()
    ask(browser, who)
    link = link_to("ana@mail.example")

    page = browser.page(link)
    assert "For the account ana" in page.text
    assert page.response.headers["Referrer-Policy"] == "strict-origin"
    assert page.response.headers["Cache-Control"] == "no-store"
    after = browser.submit(link, new_password=NEW, password_confirm=NEW)

    assert after.h1 == "Sign in"
    assert "Your new password is set" in after.text
    assert signs_in(app, NEW)
    assert not signs_in(app, PASSWORD)
    assert notices_to("ana@mail.example")[:2] == ["password-reset", "password-changed"]


@requirement("R75")
def test_s9_a_reset_touches_no_second_factor_and_signs_nobody_in(
    app: Flask, browser: Browser, people: People, clock: SettableClock
) -> None:
    ana = people.a_member("ana")
    apps, codes = sa.select(TotpApp.id, TotpApp.secret_sealed), sa.select(RecoveryCode.id, RecoveryCode.code_hash)
    before = [db.session.execute(apps).all(), db.session.execute(codes).all()]
    ask(browser)

    set_new(browser, link_to("ana@mail.example"))

    assert [db.session.execute(apps).all(), db.session.execute(codes).all()] == before
    assert browser.get("/manage/account/").status_code == 303
    answer = browser.post(LOGIN, username="ana", password=NEW)
    assert answer.headers["Location"] == "/account/two-factor/"
    assert browser.get("/manage/account/").status_code == 303
    browser.post("/account/two-factor/", method="totp", totp_value=code_of(ana, clock))
    assert browser.get("/manage/account/").status_code == 200


@pytest.mark.parametrize(
    ("count", "words", "link"),
    [
        (1, "Your API token works on", "Sign in and remove the token"),
        (3, "Your 3 API tokens work on", "Sign in and remove all tokens"),
    ],
)
def test_whoever_has_tokens_is_offered_to_remove_them(
    app: Flask, browser: Browser, people: People, clock: SettableClock, count: int, words: str, link: str
) -> None:
    ana = people.a_member("ana")
    for number in range(count):
        people.a_token(ana, f"ci {number}")
    ask(browser)

    page = browser.submit(link_to("ana@mail.example"), new_password=NEW, password_confirm=NEW)

    assert page.h1 == "Your new password is set"
    assert words in page.text
    address = next(each.get("href") for each in page.root.iter("a") if "".join(each.itertext()) == link)
    assert address is not None
    assert browser.get("/manage/account/token/remove-all/").status_code == 303
    browser.page(address)
    browser.post(address, username="ana", password=NEW, next="/manage/account/token/remove-all/")
    asked = browser.submit("/account/two-factor/", method="totp", totp_value=code_of(ana, clock))
    assert asked.h1 in ("Remove all tokens?", "Remove your token?")


@pytest.mark.parametrize(
    ("working", "words"), [(0, None), (1, "Your API token works on"), (2, "Your 2 API tokens work on")]
)
def test_tokens_that_have_ended_are_not_counted(
    browser: Browser, people: People, clock: SettableClock, working: int, words: str | None
) -> None:
    ana = people.a_member("ana")
    for number in range(2):
        people.a_token(ana, f"ended {number}", expires_at=clock.now())
    for number in range(working):
        people.a_token(ana, f"works {number}", expires_at=clock.now() + timedelta(days=1))
    ask(browser)

    page = browser.submit(link_to("ana@mail.example"), new_password=NEW, password_confirm=NEW)

    assert page.h1 == ("Your new password is set" if words else "Sign in")
    assert (words or "Your new password is set. Sign in with it.") in page.text


@requirement("R77")
def test_an_administrator_has_the_link_sent_to_the_owner_and_sees_nothing(browser: Browser, people: People) -> None:
    ana, ada = people.a_user("ana").verified().build(), people.a_member("ada")
    ada.is_admin = True
    db.session.commit()
    kept = ana.password_hash
    browser.sign_in(ada)

    page = browser.submit(REQUEST, username_or_email="ana")

    token = link_to("ana@mail.example").partition("=")[2]
    assert [letter.to for letter in letters()] == ["ana@mail.example"]
    assert token not in page.html
    db.session.rollback()
    assert db.session.get_one(User, ana.id).password_hash == kept


@requirement("R62")
def test_every_browser_is_signed_out_the_one_that_reset_it_too(app: Flask, browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    elsewhere = Browser(app).sign_in(ana)
    browser.sign_in(ana)
    ask(Browser(app))

    page = browser.submit(link_to("ana@mail.example"), new_password=NEW, password_confirm=NEW)

    assert "Your new password is set" in page.text
    assert browser.get("/manage/account/").status_code == 303
    assert elsewhere.get("/manage/account/").status_code == 303
    assert db.session.scalar(sa.select(BrowserSession.id).where(BrowserSession.user_id == ana.id)) is None


def test_whoever_is_signed_in_as_somebody_else_stays_so(app: Flask, browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    browser.sign_in(people.a_user("nora").verified().build())
    ask(Browser(app))

    assert set_new(browser, link_to("ana@mail.example")) == 303

    assert "nora" in browser.page("/manage/account/").text


def test_api_tokens_stay_and_the_mail_says_so(browser: Browser, people: People, clock: SettableClock) -> None:
    ana = people.a_member("ana")
    db.session.add(
        ApiToken(
            grants=["upload"],
            user_id=ana.id,
            description="ci",
            token_hash=b"0" * 32,
            hint="abcd",
            reaches_all=True,
            created_at=clock.now(),
        )
    )
    db.session.commit()
    ask(browser)

    set_new(browser, link_to("ana@mail.example"))

    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 1
    letter = letters("ana@mail.example")[-1]
    assert "API tokens stay as they were" in " ".join(letter.text.split())
    for words in ("22 Nov 2026, 14:05 UTC", "203.0.113.7", "Firefox on Linux"):
        assert words in letter.text
        assert words in letter.html


def test_all_verified_addresses_are_told(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    browser.sign_in(ana)
    browser.post("/manage/account/emails/", email="second@mail.example")
    browser.post(link_to("second@mail.example"))
    browser.post("/manage/account/emails/", email="never@mail.example")
    ask(browser)

    set_new(browser, link_to("ana@mail.example"))

    assert notices_to("second@mail.example")[-1] == "password-changed"
    assert notices_to("never@mail.example") == ["verify-email"]


def test_the_link_goes_to_the_verified_address_that_was_typed(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())
    browser.post("/manage/account/emails/", email="second@mail.example")
    browser.post(link_to("second@mail.example"))

    ask(browser, "second@mail.example")

    assert notices_to("second@mail.example")[-1] == "password-reset"
    assert "password-reset" not in notices_to("ana@mail.example")


@pytest.mark.parametrize("who", ["nora", "nora@mail.example"])
def test_an_address_that_is_not_verified_is_told_why_it_gets_no_link(
    browser: Browser, people: People, who: str
) -> None:
    people.a_user("nora").build()

    ask(browser, who)

    letter = letters("nora@mail.example")[0]
    assert letter.notice == "password-reset-unverified"
    assert "token=" not in letter.text + letter.html


def test_whoever_has_a_verified_address_gets_the_link_there_whichever_username(
    browser: Browser, people: People
) -> None:
    nora = people.a_user("nora").build()
    browser.sign_in(nora)
    browser.post("/manage/account/emails/", email="second@mail.example")
    browser.post(link_to("second@mail.example"))

    ask(browser, "nora")

    assert notices_to("second@mail.example")[-1] == "password-reset"


@pytest.mark.parametrize(
    "who", ["nobody", "nobody@mail.example", "not an address @", "ana\x00", "frozen", "frozen@mail.example"]
)
def test_for_nobody_no_mail_is_left_and_the_page_is_the_same(
    app: Flask, browser: Browser, people: People, who: str
) -> None:
    people.a_user("frozen").verified().frozen().build()
    people.a_user("ana").verified().build()
    known = ask(browser, "ana")

    if "\x00" in who:
        assert "control characters" in ask(browser, who, status=422)
    else:
        assert ask(Browser(app), who) == known

    assert [letter.to for letter in letters()] == ["ana@mail.example"]


@requirement("R74")
def test_a_link_works_once(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    ask(browser)
    link = link_to("ana@mail.example")
    set_new(browser, link)

    assert LINK_OVER in browser.page(link, status=422).text
    assert set_new(browser, link, "another " + NEW) == 422


@requirement("R74")
def test_a_link_lasts_an_hour(browser: Browser, people: People, clock: SettableClock) -> None:
    people.a_user("ana").verified().build()
    ask(browser)
    link = link_to("ana@mail.example")
    clock.advance(timedelta(minutes=59))
    assert browser.get(link).status_code == 200

    clock.advance(timedelta(minutes=1))

    assert LINK_OVER in browser.page(link, status=422).text
    assert set_new(browser, link) == 422


@requirement("R74")
def test_a_reset_voids_every_other_link(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    ask(browser)
    first = link_to("ana@mail.example")
    ask(browser)

    set_new(browser, link_to("ana@mail.example"))

    assert set_new(browser, first, "another " + NEW) == 422


@requirement("R74")
def test_signing_in_voids_the_links(app: Flask, browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    ask(browser)

    assert signs_in(app, PASSWORD)

    assert set_new(browser, link_to("ana@mail.example")) == 422
    assert signs_in(app, PASSWORD)


def test_half_a_sign_in_does_not(app: Flask, browser: Browser, people: People) -> None:
    people.a_member("ana")
    ask(browser)

    assert signs_in(app, PASSWORD)  # somebody who knows the password but has no second factor

    assert set_new(browser, link_to("ana@mail.example")) == 303


@requirement("R74")
def test_changing_the_password_voids_the_links(app: Flask, browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    ask(Browser(app))
    browser.sign_in(ana)
    browser.post("/manage/account/password/", password=PASSWORD, new_password=NEW, password_confirm=NEW)

    assert set_new(Browser(app), link_to("ana@mail.example"), "another " + NEW) == 422
    assert signs_in(app, NEW)


@pytest.mark.parametrize("change", ["", "short", "\x00", "ä" * 5000])
def test_a_token_that_was_tampered_with_is_refused(browser: Browser, people: People, change: str) -> None:
    people.a_user("ana").verified().build()
    ask(browser)
    path, _, token = link_to("ana@mail.example").partition("?token=")

    for tampered in (change, token[:-1] + change, token + change + "A"):
        page = browser.submit(
            f"{path}?{urlencode({'token': tampered})}", status=422, new_password=NEW, password_confirm=NEW
        )
        assert LINK_OVER in page.text


def test_a_weak_password_keeps_the_link_good(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    ask(browser)
    link = link_to("ana@mail.example")

    weak = browser.submit(link, status=422, new_password="ana@mail.example", password_confirm="ana@mail.example")
    differing = browser.submit(link, status=422, new_password=NEW, password_confirm=NEW + ".")

    assert "made from your name" in weak.text
    assert "The two passwords are not the same" in differing.text
    assert set_new(browser, link) == 303


def test_a_frozen_account_cannot_use_its_link(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    ask(browser)
    db.session.get_one(User, ana.id).is_active = False
    db.session.commit()

    assert set_new(browser, link_to("ana@mail.example")) == 422


def test_whoever_was_locked_out_by_guesses_can_sign_in_after_a_reset(
    app: Flask, browser: Browser, people: People
) -> None:
    people.a_user("ana").verified().build()
    for number in range(PASSWORD_OF_ACCOUNT.limits[0].most):
        Browser(app, address=f"198.51.100.{number}").post(LOGIN, username="ana", password="wrong horse")
    assert not signs_in(app, PASSWORD)
    ask(browser)

    set_new(browser, link_to("ana@mail.example"))

    assert signs_in(app, NEW)


@requirement("R12", "R105")
def test_one_account_is_sent_only_so_many_mails_and_the_page_does_not_tell(
    app: Flask, browser: Browser, people: People
) -> None:
    people.a_user("ana").verified().build()
    pages = {ask(Browser(app, address=f"198.51.100.{number}")) for number in range(RESET_MAIL.limits[0].most + 2)}

    assert len(pages) == 1
    assert notices_to("ana@mail.example") == ["password-reset"] * RESET_MAIL.limits[0].most


@requirement("R105")
def test_one_network_address_cannot_ask_for_everybody(app: Flask, browser: Browser) -> None:
    for number in range(RESET_FROM_ADDRESS.limits[0].most):
        ask(Browser(app), f"user{number}")

    page = Browser(app).submit(REQUEST, status=429, username_or_email="ana")

    assert "Too many password resets" in page.text
    assert page.value("username_or_email") == "ana"
    assert "Retry-After" in page.response.headers


@requirement("R100")
def test_it_is_written_down_who_asked_from_where(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    ask(browser)
    ask(browser, "nobody")
    set_new(browser, link_to("ana@mail.example"))

    events = list(db.session.scalars(sa.select(Event).order_by(Event.id)))
    assert [event.tag for event in events] == ["account:password:reset_requested", "account:password:reset"]
    assert {(event.user_id, event.address) for event in events} == {(ana.id, "203.0.113.7")}


def test_over_tls_the_form_works_though_the_page_hides_its_address(make_app: MakeApp, clock: SettableClock) -> None:
    app = make_app(public_url="https://index.example")
    with app.app_context():
        People(app, clock).a_user("ana").verified().build()
        browser = Browser(app)
        referrer = {"Referer": "https://index.example/"}  # what "strict-origin" leaves of it
        asked = {"csrf_token": browser.form_token(), "username_or_email": "ana"}
        browser.client.post(REQUEST, data=asked, headers=referrer, base_url=browser.base_url)
        fields = {"csrf_token": browser.form_token(), "new_password": NEW, "password_confirm": NEW}

        answer = browser.client.post(
            link_to("ana@mail.example"), data=fields, headers=referrer, base_url=browser.base_url
        )

        assert answer.status_code == 303
        db.session.remove()
        db.engine.dispose()
