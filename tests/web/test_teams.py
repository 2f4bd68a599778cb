"""Teams on the pages: who sees what, who may do what, and what is kept when one is stopped."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from models import Event, Organization, Project, Team, TeamMember, TeamProject, User, db
from tests.browsing import Browser, Page
from tests.builders import PASSWORD, People, code_of

TEAMS = "/manage/organization/Tide-Office/teams/"
CREW = "/manage/organization/Tide-Office/team/Crew/"


class Office:
    """An organization: ana owns it, max manages it, bo and cy are in it; it owns a project and has a team."""

    def __init__(self, people: People) -> None:
        self.ana, self.max = people.a_member("ana"), people.a_member("max")
        self.bo, self.cy = people.a_member("bo"), people.a_member("cy")
        self.organization: Organization = people.an_organization(
            "Tide-Office", self.ana, managers=(self.max,), members=(self.bo, self.cy)
        )
        self.project: Project = people.an_organizations_project("tide-tables", self.organization)
        self.team: Team = people.a_team("Crew", self.organization)

    def user(self, name: str) -> User:
        user: User = getattr(self, name)
        return user


@pytest.fixture
def office(people: People) -> Office:
    return Office(people)


def members() -> list[str]:
    return list(db.session.scalars(sa.select(User.username).join(TeamMember).order_by(User.username)))


def roles() -> list[tuple[str, str]]:
    rows = db.session.execute(sa.select(Project.name, TeamProject.role).join(TeamProject))
    return [(name, role) for name, role in rows]


def names() -> list[str]:
    return list(db.session.scalars(sa.select(Team.name).order_by(Team.name_key)))


def rows(page: Page) -> list[str]:
    """The rows of the page's tables, in words."""
    return [" ".join(" ".join(row.itertext()).split()) for row in page.root.iter("tr") if row.find("td") is not None]


def test_from_a_new_team_to_a_role_in_a_project(office: Office, browser: Browser) -> None:
    browser.sign_in(office.ana)

    made = browser.submit(f"{TEAMS}create", name="Night-Watch")
    watch = made.response.request.path
    added = browser.submit(f"{watch}members/add", username="bo")
    lent = browser.submit(f"{watch}projects/set", project="tide-tables", role="maintainer")
    listed = browser.page(TEAMS)

    assert watch == "/manage/organization/Tide-Office/team/Night-Watch/"
    assert "The team Night-Watch is made. Nobody is in it yet." in made.text
    assert "bo is in Night-Watch." in added.text
    assert "Night-Watch is now maintainer of tide-tables." in lent.text
    assert "bo 22 Nov 2026 Remove bo" in rows(lent)
    assert "tide-tables maintainer 22 Nov 2026 Take away the role in tide-tables" in rows(lent)
    assert rows(listed) == ["Crew 0 0", "Night-Watch 1 1"]


def test_taking_out_taking_away_renaming_and_deleting(office: Office, browser: Browser, people: People) -> None:
    people.a_team("Watch", office.organization, members=(office.bo,), projects=((office.project, "owner"),))
    browser.sign_in(office.ana)
    watch = CREW.replace("Crew", "Watch")

    asked = browser.page(f"{watch}delete")
    out = browser.submit(f"{watch}members/remove", username="bo")
    away = browser.submit(f"{watch}projects/remove", project="tide-tables")
    renamed = browser.submit(f"{watch}rename", name="Wake")
    gone = browser.submit(f"{watch.replace('Watch', 'Wake')}delete")

    assert "Delete the team Watch?" in asked.text
    assert "bo" in asked.text
    assert "tide-tables (owner)" in asked.text
    assert "bo is no longer in Watch." in out.text
    assert "Watch has no role in tide-tables any more." in away.text
    assert "The team Watch is now called Wake." in renamed.text
    assert renamed.response.request.path == watch.replace("Watch", "Wake")
    assert "The team Wake is deleted." in gone.text
    assert names() == ["Crew"]


def test_an_organization_without_teams_says_what_they_are_for(office: Office, browser: Browser, people: People) -> None:
    people.an_organization("empty-office", office.ana, members=(office.bo,))
    for user, words in ((office.ana, "Create the first one below."), (office.bo, "An owner or a manager can create")):
        browser.sign_in(user)

        page = browser.page("/manage/organization/empty-office/teams/")

        assert "No teams yet" in page.text
        assert words in page.text


