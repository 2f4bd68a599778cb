"""An index for its members: whoever reads needs an account, and programs a token that may read."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from blueprints.caller import Channel
from blueprints.gate import READS, mark_of
from domain.policy.principals import Grant
from models import ApiToken, Attempt, Event, File, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp
from tests.packages import a_wheel
from tests.uploading import authorized, upload

LATER = timedelta(minutes=2)
MACHINES = [
    "/simple/",
    "/simple/acme-utils/",
    "/simple/nothing-here/",
    "/pypi/acme-utils/json",
    "/pypi/acme-utils/1.0/json",
    "/rss/updates.xml",
    "/rss/packages.xml",
    "/rss/project/acme-utils/releases.xml",
    "{file}",
    "{file}.metadata",
]
PAGES = [
    "/",
    "/search/?q=acme",
    "/project/acme-utils/",
    "/project/acme-utils/1.0/",
    "/project/acme-utils/?tab=downloads",
    "/user/ana/",
    "/org/tide-office/",
    "/project/nothing-here/",
]
OPEN = ["/help/", "/help/policy/", "/account/login/", "/account/register/", "/_health/", "/legacy/"]


@pytest.fixture
def app(make_app: MakeApp) -> Iterator[Flask]:
    application = make_app(read_access="members")
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ana(app: Flask, people: People) -> User:
    """Ana, who has published a wheel."""
    member = people.a_member("ana")
    people.an_organization("tide-office", member)
    assert upload(app, people.a_token(member, "ci")[1], a_wheel()).status_code == 200
    return member


@pytest.fixture
def reader(ana: User, people: People) -> str:
    """A token of Ana's that may read."""
    return people.a_token(ana, "reader", projects=(), grants=(Grant.READ,))[1]


def address(path: str) -> str:
    db.session.rollback()
    return path.format(file=db.session.scalars(sa.select(File)).one().path)


def ask(browser: Browser, path: str, **headers: str) -> TestResponse:
    return browser.get(address(path), headers=headers)


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def denials() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event.tag).where(Event.tag.like("gate:%"))))


def test_these_are_all_routes_that_show_what_is_on_the_index(app: Flask) -> None:
    """What a new public route shows is either nothing of the index, or for readers."""
    readers: set[tuple[str, Channel]] = set()
    others: set[tuple[str, Channel]] = set()
    for endpoint, view in app.view_functions.items():
        mark = mark_of(view)
        assert mark is not None
        if mark.is_public:
            (readers if mark.actions == READS else others).add((endpoint.partition(".")[0], mark.channel))

    assert readers == {("browse", Channel.BROWSER), ("simple", Channel.MACHINE), ("api", Channel.MACHINE)}
    # Of the API, reports of leaks; of publishing, the exchange of identities.
    assert {room for room, _ in others} == {"api", "auth", "publishing", "site", "static", "upload"}


@pytest.mark.parametrize("path", MACHINES)
def test_a_program_without_credentials_is_asked_for_them(ana: User, browser: Browser, path: str) -> None:
    answer = ask(browser, path)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Countersign"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "This index is for its members." in answer.text
    assert "Set-Cookie" not in answer.headers
    assert denials() == []


@pytest.mark.parametrize("path", MACHINES)
def test_what_there_is_and_what_there_is_not_answers_strangers_alike(ana: User, browser: Browser, path: str) -> None:
    known, unknown = ask(browser, path), ask(browser, "/simple/nothing-here/")

    assert known.status == unknown.status
    assert known.data == unknown.data
    assert dict(known.headers) == dict(unknown.headers)


@pytest.mark.parametrize("path", MACHINES)
def test_a_token_that_may_read_reads_everything(reader: str, browser: Browser, path: str) -> None:
    answer = ask(browser, path, **authorized(reader))

    assert answer.status_code == (404 if "nothing" in path else 200)
    assert "public" not in answer.headers["Cache-Control"]
    assert "Authorization" in answer.headers["Vary"]


