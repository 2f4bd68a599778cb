"""The link that proves an address: one account, one address, once, and never by a GET."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.throttle import VERIFICATION_MAIL
from models import Ceremony, Email, Event, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.conftest import MakeApp
from tests.letters import link_to, notices_to
from tests.requirements import requirement

LINK_OVER = "This link does not work any more"
UNVERIFIED = "/manage/unverified-account/"


@pytest.fixture
def nora(browser: Browser, people: People) -> User:
    """Somebody signed in with an address that is not verified, who was mailed a link."""
    user = people.a_user("nora").build()
    browser.sign_in(user)
    resend(browser, user)
    return user


def resend(browser: Browser, user: User) -> int:
    return browser.post(f"/manage/account/emails/{user.emails[0].id}/verify").status_code


def is_verified(user: User) -> bool:
    db.session.rollback()
    return db.session.get_one(User, user.id).has_verified_email


@requirement("R90")
def test_opening_the_link_changes_nothing_and_the_button_verifies(browser: Browser, nora: User) -> None:
    link = link_to("nora@mail.example")

    page = browser.page(link)

    assert "nora@mail.example becomes a verified address" in page.text
    assert page.response.headers["Referrer-Policy"] == "strict-origin"
    assert browser._send("HEAD", link).status_code == 200
    assert not is_verified(nora)

    answer = browser.post(link)

    assert answer.status_code == 303
    assert is_verified(nora)
    event = db.session.scalars(sa.select(Event).where(Event.tag == "account:email:verified")).one()
    assert (event.actor_id, event.details) == (nora.id, {"address": "nora@mail.example"})


def test_without_a_second_factor_one_is_led_to_set_one_up(browser: Browser, nora: User) -> None:
    page = browser.submit(link_to("nora@mail.example"))

    assert page.response.request.path == "/manage/account/two-factor/"
    assert "nora@mail.example is verified" in page.text


def test_with_one_to_the_account_page(browser: Browser, people: People) -> None:
    ana = people.a_member("ana")
    browser.sign_in(ana)
    browser.post("/manage/account/emails/", email="second@mail.example")

    answer = browser.post(link_to("second@mail.example"))

    assert answer.headers["Location"] == "/manage/account/"


def test_the_interrupted_action_is_taken_up_again(browser: Browser, nora: User) -> None:
    stopped = browser.get("/manage/account/token/")
    assert stopped.headers["Location"].startswith(UNVERIFIED)

    answer = browser.post(link_to("nora@mail.example"))

    assert answer.headers["Location"].startswith("/manage/account/token/")


def test_whoever_is_signed_out_signs_in_first_and_comes_back(app: Flask, nora: User) -> None:
    other = Browser(app)
    link = link_to("nora@mail.example")

    page = other.page(link)
    assert page.h1 == "Sign in"
    back = other.post(page.response.request.full_path, username="nora", password=PASSWORD)
    assert back.headers["Location"] == link
    other.submit(link)

    assert is_verified(nora)


def test_a_link_works_once(browser: Browser, nora: User) -> None:
    link = link_to("nora@mail.example")
    browser.post(link)

    again = browser.submit(link, status=422)

    assert LINK_OVER in again.text
    assert LINK_OVER in browser.page(link, status=422).text


def test_a_link_lasts_a_day(browser: Browser, people: People, nora: User, clock: SettableClock) -> None:
    link = link_to("nora@mail.example")
    clock.advance(timedelta(hours=24))
    browser.sign_in(nora)

    assert LINK_OVER in browser.submit(link, status=422).text
    assert not is_verified(nora)


@pytest.mark.parametrize("change", ["", "short", "\x00", "ä" * 5000])
def test_a_token_that_was_tampered_with_is_refused(browser: Browser, nora: User, change: str) -> None:
    path, _, token = link_to("nora@mail.example").partition("?token=")

    for tampered in (change, token[:-1] + change, token + change + "A"):
        page = browser.submit(f"{path}?{urlencode({'token': tampered})}", status=422)
        assert LINK_OVER in page.text

    assert LINK_OVER in browser.submit(path, status=422).text
    assert not is_verified(nora)


def test_a_link_of_another_purpose_verifies_nothing(app: Flask, browser: Browser, people: People, nora: User) -> None:
    people.a_user("ana").verified().build()
    Browser(app).post("/account/request-password-reset/", username_or_email="ana")
    token = link_to("ana@mail.example").partition("=")[2]

    assert LINK_OVER in browser.page(f"/account/verify-email/?token={token}", status=422).text


def test_a_link_of_another_account_is_refused_and_stays_good_for_its_own(
    app: Flask, browser: Browser, people: People, nora: User
) -> None:
    link = link_to("nora@mail.example")
    mallory = Browser(app).sign_in(people.a_user("mallory").build())

    page = mallory.submit(link, status=422)

    assert "sent for another account" in page.text
    assert "nora" not in page.text.replace(link, "")
    assert not is_verified(nora)
    assert browser.post(link).status_code == 303
    assert is_verified(nora)


def test_an_address_that_was_verified_elsewhere_meanwhile_is_refused_in_words(
    browser: Browser, people: People, nora: User
) -> None:
    link = link_to("nora@mail.example")
    ana = people.a_user("ana").verified().build()
    ana.emails[0].address = ana.emails[0].address_key = "nora@mail.example"
    db.session.commit()

    page = browser.submit(link, status=422)

    assert "verified for another account meanwhile" in page.text
    assert "ana" not in page.text.split()
    assert not is_verified(nora)


def test_an_address_that_was_corrected_meanwhile_is_not_proved_by_its_old_link(browser: Browser, nora: User) -> None:
    old = link_to("nora@mail.example")
    browser.post(UNVERIFIED, email="nora@other.example")

    page = browser.submit(old, status=422)

    assert "no longer on your account" in page.text
    assert not is_verified(nora)


@requirement("R105")
def test_the_mail_can_be_had_again_but_not_without_end(browser: Browser, people: People, clock: SettableClock) -> None:
    nora = people.a_user("nora").build()
    browser.sign_in(nora)
    limit = VERIFICATION_MAIL.limits[0]
    for _ in range(limit.most):
        assert resend(browser, nora) == 303

    refused = browser.submit(f"/manage/account/emails/{nora.emails[0].id}/verify", status=429)

    assert "Too many verification mails" in refused.text
    assert int(refused.response.headers["Retry-After"]) == limit.window.total_seconds()
    assert notices_to("nora@mail.example") == ["verify-email"] * limit.most


def test_verifying_gives_the_budget_back(browser: Browser, nora: User) -> None:
    for _ in range(VERIFICATION_MAIL.limits[0].most - 1):
        resend(browser, nora)
    browser.post(link_to("nora@mail.example"))

    assert browser.post("/manage/account/emails/", email="second@mail.example").status_code == 303


def test_an_address_that_is_verified_is_sent_no_further_link(browser: Browser, people: People) -> None:
    ana = people.a_user("ana").verified().build()
    browser.sign_in(ana)

    page = browser.submit(f"/manage/account/emails/{ana.emails[0].id}/verify", status=422)

    assert "is verified already" in page.text
    assert notices_to("ana@mail.example") == []


def test_a_link_to_somebody_elses_address_is_never_mailed(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    nora = people.a_user("nora").build()
    nora.emails[0].address, nora.emails[0].address_key = "Ana@mail.example", "ana@mail.example"
    db.session.commit()
    browser.sign_in(nora)

    page = browser.submit(f"/manage/account/emails/{nora.emails[0].id}/verify")

    assert "We sent a new link to Ana@mail.example" in page.text
    assert notices_to("ana@mail.example") == ["address-in-use"]
    assert notices_to("Ana@mail.example") == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Ceremony)) == 0


def test_the_one_task_of_a_new_account_shows_the_address_and_what_is_kept(browser: Browser, nora: User) -> None:
    browser.get("/manage/account/token/")

    page = browser.page(UNVERIFIED)

    assert page.h1 == "Verify your email address"
    assert page.stop is not None
    assert "nora@mail.example" in page.text
    assert "Kept for you" in page.text
    assert "Create an API token" in page.text


def test_correcting_the_address_replaces_it(browser: Browser, nora: User) -> None:
    page = browser.submit(UNVERIFIED, email="Nora@Right.Example")

    assert "We sent a link to Nora@right.example" in page.text
    emails = list(db.session.scalars(sa.select(Email)))
    assert [(email.address, email.is_primary) for email in emails] == [("Nora@right.example", True)]
    assert notices_to("Nora@right.example") == ["verify-email"]
    assert notices_to("nora@mail.example") == ["verify-email"]
    browser.post(link_to("Nora@right.example"))
    assert is_verified(nora)


def test_correcting_it_to_the_same_sends_the_link_again(browser: Browser, nora: User) -> None:
    browser.post(UNVERIFIED, email="nora@mail.example")

    assert notices_to("nora@mail.example") == ["verify-email", "verify-email"]


def test_correcting_it_to_one_that_is_verified_makes_that_one_primary(browser: Browser, nora: User) -> None:
    browser.post("/manage/account/emails/", email="second@mail.example")
    browser.post(link_to("second@mail.example"))
    assert not is_verified(nora)

    browser.post(UNVERIFIED, email="second@mail.example")

    assert is_verified(nora)
    assert [email.address for email in db.session.scalars(sa.select(Email))] == ["second@mail.example"]


def test_a_verified_address_cannot_be_corrected_away(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    page = browser.submit(UNVERIFIED, status=422, email="thief@mail.example")

    assert "Your primary address is verified" in page.text
    assert [email.address for email in db.session.scalars(sa.select(Email))] == ["ana@mail.example"]


def test_correcting_asks_to_confirm_after_a_while_and_keeps_what_was_typed(
    browser: Browser, nora: User, clock: SettableClock
) -> None:
    clock.advance(timedelta(minutes=16))

    page = browser.submit(UNVERIFIED, email="nora@right.example")
    assert page.response.request.path == "/account/reauthenticate/"
    page = browser.submit("/account/reauthenticate/", password=PASSWORD)

    assert page.response.request.path == UNVERIFIED
    assert page.value("email") == "nora@right.example"
    assert "We kept what you typed" in page.text


def test_whoever_is_verified_has_no_task(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("ana").verified().build())

    assert browser.get(UNVERIFIED).headers["Location"] == "/manage/account/"


@requirement("R76")
def test_over_tls_the_button_works_though_the_page_hides_its_address(make_app: MakeApp, clock: SettableClock) -> None:
    app = make_app(public_url="https://index.example")
    with app.app_context():
        nora = People(app, clock).a_user("nora").build()
        browser = Browser(app).sign_in(nora)
        send_over_tls(browser, f"/manage/account/emails/{nora.emails[0].id}/verify")
        link = link_to("nora@mail.example")
        assert browser.page(link).response.headers["Referrer-Policy"] == "strict-origin"

        answer = send_over_tls(browser, link)

        assert answer == 303
        assert is_verified(nora)
        db.session.remove()
        db.engine.dispose()


def send_over_tls(browser: Browser, path: str) -> int:
    """Send a form as a browser does under "strict-origin": the referrer is the origin alone."""
    fields, headers = {"csrf_token": browser.form_token()}, {"Referer": f"{browser.base_url}/"}
    return browser.client.post(path, data=fields, headers=headers, base_url=browser.base_url).status_code
