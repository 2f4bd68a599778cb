"""A project that only its people may read: to everybody else there is none of its name."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from blueprints.caller import Channel
from blueprints.gate import READS, mark_of
from domain.index import projects
from domain.policy.principals import Grant
from models import ApiToken, Attempt, Event, File, Project, ProjectRole, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp
from tests.packages import a_metadata, a_wheel
from tests.uploading import authorized, upload

JSON = "application/vnd.pypi.simple.v1+json"
NO_FILE = f"/packages/ab/cd/{'0' * 60}/nothing_here-1.0-py3-none-any.whl"
# What shows the one project, and the same of a name that there is not.
OF_ONE = [
    ("/simple/acme-utils/", "/simple/nothing-here/"),
    ("/pypi/acme-utils/json", "/pypi/nothing-here/json"),
    ("/pypi/acme-utils/1.0/json", "/pypi/nothing-here/1.0/json"),
    ("/rss/project/acme-utils/releases.xml", "/rss/project/nothing-here/releases.xml"),
    ("{file}", NO_FILE),
    ("{file}.metadata", f"{NO_FILE}.metadata"),
]
OF_ALL = ["/simple/", "/rss/updates.xml", "/rss/packages.xml"]
PAGES_OF_ONE = ["/project/acme-utils/", "/project/acme-utils/1.0/", "/project/acme-utils/?tab=files"]
PAGES_OF_ALL = ["/", "/search/?q=acme", "/search/?o=name", "/user/ana/", "/org/tide-office/"]
READERS = ("ana", "bo", "cy", "mia", "olga")  # owner, maintainer, of a team, member and owner of its organization


@dataclass
class Scene:
    """An index that everybody may read, with a project of an organization that is private and another that is not."""

    people: People
    project: Project
    users: dict[str, User]

    def token(self, who: str, **values: Any) -> dict[str, str]:  # Any: as People.a_token takes them
        """Credentials of this person, for reading unless said otherwise."""
        count = len(db.session.scalars(sa.select(ApiToken)).all())
        return authorized(self.people.a_token(self.users[who], f"token {count}", **{"grants": READING, **values})[1])


READING = (Grant.READ,)


def set_up(app: Flask, people: People) -> Scene:
    """Eve has no part in anything."""
    users = {name: people.a_member(name) for name in (*READERS, "eve")}
    uploads = people.a_token(users["ana"], "uploads")[1]
    needing = a_metadata("open-tool", "1.0", Requires_Dist="acme-utils")
    for package in (a_wheel(), a_wheel("open-tool", metadata=needing)):
        assert upload(app, uploads, package).status_code == 200
    organization = people.an_organization("tide-office", users["olga"], members=(users["mia"],))
    project = projects.find(db.session(), "acme-utils")
    assert project is not None
    project.organization_id = organization.id
    people.a_team("crew", organization, members=(users["cy"],), projects=((project, "maintainer"),))
    part = ProjectRole(project_id=project.id, user_id=users["bo"].id, role="maintainer", since=project.created_at)
    db.session.add(part)
    project.is_private = True
    db.session.commit()
    return Scene(people, project, users)


@pytest.fixture
def scene(app: Flask, people: People) -> Scene:
    return set_up(app, people)


def address(path: str) -> str:
    db.session.rollback()
    return path.format(file=db.session.scalars(sa.select(File).order_by(File.id)).first().path)  # type: ignore[union-attr]


def ask(browser: Browser, path: str, *headers: dict[str, str] | None) -> TestResponse:
    return browser.get(address(path), headers={name: value for each in headers for name, value in (each or {}).items()})


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def denials() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event.tag).where(Event.tag.like("gate:%"))))


def same(known: TestResponse, unknown: TestResponse) -> bool:
    return (known.status, known.data, dict(known.headers)) == (unknown.status, unknown.data, dict(unknown.headers))


@pytest.mark.parametrize(("path", "none"), OF_ONE)
@pytest.mark.parametrize("who", [None, "eve"])
def test_to_everybody_else_it_is_a_name_that_there_is_not(
    scene: Scene, browser: Browser, who: str | None, path: str, none: str
) -> None:
    credentials = scene.token(who) if who else None
    known, unknown = ask(browser, path, credentials), ask(browser, none, credentials)

    assert known.status_code == 404
    assert same(known, unknown)
    assert "Authorization" in known.headers.get("Vary", "") or "packages" in none
    assert known.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in known.headers
    assert denials() == []


@pytest.mark.parametrize("accept", ["application/json", JSON, "text/html"])
def test_it_is_denied_in_every_form(scene: Scene, browser: Browser, accept: str) -> None:
    asked = {"Accept": accept, "Accept-Encoding": "gzip"}

    assert same(ask(browser, "/simple/acme-utils/", asked), ask(browser, "/simple/nothing-here/", asked))


@pytest.mark.parametrize("who", READERS)
@pytest.mark.parametrize("path", [path for path, _ in OF_ONE])
def test_its_people_read_it_with_a_token_that_may(scene: Scene, browser: Browser, who: str, path: str) -> None:
    answer = ask(browser, path, scene.token(who))

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("private")
    assert "Authorization" in answer.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", OF_ALL)
def test_lists_for_programs_show_it_to_its_people_only(scene: Scene, browser: Browser, path: str) -> None:
    for who in (None, "eve"):
        answer = ask(browser, path, scene.token(who) if who else None)
        assert "acme-utils" not in answer.text
        assert "open-tool" in answer.text
        assert "Authorization" in answer.headers["Vary"]
    for who in READERS:
        answer = ask(browser, path, scene.token(who))
        assert "acme-utils" in answer.text
        assert answer.headers["Cache-Control"].startswith("private")
    assert "acme-utils" not in ask(browser, path).text


@pytest.mark.parametrize("path", PAGES_OF_ONE)
def test_its_pages_are_there_for_its_people_only(scene: Scene, app: Flask, path: str) -> None:
    for who in (None, "eve"):
        browser = Browser(app) if who is None else Browser(app).sign_in(scene.users[who])
        known, unknown = browser.page(path, status=404), browser.page("/project/nothing-here/", status=404)
        assert known.text == unknown.text
    for who in READERS:
        page = Browser(app).sign_in(scene.users[who]).page(path)
        assert "This project is private." in page.text
        assert "login __token__ password csn_…" in page.text


@pytest.mark.parametrize("path", PAGES_OF_ALL)
def test_lists_for_people_show_it_to_its_people_only(scene: Scene, app: Flask, path: str) -> None:
    others = Browser(app).page(path), Browser(app).sign_in(scene.users["eve"]).page(path)
    own = [Browser(app).sign_in(scene.users[who]).page(path) for who in READERS]

    for page in others:
        assert "acme-utils" not in page.text
        assert "Search 2 projects" not in page.response.text
        assert "2 releases" not in page.text
    for page in own:
        assert "acme-utils Private" in page.text


def test_what_a_search_can_be_narrowed_to_does_not_count_it(scene: Scene, app: Flask) -> None:
    scene.project.status = "archived"
    db.session.commit()
    path = "/search/?q=acme"
    eve, mia = (Browser(app).sign_in(scene.users[who]) for who in ("eve", "mia"))

    assert "Archived" not in eve.page(path).text
    assert "acme-utils Private, archived" in mia.page(path).text
    assert "acme-utils" not in eve.page(f"{path}&status=archived").text
    assert "acme-utils" in mia.page(f"{path}&status=archived").text


def test_what_needs_it_does_not_tell_that_it_is_here(scene: Scene, app: Flask) -> None:
    path, link = "/project/open-tool/?tab=dependencies", "/project/acme-utils/"

    assert link not in Browser(app).page(path).links()
    assert link in Browser(app).sign_in(scene.users["mia"]).page(path).links()


@pytest.mark.parametrize("path", [*(path for path, _ in OF_ONE), *OF_ALL, *PAGES_OF_ONE, *PAGES_OF_ALL])
def test_no_cookie_and_no_token_counts_where_the_other_does(scene: Scene, app: Flask, path: str) -> None:
    is_page = path in PAGES_OF_ONE or path in PAGES_OF_ALL
    browser = Browser(app) if is_page else Browser(app).sign_in(scene.users["ana"])

    answer = ask(browser, path, scene.token("ana") if is_page else None)

    assert answer.status_code == 404 or "acme-utils" not in answer.text.replace("q=acme-utils", "")


def test_every_route_that_shows_something_keeps_it(scene: Scene, app: Flask, browser: Browser) -> None:
    """A new route that forgets to ask is found here."""
    first = db.session.scalars(sa.select(File).order_by(File.id)).first()
    assert first is not None
    parts = first.path.removeprefix("/packages/").split("/")
    values = {"name": "acme-utils", "version": "1.0", "username": "ana", "organization": "tide-office"}
    values |= dict(zip(("first", "second", "rest", "filename"), parts, strict=True))
    asked = 0
    for rule in app.url_map.iter_rules():
        mark = mark_of(app.view_functions[rule.endpoint])
        if mark is None or mark.actions != READS:
            continue
        path = app.url_map.bind("localhost").build(rule.endpoint, {key: values[key] for key in rule.arguments})
        answer = browser.get(path)
        assert answer.status_code == 404 or "acme" not in answer.text.lower(), rule
        assert (answer.status_code == 404) == bool({"name", "filename"} & rule.arguments), rule
        asked += 1
    assert asked >= 14


def test_a_token_reads_the_private_projects_that_it_was_made_for(scene: Scene, browser: Browser) -> None:
    other = scene.people.a_project("oar", scene.users["ana"])
    bound, elsewhere = (scene.token("ana", projects=(each,)) for each in (scene.project, other))

    assert ask(browser, "/simple/acme-utils/", bound).status_code == 200
    assert "acme-utils" in ask(browser, "/simple/", bound).text
    assert same(ask(browser, "/simple/acme-utils/", elsewhere), ask(browser, "/simple/nothing-here/", elsewhere))
    assert "acme-utils" not in ask(browser, "/simple/", elsewhere).text


@pytest.mark.parametrize("grants", [(Grant.UPLOAD,), (Grant.YANK,)])
def test_a_token_that_may_not_read_sees_what_strangers_see(
    scene: Scene, browser: Browser, grants: tuple[Grant, ...]
) -> None:
    """Also `uv publish --check-url`, which asks for a new name with the token that uploads: it must be told 404."""
    credentials = scene.token("ana", grants=grants)

    assert ask(browser, "/simple/acme-utils/", credentials).status_code == 404
    assert ask(browser, "/simple/nothing-here/", credentials).status_code == 404
    assert "acme-utils" not in ask(browser, "/simple/", credentials).text


def test_it_is_gone_for_whoever_leaves(scene: Scene, browser: Browser) -> None:
    credentials = scene.token("bo")
    db.session.execute(sa.delete(ProjectRole).where(ProjectRole.user_id == scene.users["bo"].id))
    db.session.commit()

    assert ask(browser, "/simple/acme-utils/", credentials).status_code == 404


@pytest.mark.parametrize(("path", "none"), OF_ONE)
def test_a_token_that_ended_is_refused_aloud_for_all_names_alike(
    scene: Scene, browser: Browser, clock: SettableClock, path: str, none: str
) -> None:
    """Otherwise an installer that asks several indexes would take a stranger's package of that name."""
    ended = scene.token("ana", expires_at=clock.now())
    known, unknown = ask(browser, path, ended), ask(browser, none, ended)

    assert known.status == "403 This API token has expired. Make a new one."
    assert same(known, unknown)
    assert ask(browser, "/simple/open-tool/", ended).status_code == 200
    assert denials() == ["gate:read_private:denied"] * 2