@pytest.mark.parametrize(("who", "manages", "owns"), [("ana", True, True), ("max", True, False), ("bo", False, False)])
def test_only_what_one_may_do_is_shown(
    office: Office, browser: Browser, people: People, who: str, manages: bool, owns: bool
) -> None:
    people.a_team("Watch", office.organization, members=(office.cy,), projects=((office.project, "owner"),))
    browser.sign_in(office.user(who))

    page, listed = browser.page(CREW.replace("Crew", "Watch")), browser.page(TEAMS)

    actions = {element.get("action", "").rpartition("Watch/")[2] for element in page.root.iter("form")}
    assert ({"members/add", "members/remove", "rename"} <= actions) == manages
    assert ({"projects/set", "projects/remove"} <= actions) == owns
    assert ("members/add" in actions) == manages
    assert ("Create a team" in listed.text) == manages


MANAGERS = [
    (f"{TEAMS}create", {"name": "Watch"}),
    (f"{CREW}rename", {"name": "Watch"}),
    (f"{CREW}members/add", {"username": "bo"}),
    (f"{CREW}members/remove", {"username": "cy"}),
    (f"{CREW}delete", {}),
]
OWNERS = [
    (f"{CREW}projects/set", {"project": "tide-tables", "role": "owner"}),
    (f"{CREW}projects/remove", {"project": "buoys"}),
]


def _filled(people: People, office: Office) -> None:
    """The team with somebody in it and a role to take away."""
    buoys = people.an_organizations_project("buoys", office.organization)
    now = office.organization.created_at
    db.session.add(TeamMember(team_id=office.team.id, user_id=office.cy.id, since=now))
    db.session.add(TeamProject(team_id=office.team.id, project_id=buoys.id, role="owner", since=now))
    db.session.commit()


@pytest.mark.parametrize(
    ("who", "refused"),
    [("ana", []), ("max", OWNERS), ("bo", [*MANAGERS, *OWNERS]), ("dan", [*MANAGERS, *OWNERS])],
)
def test_managers_fill_teams_and_owners_give_them_roles(
    office: Office, people: People, app: Flask, who: str, refused: list[tuple[str, dict[str, str]]]
) -> None:
    dan = people.a_member("dan")
    _filled(people, office)
    browser = Browser(app).sign_in(dan if who == "dan" else office.user(who))

    for path, fields in [call for call in [*OWNERS, *MANAGERS] if call in refused]:
        assert browser.post(path, dict(fields)).status_code == 403, path

    assert (names(), members(), roles()) == (["Crew"], ["cy"], [("buoys", "owner")])


@pytest.mark.parametrize("who", ["ana", "max"])
def test_what_managers_may_do_happens(office: Office, people: People, app: Flask, who: str) -> None:
    _filled(people, office)
    browser = Browser(app).sign_in(office.user(who))

    for path, fields in [*MANAGERS[2:4], MANAGERS[0], MANAGERS[4]]:
        assert browser.post(path, dict(fields)).status_code == 303, path

    assert names() == ["Watch"]


def test_a_manager_without_a_team_has_no_part_in_a_project(office: Office, browser: Browser) -> None:
    browser.sign_in(office.max)

    assert browser.get("/manage/project/tide-tables/releases/").status_code == 403
    assert browser.post("/manage/project/tide-tables/collaboration/invite", username="bo").status_code == 403

    browser.post(f"{CREW}members/add", username="max")
    assert browser.get("/manage/project/tide-tables/releases/").status_code == 403


@pytest.mark.parametrize("path", [TEAMS, CREW])
def test_strangers_are_stopped_and_members_look(office: Office, people: People, app: Flask, path: str) -> None:
    stranger = Browser(app).sign_in(people.a_member("dan"))

    assert stranger.get(path).status_code == 403
    assert Browser(app).sign_in(office.bo).get(path).status_code == 200
    assert Browser(app).get(path).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/manage/organization/ghost/teams/",
        "/manage/organization/ghost/team/Crew/",
        "/manage/organization/Tide-Office/team/ghost/",
        "/manage/organization/Tide-Office/team/Crew%00/",
        "/manage/organization/Tide-Office/team/%C3%A9/",
        f"/manage/organization/Tide-Office/team/{'c' * 3000}/",
    ],
)
def test_what_is_not_there_is_not_found(office: Office, browser: Browser, path: str) -> None:
    browser.sign_in(office.ana)

    assert browser.get(path).status_code == 404


