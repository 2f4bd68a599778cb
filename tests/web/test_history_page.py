"""What happened to one's account: all of it, part by part, page by page, and nothing of anybody else."""

from datetime import timedelta
from string import Formatter

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain import history, journal
from domain.history import PAGE, WORDS, Part
from domain.policy.principals import Origin
from models import Event, User, db
from tests.browsing import Browser, Page
from tests.builders import People
from tests.permits import ORIGIN
from tests.requirements import requirement

HISTORY = "/manage/account/history/"
OF_NO_ACCOUNT = {"operator:blobs:swept", "operator:keys:rotated"}
# A fact that is not named here is told by its own name.
FACTS: dict[str, object] = {
    **{fact: fact for words in WORDS.values() for _, fact, _, _ in Formatter().parse(words) if fact},
    "method": "passkey",
    "reason": "wrong password",
    "address": "198.51.100.9",
    "until": "2026-12-22",
    "label": "Blue key",
    "was": "Key",
    "kind": "security key",
    "left": 3,
    "sent": "a link",
    "token": "ci",
    "name": "tide-tables",
    "project": "tide-tables",
    "version": "1.0",
    "filename": "tide_tables-1.0-py3-none-any.whl",
    "role": "owner",
    "key": "a1b2c3",
}


@pytest.fixture
def ana(browser: Browser, people: People) -> User:
    """Somebody with everything, signed in."""
    user = people.a_member("ana")
    browser.sign_in(user)
    return user


def note(
    user: User,
    tag: str,
    clock: SettableClock,
    details: dict[str, object] | None = None,
    *,
    by: User | None = None,
    origin: Origin = ORIGIN,
) -> None:
    """An event of an account; by: who did it, unless it was its owner."""
    actor_id = by.id if by is not None else user.id
    clock.advance(timedelta(seconds=1))
    now = clock.now()
    journal.record(db.session(), tag, now=now, origin=origin, actor_id=actor_id, user_id=user.id, details=details)
    db.session.commit()


def told(page: Page) -> list[str]:
    """What the page says that happened, from the top."""
    tables = [table for table in page.root.iter("table") if "What" in [head.text for head in table.iter("th")]]
    rows = [row for table in tables for row in table.iter("tr") if row.find("th[@scope='row']") is not None]
    return [" ".join("".join(row[0].itertext()).split()) for row in rows]