def test_other_tokens_that_count_no_more_are_refused_aloud_too(scene: Scene, browser: Browser) -> None:
    near, frozen = scene.token("ana", networks=("192.0.2.0/24",)), scene.token("bo")
    scene.users["bo"].is_active = False
    db.session.commit()

    for path in ("/simple/acme-utils/", "/simple/nothing-here/"):
        assert ask(browser, path, near).status == "403 This API token may not be used from this network."
        assert ask(browser, path, frozen).status_code == 403
        mistyped = ask(browser, path, basic("__token__", "csn_mistyped"))
        assert mistyped.status_code == 401
        assert mistyped.headers["WWW-Authenticate"] == 'Basic realm="Countersign"'


def test_where_nothing_is_private_no_token_is_refused(scene: Scene, browser: Browser, clock: SettableClock) -> None:
    ended = scene.token("ana", expires_at=clock.now())
    scene.project.is_private = False
    db.session.commit()

    for credentials in (ended, basic("__token__", "csn_mistyped")):
        assert ask(browser, "/simple/nothing-here/", credentials).status_code == 404
        assert ask(browser, "/simple/acme-utils/", credentials).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, basic("ana", ""), basic("ana", "her password"), {"Authorization": "Bearer x"}, {"Authorization": "Basic !"}],
)
def test_what_installers_ask_in_vain_counts_as_nothing(scene: Scene, browser: Browser, headers: dict[str, str]) -> None:
    right = scene.token("ana")
    for _ in range(100):
        assert ask(browser, "/simple/acme-utils/", headers).status_code == 404

    assert ask(browser, "/simple/acme-utils/", right).status_code == 200
    assert denials() == []
    assert db.session.scalars(sa.select(Attempt.bucket)).all() == []


