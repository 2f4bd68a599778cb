"""The matrix once more, asked of every route: whoever may not do it by the table is stopped for that very reason."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, url_for
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from blueprints.caller import Channel
from domain.index import organizations, projects
from domain.policy.actions import Action
from domain.policy.principals import Grant
from models import Event, Organization, OrganizationMember, Project, ProjectRole, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.packages import a_wheel
from tests.policy.matrix import COLUMNS, MATRIX
from tests.test_gate import Gated, gated_routes, send, somebody
from tests.uploading import authorized, body_of

ABOUT_A_FACTOR = ("REMOVE_FACTOR", "RENAME_FACTOR")
# A publisher that waits for its project has no token: it is judged while it gets one.
PEOPLE = [who for who in COLUMNS if not who.startswith(("token", "publisher")) and who != "operator"]
TOKENS = [who for who in COLUMNS if who.startswith("token") or who == "publisher"]


@dataclass(frozen=True)
class World:
    """Everything that an address can name, held by nora, and somebody for each column of the matrix."""

    who: dict[str, User | None]
    values: dict[str, Any]


def a_world(people: People, clock: SettableClock, who: str) -> World:
    """Nora holds all of it; the project belongs to her organization, so that its owners own the project, too."""
    nora, values = somebody(people, verified=who != "unverified")
    nora.is_admin = False  # the table's holder is none
    if who not in ("unverified", "no factor"):
        phone = {"public_id": values["public_id"], "label": "My phone", "secret_sealed": b""}
        db.session.add(TotpApp(user_id=nora.id, last_step=0, added_at=clock.now(), **phone))
    project, harbour = projects.find(db.session(), values["name"]), _organization(people, nora, values)
    assert project is not None
    project.organization_id = harbour.id
    cast: dict[str, User | None] = {"anonymous": None, "unverified": nora, "no factor": nora, "holder": nora}
    cast["stranger"] = people.a_member("stranger")
    cast["administrator"] = people.an_administrator()
    for role in ("maintainer", "owner"):
        cast[role] = _with_part(people, role, lambda user: _in_project(project, user), clock)
    for role in ("member", "manager", "owner"):
        cast[f"org {role}"] = _with_part(people, role, lambda user: _in_organization(harbour, user), clock)
    db.session.commit()
    return World(cast, {**values, "organization": harbour.name})


def _with_part(people: People, role: str, part: Any, clock: SettableClock) -> User:
    user = people.a_member(f"{role}{len(db.session.scalars(sa.select(User)).all())}")
    row = part(user)
    row.role, row.since = role, clock.now()
    db.session.add(row)
    return user


def _in_project(project: Project, user: User) -> ProjectRole:
    return ProjectRole(project_id=project.id, user_id=user.id)


def _in_organization(organization: Organization, user: User) -> OrganizationMember:
    return OrganizationMember(organization_id=organization.id, user_id=user.id)


def _organization(people: People, owner: User, values: dict[str, Any]) -> Organization:
    found = organizations.find(db.session(), values["organization"]) if "organization" in values else None
    return found or people.an_organization("harbour", owner)


class Snapshot:
    """The database as it was, to go back to after a request that was let through."""

    def __init__(self, folder: Path) -> None:
        self._file, self._copy = folder / "countersign.sqlite3", folder / "snapshot.sqlite3"
        self._rest()
        shutil.copy(self._file, self._copy)

    def restore(self) -> None:
        self._rest()
        shutil.copy(self._copy, self._file)

    def _rest(self) -> None:
        db.session.remove()
        db.engine.dispose()  # the last connection writes the log back and removes it


def denials() -> list[str]:
    """The reasons of the gate's refusals so far, oldest first."""
    db.session.rollback()
    told = db.session.scalars(sa.select(Event).where(Event.tag.like("gate:%:denied")).order_by(Event.id))
    return [event.details["reason"] for event in told]


def outcome(answer: TestResponse, before: int) -> str:
    """What came of a request: the reason of the refusal, "not found", or "ok" if the view was reached."""
    assert answer.status_code < 500, answer.text[:500]
    reasons = denials()[before:]
    assert len(reasons) <= 1
    if reasons:
        assert answer.status_code in (302, 303, 401, 403), answer.status
        return reasons[0]
    return "not found" if answer.status_code == 404 else "ok"


