"""What happened to a project: told to those who look after it, page by page, looked through and as a file."""

import csv
import io
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain import history, journal
from domain.history import PAGE, WORDS, Kind, ProjectPart
from domain.policy.principals import Origin
from models import Event, Project, User, db
from tests.browsing import Browser, Page
from tests.builders import People
from tests.permits import ORIGIN
from tests.web.test_history_page import FACTS, told

HISTORY, FILE = "/manage/project/tide-tables/history/", "/manage/project/tide-tables/history.csv"
ELSEWHERE = Origin("198.51.100.9", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1")
OF_SEVERAL = [tag for tag in WORDS if tag.startswith(("project:", "organization:", "account:token:"))]


@pytest.fixture
def ana(browser: Browser, people: People) -> User:
    """Somebody with everything, signed in."""
    user = people.a_member("ana")
    browser.sign_in(user)
    return user


@pytest.fixture
def bo(people: People) -> User:
    """Whoever looks after the project together with her."""
    return people.a_member("bo")


@pytest.fixture
def tide(people: People, ana: User, bo: User) -> Project:
    """A project of both."""
    return people.a_project("tide-tables", ana, maintainers=(bo,))


def note(
    project: Project,
    tag: str,
    clock: SettableClock,
    details: dict[str, object] | None = None,
    *,
    by: User | None = None,
    about: User | None = None,
    origin: Origin = ORIGIN,
) -> None:
    """An event of a project, a second later than the one before."""
    clock.advance(timedelta(seconds=1))
    journal.record(
        db.session(),
        tag,
        now=clock.now(),
        origin=origin,
        actor_id=by.id if by else None,
        user_id=about.id if about else None,
        project_id=project.id,
        details=details,
    )
    db.session.commit()


def cells(page: Page) -> list[list[str]]:
    """The rows of the table, each with the words of its cells."""
    body = page.root.find(".//table/tbody")
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in (body if body is not None else ())]


def rows_of(browser: Browser, address: str) -> list[dict[str, str]]:
    """A file, read back."""
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_it_says_what_was_done_by_whom_about_whom_and_when(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, bo: User
) -> None:
    details: dict[str, object] = {"project": "tide-tables", "role": "owner"}
    note(tide, "project:file:added", clock, {"filename": "tide.whl"}, by=ana)
    note(tide, "project:collaborator:removed", clock, details, by=ana, about=bo)
    note(tide, "project:collaborator:added", clock, details, by=bo, about=bo)
    note(tide, "project:release:added", clock, {"version": "2.0"})

    page = browser.page(HISTORY)

    assert page.h1 == "History of tide-tables"
    own = "anaFirefox on Linux, 203.0.113.7"  # the browser on a line of its own
    assert [row[:3] for row in cells(page)] == [
        ["Release 2.0 published", "–", "nobody known"],
        ["Became owner of tide-tables", "–", "bo"],
        ["No longer owner of tide-tables", "bo", own],
        ["File tide.whl uploaded", "–", own],
    ]
    assert cells(page)[0][3] == "22 Nov 2026, 14:05 UTC"


@pytest.mark.parametrize("tag", OF_SEVERAL)
def test_each_event_of_several_people_reads_right_beside_their_names(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, bo: User, tag: str
) -> None:
    note(tide, tag, clock, FACTS, by=bo, about=ana)

    [[words, about, by, _]] = cells(browser.page(HISTORY))

    assert (about, by) == ("ana", "bo")
    assert words != tag
    assert re.search(r"\b(you|your|yours|we|our|us|they|their)\b", words, re.IGNORECASE) is None
    assert not {"…", "{"} & set(words)


def test_where_others_were_is_told_to_nobody(browser: Browser, clock: SettableClock, tide: Project, bo: User) -> None:
    note(tide, "project:file:added", clock, {"filename": "tide.whl"}, by=bo, origin=ELSEWHERE)
    note(tide, "project:file:added", clock, {"filename": "tide.zip"}, origin=ELSEWHERE)

    html, text = browser.page(HISTORY).html, browser.get(FILE).text

    for shown in (html, text):
        assert "tide.whl" in shown
        assert "198.51.100.9" not in shown
        assert "iPhone" not in shown


def test_an_address_that_was_invited_is_told_to_owners_and_to_whoever_invited_it(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, bo: User
) -> None:
    for by, guest in ((ana, "dee@mail.example"), (bo, "eve@mail.example"), (ana, "fay")):
        facts: dict[str, object] = {"project": "tide-tables", "role": "maintainer", "guest": guest}
        note(tide, "project:invitation:sent", clock, facts, by=by)

    hers = [row[0] for row in cells(browser.page(HISTORY))]
    browser.sign_in(bo)
    his, in_file = [row[0] for row in cells(browser.page(HISTORY))], [row["words"] for row in rows_of(browser, FILE)]

    assert [words.split()[2] for words in hers] == ["fay", "eve@mail.example", "dee@mail.example"]
    assert his == in_file
    assert [words[: words.index(" to ")] for words in his] == [
        "Invitation of fay",
        "Invitation of eve@mail.example",
        "Invitation of an address",
    ]