def test_not_even_that_nothing_has_changed_is_told(scene: Scene, browser: Browser) -> None:
    right = scene.token("ana")
    for path in ("/simple/acme-utils/", "/pypi/acme-utils/json", "{file}"):
        etag = ask(browser, path, right).headers["ETag"]
        assert ask(browser, path, right, {"If-None-Match": etag}).status_code == 304
        assert ask(browser, path, {"If-None-Match": etag}).status_code == 404
    assert ask(browser, "{file}", {"Range": "bytes=0-3"}).status_code == 404


def test_no_second_factor_is_asked_for(scene: Scene, app: Flask, browser: Browser) -> None:
    newt = scene.people.a_user("newt").verified().build()
    scene.users["newt"] = newt
    db.session.add(
        ProjectRole(project_id=scene.project.id, user_id=newt.id, role="maintainer", since=newt.registered_at)
    )
    db.session.commit()

    assert ask(browser, "/simple/acme-utils/", scene.token("newt")).status_code == 200
    assert "This project is private." in browser.sign_in(newt).page("/project/acme-utils/").text


@pytest.mark.parametrize("state", [{"status": "archived"}, {"status": "quarantined"}, {"takes_tokens": False}])
def test_how_it_stands_makes_no_difference_to_reading(scene: Scene, browser: Browser, state: dict[str, object]) -> None:
    for name, value in state.items():
        setattr(scene.project, name, value)
    db.session.commit()

    assert ask(browser, "/simple/acme-utils/", scene.token("ana")).status_code == 200


