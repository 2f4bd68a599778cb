"""API tokens on their page: made, shown once, listed, removed; and what was typed survives every refusal."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity import tokens
from domain.index import projects
from domain.policy.principals import Grant, Origin, TokenHolder
from models import ApiToken, Base, User, db
from tests.browsing import Browser, Page
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.crowds import many_projects
from tests.requirements import requirement

TOKENS = "/manage/account/token/"
FORM = {
    "description": "ci",
    "grants": "upload",
    "reach": "projects",
    "scope": "project:acme-utils",
    "expires": "30",
}


@pytest.fixture
def ana(people: People, browser: Browser) -> User:
    """Somebody with two projects, signed in."""
    user = people.a_member("ana")
    people.a_project("acme-utils", user)
    people.a_project("tide-tables", user)
    browser.sign_in(user)
    return user


def shown_in(page: Page) -> str:
    """The token on the page that shows it."""
    found = re.search(r"csn_[\w-]{49}", page.text)
    assert found is not None
    return found[0]


def holder_of(text: str) -> TokenHolder:
    holder = tokens.find(db.session(), text, origin=Origin())
    assert holder is not None
    return holder


def checked(page: Page) -> list[str]:
    """The values of all radio buttons, ticks and options that are chosen in the form."""
    form = page.root.find(".//main//form[@method='post']")
    assert form is not None
    boxes = [box.get("value", "") for box in form.iter("input") if box.get("checked") is not None]
    return boxes + [option.get("value", "") for option in form.iter("option") if option.get("selected") is not None]


@requirement("R80")
def test_a_token_is_shown_in_the_answer_and_never_again(ana: User, browser: Browser, clock: SettableClock) -> None:
    page = browser.submit(TOKENS, FORM)

    text = shown_in(page)
    holder = holder_of(text)
    assert page.h1 == "Copy your token now"
    assert "no-store" in page.response.headers["Cache-Control"]
    assert "upload · acme-utils · until 22 Dec 2026" in page.text
    assert "uv publish --publish-url http://localhost:8000/legacy/" in page.text
    assert "twine upload --repository-url http://localhost:8000/legacy/ dist/*" in page.text
    assert (holder.account.username, holder.reaches_all, len(holder.project_ids)) == ("ana", False, 1)
    assert holder.expires_at == clock.now() + timedelta(days=30)
    listed = browser.page(TOKENS).text
    assert text not in listed
    assert f"csn_…{text[43:47]}" in listed


def test_a_reload_makes_no_second_token(ana: User, browser: Browser) -> None:
    browser.submit(TOKENS, FORM)

    page = browser.submit(TOKENS, FORM, status=422)

    assert "already in use" in page.text
    assert page.title.startswith("Error: ")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 1


@pytest.mark.parametrize(
    ("fields", "reaches"),
    [
        ({"scope": "user"}, None),
        ({"reach": "projects", "scope": "project:acme-utils", "names": "Tide.Tables"}, {"acme-utils", "tide-tables"}),
        ({"reach": "projects", "names": "tide-tables, acme-utils"}, {"acme-utils", "tide-tables"}),
        ({"scope": "project:acme-utils"}, {"acme-utils"}),
        ({"scope": ["project:acme-utils", "project:Tide_Tables"]}, {"acme-utils", "tide-tables"}),
        ({"reach": "user"}, None),
        ({"reach": "user", "scope": "project:acme-utils"}, None),  # the ticks stay when the button above is changed
        ({"reach": "projects", "scope": "project:tide-tables"}, {"tide-tables"}),
    ],
)
def test_the_reach_is_what_was_chosen_on_the_page_or_sent_by_a_program(
    ana: User, browser: Browser, fields: dict[str, object], reaches: set[str] | None
) -> None:
    browser.submit(TOKENS, {"description": "ci", "grants": "upload", "expires": "never", **fields})

    token = db.session.scalars(sa.select(ApiToken)).one()
    assert token.reaches_all is (reaches is None)
    assert {project.normalized_name for project in token.projects} == (reaches or set())
    assert token.expires_at is None


@requirement("R80")
def test_ninety_days_are_the_end_unless_another_is_chosen(ana: User, browser: Browser, clock: SettableClock) -> None:
    assert "90" in checked(browser.page(TOKENS))

    browser.submit(TOKENS, description="ci", scope="user")

    assert db.session.scalars(sa.select(ApiToken)).one().expires_at == clock.now() + timedelta(days=90)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"description": ""}, "Give the token a name."),
        ({"description": "x" * 101}, "Use at most 100 characters."),
        ({"description": "ci\u200f"}, "invisible"),
        ({"scope": []}, "Choose at least one project, or all that you have a role in."),
        ({"scope": "project:buoy"}, "Choose among the projects that you have a role in."),
        ({"scope": "project:nowhere"}, "Choose among the projects that you have a role in."),
        ({"reach": "", "scope": ["user", "project:acme-utils"]}, "Choose in which projects it may do that."),
        ({"reach": "admin"}, "Choose in which projects it may do that."),
        ({"grants": []}, "Choose at least one thing that it may do."),
        ({"grants": ["upload", "delete"]}, "Choose among these."),
        ({"reach": "new", "grants": "yank"}, "A project is created by an upload."),
        ({"names": "buoy"}, "Choose among the projects that you have a role in. buoy is none of them."),
        ({"names": " ".join(f"p{number}" for number in range(101))}, "Name at most 100 projects."),
        ({"networks": "192.0.2.7/24"}, "Write 192.0.2.0/24 for the whole network, or 192.0.2.7 for it alone."),
        ({"networks": "example.org"}, "“example.org” is no network."),
        ({"expires": "36500"}, "Choose one of these times."),
        ({"expires": "-1"}, "Choose one of these times."),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(
    ana: User, browser: Browser, people: People, change: dict[str, object], words: str
) -> None:
    people.a_project("buoy", people.a_member("bo"))
    fields = {**FORM, **change}

    page = browser.submit(TOKENS, fields, status=422)

    assert words in page.text
    assert page.value("description") == fields["description"]
    if "scope" not in change and "reach" not in change:
        assert {"projects", "project:acme-utils"} <= set(checked(page))
    if "expires" not in change:
        assert "30" in checked(page)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 0


@pytest.mark.parametrize(
    ("fields", "creates", "grants", "networks"),
    [
        ({"scope": "new-project"}, True, ["upload"], []),
        ({"reach": "new", "grants": ["upload", "yank"]}, True, ["upload", "yank"], []),
        ({"scope": "user", "grants": "yank"}, False, ["yank"], []),
        (
            {"scope": "user", "networks": "192.0.2.7 ::1"},
            False,
            ["upload"],
            ["192.0.2.7/32", "::1/128"],
        ),
    ],
)
def test_grants_networks_and_one_new_project_are_as_they_were_sent(
    ana: User, browser: Browser, fields: dict[str, object], creates: bool, grants: list[str], networks: list[str]
) -> None:
    browser.submit(TOKENS, {"description": "ci", "expires": "30", **fields})

    token = db.session.scalars(sa.select(ApiToken)).one()
    assert (token.creates_project, token.grants, token.networks) == (creates, grants, networks)
    assert token.projects == []


@pytest.mark.parametrize(
    ("longest", "offered", "chosen"),
    [
        (None, ["7", "30", "90", "365", "never"], "90"),
        (365, ["7", "30", "90", "365"], "90"),
        (60, ["7", "30", "60"], "60"),
        (1, ["1"], "1"),
    ],
)
def test_an_end_beyond_the_longest_is_neither_offered_nor_taken(
    make_app: MakeApp, clock: SettableClock, longest: int | None, offered: list[str], chosen: str
) -> None:
    app = make_app(max_token_days=longest)
    with app.app_context():
        Base.metadata.create_all(db.engine)
        browser = Browser(app).sign_in(People(app, clock).a_member("ana"))

        page = browser.page(TOKENS)
        options = [option.get("value") for option in page.root.iter("option") if option.get("value") is not None]
        refused = [value for value in ("7", "30", "60", "90", "365", "never") if value not in offered]
        for value in refused:
            assert "Choose one of these times." in browser.submit(TOKENS, FORM | {"expires": value}, status=422).text
        browser.submit(TOKENS, {"description": "ci", "scope": "user"})

        token = db.session.scalars(sa.select(ApiToken)).one()
        assert options == offered
        assert chosen in checked(page)
        assert token.expires_at == clock.now() + timedelta(days=int(chosen))


def test_of_very_many_projects_the_newest_are_ticked_and_the_others_typed(
    ana: User, browser: Browser, clock: SettableClock
) -> None:
    many_projects(1_000, owner=ana, now=clock.now())

    page = browser.page(TOKENS)
    browser.submit(TOKENS, FORM | {"scope": "project:crowd-0999", "names": "crowd-0001, crowd-0002"})

    ticks = [box.get("value") for box in page.root.iter("input") if box.get("name") == "scope"]
    assert ticks == [f"project:crowd-{number:04}" for number in range(999, 979, -1)]
    assert page.value("names") == ""
    token = db.session.scalars(sa.select(ApiToken)).one()
    assert [project.name for project in token.projects] == ["crowd-0001", "crowd-0002", "crowd-0999"]


def test_after_confirming_nothing_that_was_typed_is_lost(ana: User, browser: Browser, clock: SettableClock) -> None:
    many_projects(30, owner=ana, now=clock.now())
    clock.advance(timedelta(minutes=16))
    ticked = [f"project:crowd-{number:04}" for number in range(29, 9, -1)]
    fields = {"networks": "192.0.2.0/24\r\n2001:db8::/32", "names": "tide-tables", "grants": ["upload", "yank"]}

    browser.submit(TOKENS, {**FORM, **fields, "scope": ticked})
    page = browser.submit("/account/reauthenticate/", method="totp", password=PASSWORD, totp_value=code_of(ana, clock))

    assert checked(page) == ["upload", "yank", "projects", *ticked, "30"]
    assert page.value("names") == "tide-tables"
    networks = page.root.find(".//textarea[@name='networks']")
    assert networks is not None
    assert (networks.text or "").split() == ["192.0.2.0/24", "2001:db8::/32"]


def test_the_twenty_sixth_token_is_refused_in_words(ana: User, browser: Browser, people: People) -> None:
    for number in range(25):
        people.a_token(ana, f"ci {number}")

    page = browser.submit(TOKENS, FORM, status=422)

    assert "You have 25 tokens, and that is the limit." in page.text
    assert "25 of 25" in page.text


def test_after_confirming_the_form_opens_again_as_it_was(ana: User, browser: Browser, clock: SettableClock) -> None:
    clock.advance(timedelta(minutes=16))
    fields = {**FORM, "scope": ["project:acme-utils", "project:tide-tables"]}

    asked = browser.submit(TOKENS, fields)
    page = browser.submit("/account/reauthenticate/", method="totp", password=PASSWORD, totp_value=code_of(ana, clock))

    assert asked.response.request.path == "/account/reauthenticate/"
    assert page.response.request.path == TOKENS
    assert "We kept what you typed. Check it and press Create token." in page.text
    assert page.value("description") == "ci"
    assert checked(page) == ["upload", "projects", "project:acme-utils", "project:tide-tables", "30"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 0


def test_who_has_no_project_is_offered_a_new_one_first(people: People, browser: Browser) -> None:
    browser.sign_in(people.a_member("newt"))

    page = browser.page(TOKENS)

    assert checked(page) == ["upload", "new", "90"]
    assert "/manage/projects/create/" in page.links()
    assert "No token yet" in page.text
    assert "A token lets uv, twine or a build server upload in your name" in page.text


@requirement("R80")
def test_the_list_says_what_each_token_reaches_when_it_was_used_and_when_it_ends(
    ana: User, browser: Browser, people: People, clock: SettableClock
) -> None:
    now = clock.now()
    gone = people.a_project("gone", ana)
    people.a_token(ana, "all of it")
    people.a_token(ana, "of nothing", projects=(gone,))
    token, text = people.a_token(ana, "used", expires_at=now + timedelta(days=30))
    acme = projects.find(db.session(), "acme-utils")
    assert acme is not None
    tokens.record_use(db.session(), holder_of(text), project_id=acme.id, now=now)
    people.a_token(
        ana, "near", projects=(), creates_project=True, grants=(Grant.UPLOAD, Grant.YANK), networks=("192.0.2.0/24",)
    )
    db.session.execute(
        sa.update(ApiToken).where(ApiToken.id == token.id).values(last_used_with="uv", last_used_from="198.51.100.24")
    )
    db.session.delete(gone)
    db.session.commit()

    rows = {row[0]: row for row in rows_of(browser.page(TOKENS))}

    assert rows["all of it"][2:] == [
        "Upload",
        "Everything",
        "Never",
        "Never",
        "New secret for all of it Remove all of it",
    ]
    assert rows["of nothing"][3] == "Nothing any more"
    assert rows["used"][3:6] == ["Everything", "22 Nov 2026 uv, 198.51.100.24 for acme-utils", "22 Dec 2026"]
    assert rows["near"][2:4] == ["Upload, yank", "One new project from 192.0.2.0/24"]


@pytest.mark.parametrize(
    ("left", "stamp"),
    [
        (timedelta(days=7, seconds=1), "29 Nov 2026"),
        (timedelta(days=7), "29 Nov 2026 7 days"),
        (timedelta(days=1), "23 Nov 2026 1 day"),
        (timedelta(hours=1), "22 Nov 2026 1 day"),
        (timedelta(0), "22 Nov 2026 Ended"),
        (timedelta(days=-3), "19 Nov 2026 Ended"),
    ],
)
def test_a_token_about_to_end_has_a_stamp(
    ana: User, browser: Browser, people: People, clock: SettableClock, left: timedelta, stamp: str
) -> None:
    people.a_token(ana, "ci", expires_at=clock.now() + left)

    assert rows_of(browser.page(TOKENS))[0][5] == stamp


def rows_of(page: Page) -> list[list[str]]:
    """The table's rows: name, hint, then the cells' words."""
    found = []
    for row in page.root.iter("tr"):
        cells = [" ".join(" ".join(cell.itertext()).split()) for cell in row if cell.tag in ("td", "th")]
        if row.find("td") is not None:
            name, _, hint = cells[0].rpartition(" ")
            found.append([name, hint, *cells[1:]])
    return found


@requirement("R80")
def test_the_page_leads_to_what_needs_no_token(ana: User, browser: Browser) -> None:
    page = browser.page("/manage/account/token/")

    assert "CI can upload without a stored token" in page.text
    assert page.links().count("/manage/account/publishing/") == 2  # the other one is at the side


def test_a_token_is_removed_after_a_question(ana: User, browser: Browser, people: People) -> None:
    token, text = people.a_token(ana, "ci")
    path = f"{TOKENS}{token.id}/remove/"

    asked = browser.page(path)
    done = browser.submit(path)

    assert asked.h1 == "Remove “ci”?"
    assert "It was never used." in asked.text
    assert "“ci” was removed." in done.text
    assert done.response.request.path == TOKENS
    assert tokens.find(db.session(), text, origin=Origin()) is None


def test_removing_again_finds_nothing(ana: User, browser: Browser, people: People) -> None:
    path = f"{TOKENS}{people.a_token(ana, 'ci')[0].id}/remove/"
    browser.submit(path)

    browser.submit(path, status=404)


@requirement("R82")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_persons_token_does_not_exist(ana: User, browser: Browser, people: People, method: str) -> None:
    token, text = people.a_token(people.a_member("bo"), "ci")
    path = f"{TOKENS}{token.id}/remove/"

    answer = browser.get(path) if method == "GET" else browser.post(path)

    assert answer.status_code == 404
    assert "ci" not in re.sub(r"<[^>]+>", "", answer.text).split()
    assert tokens.find(db.session(), text, origin=Origin()) is not None


@pytest.mark.parametrize("token_id", ["0", "999", "2147483648", "9" * 30, "-1", "x", "1.0"])
def test_a_token_that_never_was_does_not_exist(ana: User, browser: Browser, token_id: str) -> None:
    browser.page(f"{TOKENS}{token_id}/remove/", status=404)


def test_a_program_is_refused_in_json(app: Flask, people: People) -> None:
    newt = Browser(app).sign_in(people.a_user("newt").verified().build())

    answer = newt.get(TOKENS, headers={"Accept": "application/json"})

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "two_factor_required"