def test_a_reader_is_told_when_nothing_has_changed(reader: str, browser: Browser) -> None:
    page = ask(browser, "/simple/acme-utils/", **authorized(reader))

    again = {"If-None-Match": page.headers["ETag"]}
    assert ask(browser, "/simple/acme-utils/", **authorized(reader), **again).status_code == 304
    assert ask(browser, "/simple/acme-utils/", **again).status_code == 401


@pytest.mark.parametrize("grants", [(Grant.UPLOAD,), (Grant.YANK,), (Grant.UPLOAD, Grant.YANK)])
def test_a_token_that_was_not_made_for_it_does_not_read(
    ana: User, people: People, browser: Browser, grants: tuple[Grant, ...]
) -> None:
    answer = ask(browser, "/simple/", **authorized(people.a_token(ana, "other", grants=grants)[1]))

    assert answer.status == "403 This API token was not made for reading. Use one that was."
    assert denials() == ["gate:read_index:denied"]


@pytest.mark.parametrize(
    "headers",
    [
        basic("__token__", ""),
        basic("ana", ""),
        basic("ana", "her password"),
        basic("__token__", "csn_mistyped"),
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic !"},
    ],
)
def test_credentials_that_are_none_are_asked_for_again_and_count_as_nothing(
    reader: str, browser: Browser, headers: dict[str, str]
) -> None:
    for _ in range(100):
        assert ask(browser, "/simple/acme-utils/", **headers).status_code == 401

    assert ask(browser, "/simple/acme-utils/", **authorized(reader)).status_code == 200
    assert denials() == []
    assert db.session.scalars(sa.select(Attempt.bucket).where(~Attempt.bucket.like("new_tokens%"))).all() == []


def test_a_reader_counts_as_its_owner_does(ana: User, reader: str, browser: Browser) -> None:
    ana.is_active = False
    db.session.commit()

    assert ask(browser, "/simple/", **authorized(reader)).status_code == 403


def test_a_second_factor_is_not_asked_for(people: People, ana: User, browser: Browser) -> None:
    newt = people.a_user("newt").verified().build()
    token = people.a_token(newt, grants=(Grant.READ,))[1]

    assert ask(browser, "/simple/acme-utils/", **authorized(token)).status_code == 200
    assert "acme-utils" in browser.sign_in(newt).page("/search/?q=acme").text


def test_a_reader_that_ended_or_comes_from_elsewhere_is_refused(
    ana: User, people: People, browser: Browser, clock: SettableClock
) -> None:
    ended = people.a_token(ana, "old", grants=(Grant.READ,), expires_at=clock.now())[1]
    bound = people.a_token(ana, "near", grants=(Grant.READ,), networks=("192.0.2.0/24",))[1]

    assert ask(browser, "/simple/", **authorized(ended)).status == "403 This API token has expired. Make a new one."
    assert ask(browser, "/simple/", **authorized(bound)).status_code == 403


def test_the_owner_sees_when_a_reader_was_used_last(
    ana: User, reader: str, browser: Browser, clock: SettableClock
) -> None:
    began, browser.environ["HTTP_USER_AGENT"] = clock.now(), "uv/0.13.9"
    for wait in (timedelta(), timedelta(seconds=30), LATER):
        clock.advance(wait)
        ask(browser, "/simple/acme-utils/", **authorized(reader))
    db.session.rollback()

    row = db.session.scalars(sa.select(ApiToken).where(ApiToken.description == "reader")).one()
    assert (row.last_used_at, row.last_used_with) == (began + timedelta(seconds=30) + LATER, "uv")
    assert row.last_used_project is None