def test_a_team_of_another_organization_is_not_found_here(office: Office, browser: Browser, people: People) -> None:
    people.a_team("Watch", people.an_organization("night-watch", office.ana))
    browser.sign_in(office.ana)

    assert browser.get(CREW.replace("Crew", "Watch")).status_code == 404


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        (f"{TEAMS}create", {"name": "crew"}, "has a team Crew already"),
        (f"{TEAMS}create", {"name": "two words"}, "Use letters from A to Z"),
        (f"{CREW}rename", {"name": "x" * 51}, "at most 50"),
        (f"{CREW}members/add", {"username": "dan"}, "Nobody of that name belongs to Tide-Office"),
        (f"{CREW}members/remove", {"username": "bo"}, "Nobody of that name is in Crew"),
        (f"{CREW}projects/set", {"project": "ghost", "role": "owner"}, "has no project of that name"),
        (f"{CREW}projects/set", {"project": "tide-tables", "role": "emperor"}, "Choose what the team may do"),
        (f"{CREW}projects/remove", {"project": "tide-tables"}, "has no role in tide-tables"),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(
    office: Office, browser: Browser, people: People, path: str, fields: dict[str, str], words: str
) -> None:
    people.a_member("dan")
    browser.sign_in(office.ana)

    page = browser.submit(path, dict(fields), status=422)

    assert words in page.text
    assert (names(), members(), roles()) == (["Crew"], [], [])


def test_what_was_typed_is_kept_while_one_confirms(office: Office, browser: Browser, clock: SettableClock) -> None:
    browser.sign_in(office.ana)
    clock.advance(timedelta(minutes=16))

    browser.submit(f"{CREW}members/add", username="bo")
    page = browser.submit("/account/reauthenticate/", password=PASSWORD, totp_value=code_of(office.ana, clock))

    field = page.root.find(".//*[@id='username']")
    assert field is not None
    assert field.get("value") == "bo"
    assert "We kept what you typed." in page.text
    assert members() == []


def test_lists_take_the_same_statements_however_long_they_are(
    office: Office, people: People, browser: Browser, app: Flask
) -> None:
    browser.sign_in(office.ana)
    browser.page(CREW)

    counts = []
    for size in (1, 20):
        for number in range(size):
            user = people.a_user(f"u{size}x{number}").build()
            project = people.an_organizations_project(f"p{size}x{number}", office.organization)
            people.a_team(f"T{size}x{number}", office.organization, members=(user,))
            now = office.organization.created_at
            db.session.add(TeamMember(team_id=office.team.id, user_id=user.id, since=now))
            db.session.add(TeamProject(team_id=office.team.id, project_id=project.id, role="owner", since=now))
        db.session.commit()
        counts.append([_statements(browser, path) for path in (TEAMS, CREW, f"{CREW}delete")])

    assert counts[0] == counts[1]


def _statements(browser: Browser, path: str) -> int:
    seen: list[str] = []

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    db.session.expire_all()
    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        browser.page(path)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_more_than_fifty_teams_are_on_a_second_page(office: Office, people: People, browser: Browser) -> None:
    for number in range(55):
        people.a_team(f"T{number:02}", office.organization)
    browser.sign_in(office.ana)

    first = browser.page(TEAMS)
    second = browser.page(f"{TEAMS}?after=t48")

    assert len(rows(first)) == 50
    assert "More teams" in first.text
    assert [row.split()[0] for row in rows(second)] == ["T49", "T50", "T51", "T52", "T53", "T54"]
    assert len(rows(browser.page(f"{TEAMS}?after=%00"))) == 50


def test_what_is_done_stands_in_the_journal(office: Office, browser: Browser) -> None:
    browser.sign_in(office.max)

    browser.post(f"{CREW}members/add", username="bo")

    event = db.session.scalars(sa.select(Event).where(Event.tag.like("organization:team:%"))).one()
    assert (event.actor_id, event.user_id, event.organization_id) == (
        office.max.id,
        office.bo.id,
        office.organization.id,
    )