@requirement("R100")
def test_everything_stands_there_with_time_browser_and_address_newest_first(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    note(ana, "account:totp:added", clock, {"label": "My phone"})
    note(ana, "account:token:added", clock, {"token": "ci"})

    page = browser.page(HISTORY)

    assert page.h1 == "What happened to your account"
    assert told(page) == ["API token “ci” created", "Authenticator app “My phone” added"]
    for words in ("22 Nov 2026, 14:05 UTC", "Firefox on Linux", "203.0.113.7"):
        assert words in page.text


@pytest.mark.parametrize("part", list(Part))
def test_a_part_shows_its_own_kind_of_event_only(browser: Browser, clock: SettableClock, ana: User, part: Part) -> None:
    for tag in WORDS:
        note(ana, tag, clock, FACTS)

    page = browser.page(f"{HISTORY}?show={part.word}")

    its_own = [tag for tag in WORDS if tag.startswith(part.tags)]
    assert told(page) == [history.describe(tag, FACTS) for tag in reversed(its_own)]
    assert page.title.startswith(part.title)
    current = [link for link in page.root.iter("a") if link.get("aria-current") and "show" in link.get("href", "")]
    assert ["".join(link.itertext()).strip() for link in current] == [part.title]


def test_every_event_that_has_words_belongs_to_one_part() -> None:
    parts = {tag: [part for part in Part if tag.startswith(part.tags)] for tag in WORDS.keys() - OF_NO_ACCOUNT}

    assert {tag for tag, found in parts.items() if len(found) != 1} == set()


@pytest.mark.parametrize("tag", list(WORDS))
def test_each_is_said_in_words_with_its_facts(browser: Browser, clock: SettableClock, ana: User, tag: str) -> None:
    note(ana, tag, clock, FACTS)

    [words] = told(browser.page(HISTORY))

    assert words != tag
    assert "…" not in words
    assert "{" not in words


def test_what_the_gate_refused_stands_elsewhere(browser: Browser, clock: SettableClock, ana: User) -> None:
    note(ana, "gate:create_token:denied", clock)

    assert told(browser.page(HISTORY)) == []


# --- page by page -----------------------------------------------------------------------------------------------------


def test_older_ones_are_a_link_away_and_none_is_left_out_or_shown_twice(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    for number in range(2 * PAGE + 1):
        note(ana, "account:token:added", clock, {"token": f"number {number}"})
        note(ana, "account:profile:edited", clock)
    shown: list[str] = []
    lengths = []
    address: str | None = f"{HISTORY}?show=tokens"

    while address is not None:
        page = browser.page(address)
        lengths.append(len(told(page)))
        shown += told(page)
        links = [link.get("href", "") for link in page.root.iter("a") if link.get("rel") == "next"]
        address = links[0] if links else None

    assert lengths == [PAGE, PAGE, 1]
    assert shown == [f"API token “number {number}” created" for number in reversed(range(2 * PAGE + 1))]


def test_a_page_that_is_just_full_has_no_next_one(browser: Browser, clock: SettableClock, ana: User) -> None:
    for _ in range(PAGE):
        note(ana, "account:profile:edited", clock)

    assert "Older" not in browser.page(HISTORY).text


def test_before_the_first_there_is_nothing(browser: Browser, clock: SettableClock, ana: User) -> None:
    note(ana, "account:profile:edited", clock)
    first = db.session.scalars(sa.select(Event.id)).one()

    page = browser.page(f"{HISTORY}?before={first}")

    assert told(page) == []
    assert "Nothing older" in page.text


def test_a_part_without_events_says_so(browser: Browser, ana: User) -> None:
    page = browser.page(f"{HISTORY}?show=tokens")

    assert "Nothing of this kind" in page.text
    assert "Nothing that fits is written down. All that happened" in page.text
    assert HISTORY in page.links()


@pytest.mark.parametrize(
    "query",
    [
        "show=",
        "show=everything",
        "show=%00",
        "show=account:token:",
        "show=" + "x" * 2000,
        "show=tokens&show=password",
        "before=",
        "before=-1",
        "before=1.5",
        "before=x",
        "before=%D9%A1%D9%A2",
        "before=%C2%B2",
        "before=" + "9" * 9,
        "before=" + "9" * 40,
        "before=0x10",
        "before=1;drop",
    ],
)
def test_whatever_stands_in_the_address_is_no_error(
    browser: Browser, clock: SettableClock, ana: User, query: str
) -> None:
    note(ana, "account:token:added", clock, {"token": "ci"})

    assert told(browser.page(f"{HISTORY}?{query}")) == ["API token “ci” created"]


# --- others -----------------------------------------------------------------------------------------------------------


@requirement("R100")
def test_nothing_of_others_stands_there(
    app: Flask, browser: Browser, clock: SettableClock, people: People, ana: User
) -> None:
    bo = people.a_member("bo")
    note(bo, "account:token:added", clock, {"token": "bos own"})
    note(bo, "project:invitation:sent", clock, {"project": "tide-tables", "role": "owner"}, by=ana)
    theirs = db.session.scalars(sa.select(Event.id).order_by(Event.id.desc()).limit(1)).one()

    for query in ("", f"?before={theirs + 1}", "?show=tokens", "?show=projects"):
        assert told(browser.page(f"{HISTORY}{query}")) == [], query


def test_what_another_did_is_told_without_where_they_are(
    browser: Browser, clock: SettableClock, people: People, ana: User
) -> None:
    bo = people.a_member("bo")
    phone = Origin("198.51.100.9", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1")
    note(ana, "project:collaborator:added", clock, {"project": "tide-tables", "role": "owner"}, by=bo, origin=phone)

    page = browser.page(HISTORY)

    assert told(page) == ["Became owner of tide-tables"]
    assert "Done by bo" in page.text
    assert "198.51.100.9" not in page.html
    assert "iPhone" not in page.html


def test_where_a_stranger_tried_to_sign_in_from_is_told(browser: Browser, clock: SettableClock, ana: User) -> None:
    stranger = Origin("198.51.100.9", "curl/8.5.0")
    tag, details = "account:sign_in:failed", {"reason": "wrong password"}
    journal.record(db.session(), tag, now=clock.now(), origin=stranger, actor_id=None, user_id=ana.id, details=details)
    db.session.commit()

    page = browser.page(HISTORY)

    assert told(page) == ["Somebody could not sign in: wrong password"]
    assert "198.51.100.9" in page.text
    assert "curl" in page.text


def test_what_others_call_themselves_is_text_and_nothing_more(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    note(ana, "account:totp:added", clock, {"label": "<script>alert(1)</script>"}, origin=Origin("", "<b>x</b>"))

    page = browser.page(HISTORY)

    assert told(page) == ["Authenticator app “<script>alert(1)</script>” added"]
    assert "<b>x</b>" not in page.html


def test_it_is_for_whoever_is_signed_in_with_or_without_a_second_factor(
    app: Flask, browser: Browser, people: People
) -> None:
    assert Browser(app).get(HISTORY).headers["Location"].startswith("/account/login/")

    browser.sign_in(people.a_user("newt").build())

    assert browser.page(HISTORY).status == 200


def test_the_account_page_shows_the_newest_ten_and_leads_there(
    browser: Browser, clock: SettableClock, ana: User
) -> None:
    for number in range(12):
        note(ana, "account:token:added", clock, {"token": f"number {number}"})

    page = browser.page("/manage/account/")

    assert told(page) == [f"API token “number {number}” created" for number in range(11, 1, -1)]
    assert HISTORY in page.links()