def test_a_name_that_is_only_reserved_is_kept_as_well(scene: Scene, browser: Browser) -> None:
    oar = scene.people.a_project("oar", scene.users["ana"])
    oar.is_private = True
    db.session.commit()

    assert same(ask(browser, "/simple/oar/"), ask(browser, "/simple/nothing-here/"))
    assert ask(browser, "/simple/oar/", scene.token("ana")).status_code == 200
    assert "Private" in browser.sign_in(scene.users["ana"]).page("/project/oar/").text


def test_its_owner_sees_when_it_was_read_last(scene: Scene, browser: Browser, clock: SettableClock) -> None:
    right = scene.token("ana")
    ask(browser, "/simple/acme-utils/", right)
    db.session.rollback()

    used = sa.select(ApiToken.last_used_at).order_by(ApiToken.id.desc()).limit(1)
    assert db.session.scalar(used) == clock.now()


def test_on_an_index_for_members_it_is_there_for_its_people_only(make_app: MakeApp, clock: SettableClock) -> None:
    closed = make_app(read_access="members")
    with closed.app_context():
        people = People(closed, clock)
        scene, browser = set_up(closed, people), Browser(closed)

        for path, none in OF_ONE:
            assert ask(browser, path).status_code == 401
            eve, ana = scene.token("eve"), scene.token("ana")
            assert same(ask(browser, path, eve), ask(browser, none, eve))
            assert ask(browser, path, ana).status_code == 200
        assert "acme-utils" not in ask(browser, "/simple/", scene.token("eve")).text
        assert browser.sign_in(scene.users["eve"]).get("/project/acme-utils/").status_code == 404
        db.session.remove()
        db.engine.dispose()


def test_these_are_the_routes_of_readers(app: Flask) -> None:
    """What this file asks of programs is all that they can ask."""
    found = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (mark := mark_of(app.view_functions[rule.endpoint]))
        and (mark.actions, mark.channel) == (READS, Channel.MACHINE)
    }

    assert len(found) == len(OF_ONE) + len(OF_ALL)