@pytest.mark.parametrize("path", PAGES)
def test_a_person_is_asked_to_sign_in_and_comes_back(ana: User, browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/account/login/?next=")
    assert "Sign in to read this index." in browser.page(path).text
    assert browser.sign_in(ana).page(path, status=404 if "nothing" in path else 200)
    assert denials() == []


def test_whoever_has_not_verified_an_address_is_no_member_yet(people: People, ana: User, browser: Browser) -> None:
    page = browser.sign_in(people.a_user("newt").build()).page("/project/acme-utils/")

    assert page.h1 == "Verify your email address"
    assert page.stop is not None
    assert "you are one once your address is verified" in page.stop


@pytest.mark.parametrize("path", OPEN)
def test_what_leads_in_stays_open_and_tells_nothing(ana: User, browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 200
    assert "acme-utils" not in answer.text
    assert "Search 1 project" not in answer.text
    assert "installing need none" not in answer.text
    assert "no account" not in answer.text


def test_a_cookie_opens_no_machine_route_and_a_token_no_page(ana: User, reader: str, browser: Browser) -> None:
    assert browser.get("/project/acme-utils/", headers=authorized(reader)).status_code == 303
    assert browser.sign_in(ana).get("/simple/acme-utils/").status_code == 401


def test_a_token_that_reads_is_made_on_the_page(app: Flask, ana: User, browser: Browser) -> None:
    browser.sign_in(ana)
    form = browser.page("/manage/account/token/")
    made = browser.submit("/manage/account/token/", description="laptop", grants="read", expires="90")

    assert "Read and install: everything here" in form.text
    assert "machine localhost login __token__ password" in made.text
    row = db.session.scalars(sa.select(ApiToken).where(ApiToken.description == "laptop")).one()
    assert (row.grants, row.reaches_all, row.projects) == (["read"], True, [])


def test_where_everybody_reads_no_token_for_it_is_offered_and_no_credentials_are_looked_at(
    make_app: MakeApp, clock: SettableClock
) -> None:
    open_app = make_app()
    with open_app.app_context():
        people, browser = People(open_app, clock), Browser(open_app)
        ana = people.a_member("ana")

        assert browser.get("/simple/", headers=basic("__token__", "csn_mistyped")).status_code == 200
        assert "Read and install" not in browser.sign_in(ana).page("/manage/account/token/").text
        db.session.remove()
        db.engine.dispose()


def test_a_proxy_that_asks_for_somebody_is_told_no_more_than_yes_or_no(app: Flask, ana: User, reader: str) -> None:
    uploads = authorized("csn_" + "x" * 40)
    asked = {
        name: Browser(app).get("/_reading/", headers=headers)
        for name, headers in {"nobody": {}, "ana": authorized(reader), "no token": uploads}.items()
    }

    assert {name: answer.status_code for name, answer in asked.items()} == {"nobody": 401, "ana": 204, "no token": 401}
    assert {answer.data for answer in asked.values()} == {b""}
    assert {answer.headers["Cache-Control"] for answer in asked.values()} == {"no-store"}


def test_what_a_proxy_asks_leaves_no_event_but_shows_that_the_token_is_used(
    app: Flask, ana: User, reader: str, people: People
) -> None:
    other = people.a_token(ana, "uploads")[1]
    token = db.session.scalars(sa.select(ApiToken).where(ApiToken.description == "reader")).one()
    before = token.last_used_at

    refused = Browser(app).get("/_reading/", headers=authorized(other))
    Browser(app).get("/_reading/", headers=authorized(reader))

    db.session.rollback()
    assert refused.status_code == 401
    assert denials() == []
    assert before is None
    assert token.last_used_at is not None


@pytest.mark.parametrize("how", ["X-Original-URI", "X-Forwarded-Uri", "X-Original-Method"])
def test_a_proxy_that_asks_is_not_believed_what_is_asked_for(app: Flask, ana: User, how: str) -> None:
    assert Browser(app).get("/_reading/", headers={how: "/help/"}).status_code == 401


def test_on_an_open_index_whoever_asks_may_read(make_app: MakeApp) -> None:
    application = make_app()
    with application.app_context():
        assert Browser(application).get("/_reading/").status_code == 204
        db.session.remove()
        db.engine.dispose()