def test_nothing_of_other_projects_stands_there(
    browser: Browser, clock: SettableClock, people: People, tide: Project, ana: User
) -> None:
    note(people.a_project("lantern", ana), "project:file:added", clock, {"filename": "lantern.whl"}, by=ana)
    note(tide, "gate:upload_file:denied", clock, by=ana)

    page = browser.page(HISTORY)

    assert cells(page) == []
    assert "Nothing yet" in page.text
    assert rows_of(browser, FILE) == []


def test_it_is_for_those_who_look_after_the_project(
    app: Flask, browser: Browser, people: People, tide: Project, bo: User
) -> None:
    stranger, maintainer = Browser(app).sign_in(people.a_member("cleo")), Browser(app).sign_in(bo)

    for address in (HISTORY, FILE):
        assert stranger.get(address).status_code == 403, address
        assert maintainer.get(address).status_code == 200, address
        assert browser.get(address.replace("tide-tables", "no-such")).status_code == 404, address
    assert HISTORY in maintainer.page("/manage/project/tide-tables/releases/").links()


# --- looking through it -----------------------------------------------------------------------------------------------


def test_one_can_look_for_a_part_a_person_and_days(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, bo: User
) -> None:
    for day in (22, 23, 24):
        for number, (by, tag) in enumerate([(ana, "project:release:added"), (bo, "project:invitation:sent")]):
            clock.set(clock.now().replace(day=day, hour=23 * number, minute=59 * number, second=59 * number))
            clock.advance(timedelta(seconds=-1))  # `note` goes on by one
            note(
                tide,
                tag,
                clock,
                {"version": f"{day}", "project": f"the {day}th", "role": "owner", "guest": "bo"},
                by=by,
            )
    browser.sign_in(ana)  # the former session is over
    releases = [f"Release {day} published" for day in (24, 23, 22)]
    invitations = [f"Invitation of bo to the {day}th as owner" for day in (24, 23, 22)]

    for query, expected in {
        "show=releases": releases,
        "show=people": invitations,
        "by=ANA": releases,
        "by=bo&show=releases": [],
        "from=2026-11-24": [invitations[0], releases[0]],
        "to=2026-11-22": [invitations[2], releases[2]],
        "from=2026-11-23&to=2026-11-23": [invitations[1], releases[1]],
        "from=2026-11-23&by=bo": invitations[:2],
        "from=2026-11-25": [],
    }.items():
        assert told(browser.page(f"{HISTORY}?{query}")) == expected, query
        assert [row["words"] for row in rows_of(browser, f"{FILE}?{query}")] == expected, query


def test_what_is_looked_for_stays_in_the_form_and_on_the_next_page(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, bo: User
) -> None:
    for number in range(PAGE + 1):
        note(tide, "project:file:added", clock, {"filename": f"{number}"}, by=ana)
        note(tide, "project:file:added", clock, {"filename": "another"}, by=bo)
    query = "show=releases&by=ana&from=2026-11-01&to=2026-11-30"

    page = browser.page(f"{HISTORY}?{query}")

    assert [page.value(name) for name in ("by", "from", "to")] == ["ana", "2026-11-01", "2026-11-30"]
    chosen = page.root.find(".//select[@name='show']/option[@selected]")
    assert chosen is not None
    assert chosen.get("value") == "releases"
    older = [link.get("href", "") for link in page.root.iter("a") if link.get("rel") == "next"]
    assert told(browser.page(older[0])) == ["File 0 uploaded"]
    assert f"{FILE}?{query}" in page.links()


