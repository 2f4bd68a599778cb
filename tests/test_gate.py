"""The gate stands in front of everything: walked over the whole URL map, not over a list that could fall behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Blueprint, Flask, url_for
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

import app as composition
from adapters.clock import SettableClock
from blueprints import forgery, gate
from blueprints.caller import Channel
from blueprints.gate import Mark, NakedRoute, management_action, mark_of, public, seal
from domain.identity import browsers, sessions
from domain.identity.sessions import Level
from domain.policy.actions import Action, Needs
from domain.policy.decision import Permit
from models import Base, BrowserSession, Event, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp
from tests.permits import ORIGIN
from tests.requirements import requirement

# Everything that anybody may open. A route that is added here is a decision: say why in the commit.
PUBLIC = {
    "api.disclose_token",
    "api.packages",
    "api.project_json",
    "api.project_releases",
    "api.release_json",
    "api.updates",
    "auth.confirm_sign_in",
    "auth.passkey_options",
    "auth.passkey_validate",
    "auth.password_step",
    "auth.recovery_step",
    "auth.register",
    "auth.request_reset",
    "auth.reset_password",
    "auth.second_step",
    "auth.sign_in",
    "browse.home",
    "browse.organization",
    "browse.project",
    "browse.release",
    "browse.search",
    "browse.user",
    "publishing.audience",
    "publishing.burn_token",
    "publishing.mint_token",
    "simple.file",
    "simple.file_metadata",
    "simple.index",
    "simple.project",
    "site.health",
    "site.help",
    "site.may_read",
    "site.policy",
    "site.ready",
    "site.theme",
    "static",
    "upload.explain",
    "upload.without_slash",
}

# What a refusal may leave behind: its event, the kept action, the session with the banner in it.
TRACES = {"event", "ceremony", "session"}

# Somebody without a second factor has none to rename or remove: the address leads nowhere.
ABOUT_A_FACTOR = {Action.REMOVE_FACTOR, Action.RENAME_FACTOR}

# What an open browser that somebody walked away from must not let a passer-by do.
DANGEROUS = {
    Action.ADD_EMAIL,
    Action.REMOVE_EMAIL,
    Action.CHANGE_PRIMARY_EMAIL,
    Action.CHANGE_PASSWORD,
    Action.END_SESSION,
    Action.END_OTHER_SESSIONS,
    Action.DISTRUST_BROWSER,
    Action.ENROL_TOTP,
    Action.ENROL_PASSKEY,
    Action.RENAME_FACTOR,
    Action.REMOVE_FACTOR,
    Action.MAKE_RECOVERY_CODES,
    Action.CREATE_TOKEN,
    Action.REMOVE_TOKEN,
    Action.ADD_PENDING_PUBLISHER,
    Action.REMOVE_PENDING_PUBLISHER,
    Action.ADD_ORGANIZATION_PUBLISHER,
    Action.REMOVE_ORGANIZATION_PUBLISHER,
    Action.ADD_ISSUER,
    Action.REMOVE_ISSUER,
    Action.ARCHIVE_PROJECT,
    Action.CHANGE_UPLOADERS,
    Action.CHANGE_READERS,
    Action.CHANGE_ROLE,
    Action.TRANSFER_PROJECT,
    Action.WITHDRAW_TRANSFER,
    Action.DELETE_PROJECT,
    Action.DELETE_RELEASE,
    Action.DELETE_FILE,
    Action.RESTORE_RELEASE,
    Action.INVITE_COLLABORATOR,
    Action.REVOKE_INVITATION,
    Action.REMOVE_COLLABORATOR,
}

SIGN_IN, VERIFY, ENROL = "/account/login/", "/manage/unverified-account/", "/manage/account/two-factor/"
CONFIRM = "/account/reauthenticate/"


@dataclass(frozen=True)
class Gated:
    """A gated route, reached by one method."""

    rule: Rule
    method: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


def gated_routes(app: Flask, channel: Channel = Channel.BROWSER) -> Iterator[Gated]:
    """Every gated route of the channel, with each of its methods."""
    for rule in app.url_map.iter_rules():
        mark = mark_of(app.view_functions[rule.endpoint])
        if mark is not None and not mark.is_public and mark.channel is channel:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Gated(rule, method, mark)


def rows() -> dict[str, list[Any]]:
    """Every row of every table that a refusal must not touch."""
    db.session.rollback()
    return {
        table.name: [tuple(row) for row in db.session.execute(sa.select(table))]
        for table in Base.metadata.sorted_tables
        if table.name not in TRACES
    }


def send(browser: Browser, app: Flask, route: Gated, values: dict[str, Any]) -> TestResponse:
    with app.test_request_context():
        address = url_for(route.rule.endpoint, **{name: values[name] for name in route.rule.arguments})
    return browser.get(address) if route.method == "GET" else browser.post(address)


def somebody(people: People, *, verified: bool) -> tuple[User, dict[str, Any]]:
    """An account without a second factor that owns all that an address can name, and what the addresses need."""
    builder = people.a_user("nora").also("nora@second.example")
    nora, friend = (builder.verified() if verified else builder).build(), people.a_member("friend")
    project = people.a_project("tide-tables", nora, maintainers=(friend,))
    wheel = people.a_release(project, "1.0", by=nora).files[0].filename
    removed = people.a_removal(project, "0.9", by=nora)
    publisher = people.a_publisher(project)
    token, _ = people.a_token(nora)
    invitation = people.an_invitation(people.a_project("lantern", friend), nora, by=friend)
    nora.is_admin = True
    office = people.an_organization("tide-office", nora)
    people.a_team("Crew", office)
    project.organization = office
    to_nora = people.a_transfer(people.a_project("buoy", friend), nora, by=friend)
    to_office = people.a_transfer(people.a_project("chart", friend), office, by=friend)
    waits, waits_there = people.a_pending("oar", nora), people.a_pending("sail", nora, organization=office)
    issuer = people.an_issuer("https://forge.acme.example")
    wish = people.a_request("tide-club", nora)
    elsewhere = browsers.meet(db.session(), nora.id, None, origin=ORIGIN, now=nora.registered_at).row
    session, _ = sessions.start(db.session(), origin=ORIGIN, now=nora.registered_at)
    db.session.execute(sa.update(BrowserSession).where(BrowserSession.id == session.id).values(user_id=nora.id))
    db.session.commit()
    values = {
        "name": "tide-tables",
        "version": "1.0",
        "filename": wheel,
        "deleted_id": removed.id,
        "organization": "tide-office",
        "team": "Crew",
        "request_id": wish.id,
        "publisher_id": publisher.id,
        "token_id": token.id,
        "invitation_id": invitation.id,
        "issuer_id": issuer.id,
        "pending_id": waits.id,
        "waiting_id": waits_there.id,
        "transfer_id": to_nora.id,
        "offer_id": to_office.id,
        "email_id": nora.emails[1].id,
        "session_id": session.id,
        "browser_id": elsewhere.id,
        "public_id": "0123456789abcdef",
    }
    return nora, values


def walk(
    app: Flask,
    people: People,
    browser: Browser,
    user: User | None,
    values: dict[str, Any],
    asks: Callable[[Needs], bool],
    to: str,
) -> int:
    """Send every gated route whose action `asks`, demand the remedy `to` and that no row changed; how many it was."""
    walked = 0
    for route in gated_routes(app):
        action = route.mark.actions[0]
        if not asks(action.needs):
            continue
        before, events = rows(), _events()
        answer = send(browser, app, route, values)
        if action in ABOUT_A_FACTOR and user is not None:
            assert answer.status_code == 404, route
            continue
        assert answer.status_code == 303, f"{route}: {answer.status} {answer.text[:300]}"
        assert answer.headers["Location"].partition("?")[0].partition("#")[0] == to, str(route)
        assert rows() == before, f"{route} changed a row"
        assert _events() == events + 1, f"{route} left no event"
        if user is not None:
            banner = browser.page(answer.headers["Location"]).stop
            assert banner is not None, f"{route} shows no banner"
            assert action.label in banner, str(route)
        walked += 1
    return walked


def _events() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(Event.tag.like("gate:%:denied"))) or 0


def test_every_action_but_the_operators_has_a_route(app: Flask) -> None:
    """What nobody can ask for is not built yet, or is a name too many."""
    marks = [mark for view in app.view_functions.values() if (mark := mark_of(view))]
    routed = {action for mark in marks for action in mark.actions}

    # The exchange of identities is judged behind a public route, like a sign-in: the token that is sent is its proof.
    asked_elsewhere = {Action.EXCHANGE_IDENTITY}
    assert {action for action in Action if not action.needs.operator} == routed | asked_elsewhere


@requirement("R03")
def test_the_public_endpoints_are_exactly_these(app: Flask) -> None:
    found = {endpoint for endpoint, view in app.view_functions.items() if (mark := mark_of(view)) and mark.is_public}

    assert found == PUBLIC


def test_every_gated_route_sends_a_stranger_to_sign_in(app: Flask, people: People, browser: Browser) -> None:
    _, values = somebody(people, verified=True)

    walked = walk(app, people, browser, None, values, lambda needs: True, SIGN_IN)

    assert walked > 30


def test_every_gated_route_that_asks_for_it_sends_to_verify_the_address_first(
    app: Flask, people: People, browser: Browser
) -> None:
    nora, values = somebody(people, verified=False)
    browser.sign_in(nora)

    walked = walk(app, people, browser, nora, values, lambda needs: needs.verified_email, VERIFY)

    assert walked > 20


@requirement("R01", "R02")
def test_every_gated_route_that_asks_for_it_sends_to_set_up_a_second_factor(
    app: Flask, people: People, browser: Browser
) -> None:
    nora, values = somebody(people, verified=True)
    browser.sign_in(nora)

    walked = walk(app, people, browser, nora, values, lambda needs: needs.second_factor, ENROL)

    assert walked > 15


@requirement("R06")
def test_every_gated_route_takes_half_a_sign_in_for_a_stranger(app: Flask, people: People, browser: Browser) -> None:
    _, values = somebody(people, verified=True)
    browser.sign_in(people.a_member("ana"), level=Level.HALF)

    walked = walk(app, people, browser, None, values, lambda needs: True, SIGN_IN)

    assert walked > 30


@requirement("R65")
def test_every_gated_route_that_is_dangerous_asks_who_one_is(
    app: Flask, people: People, browser: Browser, clock: SettableClock
) -> None:
    nora, values = somebody(people, verified=True)
    phone = {"public_id": values["public_id"], "label": "My phone", "secret_sealed": b""}
    db.session.add(TotpApp(user_id=nora.id, last_step=0, added_at=clock.now(), **phone))
    db.session.commit()
    browser.sign_in(nora)
    clock.advance(timedelta(minutes=15))
    asked = set()

    for route in gated_routes(app):
        if not route.mark.actions[0].needs.fresh:
            continue
        before = rows()
        answer = send(browser, app, route, values)
        if (
            route.mark.actions[0] in ABOUT_A_FACTOR and answer.status_code == 404
        ):  # she has no key to remove by its name
            continue
        assert answer.headers.get("Location") == CONFIRM, f"{route}: {answer.status}"
        assert rows() == before, f"{route} changed a row"
        asked.add(route.mark.actions[0])

    assert asked >= DANGEROUS


@requirement("R90", "R91")
def test_every_form_without_its_token_is_refused_and_changes_nothing(
    app: Flask, people: People, browser: Browser
) -> None:
    nora, values = somebody(people, verified=True)
    browser.sign_in(nora)
    bodies = [{"data": {"confirm": "yes"}}, {"json": {"confirm": "yes"}}, {"data": {"csrf_token": "made up"}}]
    refused = 0

    for rule in app.url_map.iter_rules():
        mark = mark_of(app.view_functions[rule.endpoint])
        assert mark is not None
        if mark.channel is Channel.MACHINE or rule.endpoint in forgery.FORGEABLE:
            continue
        with app.test_request_context():
            address = url_for(rule.endpoint, **{name: values.get(name, "x") for name in rule.arguments})
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            before = rows()
            for body in bodies:
                answer = browser._send(method, address, **body)
                assert answer.status_code == 400, f"{method} {rule.rule}: {answer.status}"
            assert rows() == before, f"{method} {rule.rule} changed a row"
            refused += 1

    assert refused > 30


def test_what_needs_no_second_factor_is_not_stopped_for_want_of_one(
    app: Flask, people: People, browser: Browser
) -> None:
    nora, values = somebody(people, verified=True)
    browser.sign_in(nora)
    opened = 0

    for route in gated_routes(app):
        if route.mark.actions[0].needs.second_factor or route.method != "GET":
            continue
        answer = send(browser, app, route, values)
        assert answer.status_code < 500, f"{route}: {answer.status}"
        assert not answer.headers.get("Location", "").startswith((SIGN_IN, VERIFY)), str(route)
        opened += 1

    assert opened > 5


def test_every_machine_route_refuses_without_redirect_and_sees_no_cookie(
    app: Flask, people: People, browser: Browser
) -> None:
    browser.sign_in(people.a_member())
    routes = list(gated_routes(app, Channel.MACHINE))

    assert routes
    for route in routes:
        answer = browser.client.open(route.rule.rule, method=route.method, base_url=browser.base_url)
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers


@requirement("R02")
def test_a_program_at_a_page_gets_json_and_no_redirect(app: Flask, people: People, browser: Browser) -> None:
    nora, _ = somebody(people, verified=True)
    browser.sign_in(nora)

    answer = browser.get("/manage/account/token/", headers={"Accept": "application/json"})

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "two_factor_required"
    assert answer.json["rule"] == "everyone"
    assert answer.json["setup_url"] == "http://localhost:8000/manage/account/two-factor/"


# --- the seal -------------------------------------------------------------------------------------------------------


def with_routes(monkeypatch: pytest.MonkeyPatch, make_app: MakeApp, add: Callable[[Blueprint], object]) -> Flask:
    """The application with one more blueprint."""
    extra = Blueprint("extra", __name__)
    add(extra)
    monkeypatch.setattr(composition, "BLUEPRINTS", (*composition.BLUEPRINTS, extra))
    return make_app()


def view(permit: Permit) -> str:
    return "done"


def bare() -> str:
    return "done"


@requirement("R03")
def test_a_naked_route_stops_the_start(monkeypatch: pytest.MonkeyPatch, make_app: MakeApp) -> None:
    with pytest.raises(NakedRoute, match=r"extra\.bare"):
        with_routes(monkeypatch, make_app, lambda bp: bp.get("/extra/")(bare))


@requirement("R03")
def test_a_reversed_decorator_stops_the_start(monkeypatch: pytest.MonkeyPatch, make_app: MakeApp) -> None:
    def reversed_order(bp: Blueprint) -> None:
        management_action(Action.VIEW_ACCOUNT)(bp.get("/extra/")(view))

    with pytest.raises(NakedRoute, match=r"extra\.view"):
        with_routes(monkeypatch, make_app, reversed_order)


def test_a_wrapper_that_copies_the_mark_is_still_naked(monkeypatch: pytest.MonkeyPatch, make_app: MakeApp) -> None:
    guarded = management_action(Action.VIEW_ACCOUNT)(view)

    @wraps(guarded)
    def around(**values: Any) -> str:
        return "never asked the gate"

    with pytest.raises(NakedRoute):
        with_routes(monkeypatch, make_app, lambda bp: bp.get("/extra/")(around))


def test_a_post_that_names_no_page_to_resume_at_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, make_app: MakeApp
) -> None:
    with pytest.raises(NakedRoute, match="resume"):
        with_routes(monkeypatch, make_app, lambda bp: bp.post("/extra/")(management_action(Action.VIEW_ACCOUNT)(view)))


def test_a_marked_route_starts(monkeypatch: pytest.MonkeyPatch, make_app: MakeApp) -> None:
    app = with_routes(monkeypatch, make_app, lambda bp: bp.get("/extra/")(management_action(Action.VIEW_ACCOUNT)(view)))

    seal(app)
    assert "extra.view" in app.view_functions


def test_a_view_cannot_be_called_without_its_permit() -> None:
    with pytest.raises(TypeError):
        view()  # type: ignore[call-arg]


def test_public_marks_the_function_itself() -> None:
    def opened() -> str:
        return "open"

    mark = mark_of(public(opened))

    assert mark is not None
    assert mark.is_public
    assert gate.mark_of(bare) is None
