"""A token's new secret, the end of its former one, and the end of all tokens, on their pages."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import throttle, tokens
from domain.policy.principals import Origin
from models import User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.packages import a_wheel, an_sdist
from tests.uploading import upload

TOKENS = "/manage/account/token/"
ALL = f"{TOKENS}remove-all/"
LONGEST_LINE = 4_094  # of a request, as deploy/gunicorn.py has it


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    """Somebody signed in."""
    user = people.a_member("ana")
    browser.sign_in(user)
    return user


def test_a_new_secret_is_shown_once_and_the_former_one_works_for_a_day(
    app: Flask, ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    token, former = people.a_token(ana, "laptop")
    path = f"{TOKENS}{token.id}/rotate/"

    asked = browser.page(path)
    page = browser.submit(path, overlap="24")

    found = re.search(r"csn_[\w-]{49}", page.text)
    assert found is not None
    assert asked.h1 == "New secret for “laptop”?"
    assert page.h1 == "Copy the new secret now"
    assert "works until 23 Nov 2026, 14:05 UTC" in page.text
    assert "no-store" in page.response.headers["Cache-Control"]
    assert [upload(app, text, file).status for text, file in ((found[0], a_wheel()), (former, an_sdist()))] == [
        "200 OK",
        "200 OK",
    ]
    listed = browser.page(TOKENS).text
    assert f"The former secret, csn_…{former[43:47]}, works until 23 Nov 2026, 14:05 UTC." in listed
    clock.advance(timedelta(days=1))
    assert upload(app, former, an_sdist()).status == (
        "403 This secret was replaced and works no more. Use the API token's new secret."
    )


def test_the_former_secret_is_ended_with_a_button(ana: User, browser: Browser, people: People) -> None:
    token, former = people.a_rotated_token(ana, "laptop")

    page = browser.submit(f"{TOKENS}{token.id}/end-former")

    assert "The former secret of “laptop” is refused from now on." in page.text
    assert "works until" not in page.text
    assert tokens.find(db.session(), former, origin=Origin()) is None


@pytest.mark.parametrize("overlap", ["", "2", "-1", "9" * 5_000, "1.5", "24 "])
def test_another_overlap_is_refused_in_words(ana: User, browser: Browser, people: People, overlap: str) -> None:
    token, former = people.a_token(ana, "laptop")

    page = browser.submit(f"{TOKENS}{token.id}/rotate/", overlap=overlap, status=422)

    assert "Choose one of these times." in page.text
    assert tokens.find(db.session(), former, origin=Origin()) is not None


def test_a_form_that_comes_twice_replaces_the_secret_once(ana: User, browser: Browser, people: People) -> None:
    token, former = people.a_token(ana, "laptop")
    path, seen = f"{TOKENS}{token.id}/rotate/", token.hint

    browser.submit(path, overlap="24", replaces=seen)
    page = browser.submit(path, overlap="24", replaces=seen, status=422)

    assert "This token was given a new secret a moment ago." in page.text
    assert tokens.find(db.session(), former, origin=Origin()) is not None


def test_after_confirming_the_chosen_overlap_is_still_chosen(
    ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    token, _ = people.a_token(ana, "laptop")
    clock.advance(timedelta(minutes=16))

    browser.submit(f"{TOKENS}{token.id}/rotate/", overlap="168")
    page = browser.submit("/account/reauthenticate/", method="totp", password=PASSWORD, totp_value=code_of(ana, clock))

    assert "You asked to give an API token a new secret: that is not done yet." in page.text
    assert page.h1 == "New secret for “laptop”?"
    boxes = [box for box in page.root.iter("input") if box.get("name") == "overlap"]
    assert [box.get("value") for box in boxes if box.get("checked") is not None] == ["168"]


def test_all_tokens_go_after_a_question_that_names_and_counts_them(ana: User, browser: Browser, people: People) -> None:
    texts = [people.a_token(ana, name)[1] for name in ("ci", "laptop")]

    assert ALL in browser.page(TOKENS).links()
    asked = browser.page(ALL)
    done = browser.submit(ALL)

    assert asked.h1 == "Remove all tokens?"
    assert "one of these 2 tokens" in asked.text
    assert "laptop csn_" in asked.text
    assert "You have no token any more." in done.text
    assert "No token yet" in done.text
    assert [tokens.find(db.session(), text, origin=Origin()) for text in texts] == [None, None]


def test_of_one_token_the_question_speaks_of_one(ana: User, browser: Browser, people: People) -> None:
    people.a_token(ana, "laptop")

    asked = browser.page(ALL)

    assert asked.h1 == "Remove your token?"
    assert "Every program that uses this token is refused from now on, and it cannot be brought back:" in asked.text


def test_whoever_has_no_token_is_asked_nothing(ana: User, browser: Browser) -> None:
    page = browser.page(ALL)

    assert page.h1 == "No token to remove"
    assert page.root.find(".//main//form") is None


def test_the_question_says_when_the_new_secret_ends(ana: User, browser: Browser, people: People) -> None:
    endless, _ = people.a_token(ana, "endless")
    year, _ = people.a_token(ana, "year", expires_at=ana.registered_at + timedelta(days=365))

    never = browser.page(f"/manage/account/token/{endless.id}/rotate/")
    anew = browser.page(f"/manage/account/token/{year.id}/rotate/")

    assert "The new secret does not end by itself." in never.text
    assert "The new secret ends on 22 Nov 2027." in anew.text


def test_of_a_token_that_has_ended_the_question_says_so(
    ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    ended, _ = people.a_token(ana, "ended", expires_at=clock.now() + timedelta(days=1))
    works, _ = people.a_token(ana, "works", expires_at=clock.now() + timedelta(days=2))
    clock.advance(timedelta(days=1))
    browser.sign_in(ana)

    pages = [browser.page(f"{TOKENS}{token.id}/rotate/").text for token in (ended, works)]

    assert ["The one before has ended, and stays so." in text for text in pages] == [True, False]


def test_new_secrets_count_as_new_tokens_do(ana: User, browser: Browser, people: People, clock: SettableClock) -> None:
    token, _ = people.a_token(ana, "laptop")
    path, hour = f"{TOKENS}{token.id}/rotate/", timedelta(hours=1)
    most = throttle.NEW_TOKENS.limits[0].most
    for _ in range(most - 1):
        throttle.take(db.session(), (throttle.NEW_TOKENS, str(ana.id)), now=clock.now())
    db.session.commit()

    last = browser.submit(path, overlap="24")
    refused = browser.submit(path, overlap="24", status=429)

    assert last.h1 == "Copy the new secret now"
    assert "Too many new API tokens." in refused.text
    clock.advance(hour)
    browser.sign_in(ana)
    assert browser.submit(path, overlap="24").h1 == "Copy the new secret now"


def test_a_limit_of_the_index_is_said_before_it_holds(make_app: MakeApp, clock: SettableClock) -> None:
    app = make_app(max_token_days=30)
    with app.app_context():
        people = People(app, clock)
        ana = people.a_member("ana")
        token_id = people.a_token(ana, "endless")[0].id

        page = Browser(app).sign_in(ana).page(f"/manage/account/token/{token_id}/rotate/")

        assert "The new secret ends on 22 Dec 2026." in page.text
        db.session.remove()
        db.engine.dispose()


def test_what_is_kept_while_one_confirms_is_kept_whole(
    ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    networks = "\n".join(f"198.51.{number}.128/25" for number in range(100, 120))
    clock.advance(timedelta(minutes=16))

    browser.submit(TOKENS, description="x" * 2_001, reach="user", grants="upload", networks=networks)
    page = browser.submit("/account/reauthenticate/", password=PASSWORD, totp_value=code_of(ana, clock))

    assert (page.value("networks") or "").split() == networks.split()
    assert not page.value("description")


def test_what_is_kept_comes_back_in_an_address_that_the_server_takes(
    ana: User, browser: Browser, clock: SettableClock
) -> None:
    networks, names = "198.51.100.128/25", "ж" * 2_000
    clock.advance(timedelta(minutes=16))

    browser.post(TOKENS, description="ci", reach="user", grants="upload", networks=networks, names=names)
    answer = browser.post("/account/reauthenticate/", method="totp", password=PASSWORD, totp_value=code_of(ana, clock))

    address = answer.headers["Location"]
    assert len(f"GET {address} HTTP/1.1") < LONGEST_LINE
    assert browser.page(address).value("networks") == networks