def expected(action: str, who: str) -> set[str]:
    """By the matrix. Of somebody else's own thing one may not even know; a view that was reached may say that what
    the form names is not there."""
    about, answers = MATRIX[action]
    wanted = answers[who]
    if action in ABOUT_A_FACTOR and who in ("unverified", "no factor"):
        return {"not found"}  # there is none to name
    if about == "own" and wanted == "no_permission":
        return {"not found"}
    if Action[action].needs.administrator and wanted == "no_permission":
        return {"no_permission", "not found"}  # who asked for an organization is nobody else's business
    return {"ok", "not found"} if wanted == "ok" else {wanted}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the application's database lies."""
    return tmp_path


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_and_form_answers_as_the_matrix_says(
    app: Flask, people: People, clock: SettableClock, folder: Path, who: str
) -> None:
    world = a_world(people, clock, who)
    user_id = user.id if (user := world.who[who]) is not None else None
    snapshot = Snapshot(folder)
    wrong, walked = {}, set()

    for route in gated_routes(app):
        action = route.mark.actions[0].name
        browser = _browser(app, user_id)
        before = len(denials())
        found = outcome(send(browser, app, route, world.values), before)
        if found not in expected(action, who):
            wrong[f"{route} ({action})"] = found, expected(action, who)
        walked.add(action)
        if route.method != "GET" and found == "ok":
            snapshot.restore()

    assert wrong == {}
    assert len(walked) > 30


def _browser(app: Flask, user_id: int | None) -> Browser:
    browser = Browser(app)
    return browser if user_id is None else browser.sign_in(db.session.get_one(User, user_id))


@pytest.mark.parametrize("who", TOKENS)
def test_every_route_for_programs_answers_as_the_matrix_says(
    app: Flask, people: People, clock: SettableClock, folder: Path, who: str
) -> None:
    world = a_world(people, clock, who)
    text = _token(people, world, who)
    snapshot = Snapshot(folder)
    walked = set()

    for route, name in _programs(app):
        action = route.mark.actions[0 if name == world.values["name"] else 1].name
        before = len(denials())
        found = outcome(_ask(app, route, {**world.values, "name": name}, text), before)
        assert found in expected(action, who), f"{route} ({action})"
        walked.add(action)
        snapshot.restore()

    assert walked >= {"UPLOAD_FILE", "CREATE_PROJECT"}


def _programs(app: Flask) -> Iterator[tuple[Gated, str]]:
    """Every gated route for programs with the project that it is asked about; an upload also with a new one."""
    for route in gated_routes(app, Channel.MACHINE):
        yield route, "tide-tables"
        if len(route.mark.actions) == 2:
            yield route, "new-project"


def _token(people: People, world: World, who: str) -> str:
    nora = world.who["holder"]
    here, elsewhere = (projects.find(db.session(), name) for name in (world.values["name"], "lantern"))
    assert nora is not None
    assert here is not None
    assert elsewhere is not None
    if who == "publisher":
        return people.a_minted_token(people.a_publisher(here, repository="minted"))
    made = {
        "token account": {},
        "token project": {"projects": (here,)},
        "token yank": {"projects": (here,), "grants": (Grant.YANK,)},
        "token read": {"projects": (elsewhere,), "grants": (Grant.READ,)},
        "token new": {"projects": (), "creates_project": True},
        "token other": {"projects": (elsewhere,)},
    }
    return people.a_token(nora, who, **made[who])[1]  # type: ignore[arg-type]


def _ask(app: Flask, route: Gated, values: dict[str, Any], text: str) -> TestResponse:
    with app.test_request_context():
        address = url_for(route.rule.endpoint, **{name: values[name] for name in route.rule.arguments})
    request: dict[str, Any] = {"headers": authorized(text)}
    if len(route.mark.actions) == 2:
        stem = values["name"].replace("-", "_")
        request["data"], request["content_type"] = body_of(a_wheel(stem, "2.0"))
    return Browser(app)._send(route.method, address, **request)


@pytest.mark.parametrize("who", TOKENS)
def test_a_token_opens_no_page(app: Flask, people: People, clock: SettableClock, who: str) -> None:
    world = a_world(people, clock, who)
    headers = authorized(_token(people, world, who))
    walked = 0

    for route in gated_routes(app):
        if route.method != "GET":
            continue
        with app.test_request_context():
            address = url_for(route.rule.endpoint, **{name: world.values[name] for name in route.rule.arguments})
        before = len(denials())
        assert outcome(Browser(app)._send("GET", address, headers=headers), before) == "not_signed_in", str(route)
        walked += 1

    assert walked > 20