def test_nothing_that_fits_leads_back_to_everything(
    browser: Browser, clock: SettableClock, tide: Project, ana: User
) -> None:
    note(tide, "project:file:added", clock, {"filename": "tide.whl"}, by=ana)

    page = browser.page(f"{HISTORY}?show=people")

    assert "Nothing that fits is written down" in page.text
    assert HISTORY in page.links()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("by=nobody-here", "There is nobody of that name on this index."),
        ("by=%00", "Leave out line breaks and control characters."),
        ("by=%D0%B0na", "There is nobody of that name"),
        ("by=ana&by=bo", "This came more than once."),
        ("by=" + "x" * 5000, "There is nobody of that name"),
        ("from=yesterday", "Write the day as 2026-11-22."),
        ("from=2026-02-30", "Write the day as 2026-11-22."),
        ("to=0000-00-00", "Write the day as 2026-11-22."),
        ("to=99999-01-01", "Write the day as 2026-11-22."),
        ("from=2026-11-23&to=2026-11-22", "This day is before the first one."),
    ],
)
def test_what_cannot_be_looked_for_is_said_at_its_field_and_shows_nothing(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, query: str, words: str
) -> None:
    note(tide, "project:file:added", clock, {"filename": "tide.whl"}, by=ana)

    page = browser.page(f"{HISTORY}?{query}", status=422)

    assert words in page.text
    assert cells(page) == []
    assert browser.get(f"{FILE}?{query}").headers["Location"].startswith(f"{HISTORY}?")


@pytest.mark.parametrize(
    "query", ["show=nonsense", "show=%00", "before=x", "before=%C2%B2", "from=0001-01-01", "to=9999-12-31", "by=+ana+"]
)
def test_whatever_else_stands_in_the_address_is_no_error(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, query: str
) -> None:
    note(tide, "project:file:added", clock, {"filename": "tide.whl"}, by=ana)

    assert told(browser.page(f"{HISTORY}?{query}")) == ["File tide.whl uploaded"]
    assert len(rows_of(browser, f"{FILE}?{query}")) == 1


def test_every_part_finds_something() -> None:
    for part in ProjectPart:
        if part is not ProjectPart.PUBLISHERS:  # nobody writes these yet
            assert [tag for tag in WORDS if tag.startswith(part.tags)], part
    assert history.PARTS[Kind.PROJECT] is ProjectPart


# --- as a file --------------------------------------------------------------------------------------------------------


def test_the_file_has_what_the_page_has(
    browser: Browser, clock: SettableClock, tide: Project, ana: User, bo: User
) -> None:
    note(
        tide,
        "project:invitation:sent",
        clock,
        {"project": "tide-tables", "role": "owner", "guest": "bo"},
        by=ana,
        about=bo,
    )
    note(tide, "project:file:added", clock, {"filename": "tide.whl"}, by=bo, origin=ELSEWHERE)

    answer = browser.get(FILE)

    assert answer.headers["Content-Disposition"] == 'attachment; filename="tide-tables-history.csv"'
    assert rows_of(browser, FILE) == [
        {
            "time": "2026-11-22T14:05:12Z",
            "event": "project:file:added",
            "words": "File tide.whl uploaded",
            "by": "bo",
            "about": "",
            "address": "",
            "browser": "",
        },
        {
            "time": "2026-11-22T14:05:11Z",
            "event": "project:invitation:sent",
            "words": "Invitation of bo to tide-tables as owner",
            "by": "ana",
            "about": "bo",
            "address": "203.0.113.7",
            "browser": ORIGIN.user_agent,
        },
    ]


def test_a_program_that_calls_itself_a_formula_is_a_word_in_the_file(
    browser: Browser, clock: SettableClock, tide: Project, ana: User
) -> None:
    called = '=HYPERLINK("https://evil.example","a ""file""")'
    note(tide, "project:file:added", clock, {"filename": "tide.whl"}, by=ana, origin=Origin("203.0.113.7", called))

    [row] = rows_of(browser, FILE)

    assert row["browser"] == f"'{called}"


def test_a_page_of_ten_thousand_events_costs_as_many_statements_as_one_of_ten(
    app: Flask, browser: Browser, clock: SettableClock, tide: Project, ana: User, bo: User
) -> None:
    for number in range(10):
        note(tide, "project:file:added", clock, {"filename": f"{number}"}, by=bo, about=ana)
    browser.page(HISTORY)  # notes that the session was seen in this minute
    few = statements_of(app, browser, HISTORY)
    row = {
        "at": clock.now(),
        "tag": "project:file:added",
        "actor_id": bo.id,
        "user_id": ana.id,
        "project_id": tide.id,
        "organization_id": None,
        "address": "203.0.113.7",
        "user_agent": "twine/6.2.0",
        "details": {"filename": "tide.whl"},
    }
    db.session.execute(sa.insert(Event), [row] * 10_000)
    db.session.commit()

    many = statements_of(app, browser, f"{HISTORY}?from=2026-01-01&show=releases")

    assert many == few
    assert len(many) < 20


def statements_of(app: Flask, browser: Browser, address: str) -> list[str]:
    """The statements that a page takes, without what they look for."""
    seen: list[str] = []

    def note_one(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement.split()[0] + statement.partition("FROM")[2].split("WHERE")[0])

    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", note_one)
        assert browser.get(address).status_code == 200
        sa.event.remove(db.engine, "before_cursor_execute", note_one)
    return seen
