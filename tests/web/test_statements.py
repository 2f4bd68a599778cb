"""The announcement, statement by statement (S1 to S9), as a person and a program meet it."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.policy.actions import Action
from models import ApiToken, Project, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.conftest import MakeApp
from tests.letters import link_to
from tests.requirements import requirement

TOKENS, ENROL, RESERVE = "/manage/account/token/", "/manage/account/two-factor/", "/manage/projects/create/"


def test_s1_a_newly_registered_user_needs_a_second_factor_before_any_management_action(
    app: Flask, browser: Browser
) -> None:
    browser.submit(
        "/account/register/",
        username="nora",
        email="nora@mail.example",
        full_name="",
        new_password=PASSWORD,
        password_confirm=PASSWORD,
    )
    browser.submit(link_to("nora@mail.example"))

    answer = browser.post(RESERVE, name="tide-tables")

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(ENROL)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Project)) == 0


def test_s2_a_verified_primary_address_is_asked_for_first(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_user("nora").build())

    assert browser.get(TOKENS).headers["Location"].startswith("/manage/unverified-account/")


@pytest.mark.parametrize(
    "action",
    [
        Action.RESERVE_PROJECT,
        Action.CREATE_PROJECT,
        Action.CREATE_TOKEN,
        Action.REMOVE_TOKEN,
        Action.UPLOAD_FILE,
        Action.DELETE_RELEASE,
        Action.INVITE_COLLABORATOR,
        Action.REMOVE_COLLABORATOR,
        Action.REVOKE_INVITATION,
        Action.ACCEPT_INVITATION,
    ],
)
def test_s3_what_changes_something_others_rely_on_is_a_management_action(action: Action) -> None:
    assert action.needs.second_factor
    assert action.needs.verified_email


@pytest.mark.parametrize(
    "path", ["/", "/search/", "/help/", "/simple/", "/simple/acme-utils/", "/project/acme-utils/", "/user/ana/"]
)
def test_s4_browsing_needs_no_account(app: Flask, people: People, path: str) -> None:
    people.a_project("acme-utils", people.a_member("ana"))

    assert Browser(app).get(path).status_code == 200


@pytest.mark.parametrize("path", [TOKENS, RESERVE, "/manage/projects/", "/manage/account/"])
def test_s5_whoever_has_a_second_factor_notices_nothing(browser: Browser, people: People, path: str) -> None:
    browser.sign_in(people.a_member("ana"))

    page = browser.page(path)

    assert page.stop is None
    assert page.response.request.path == path


@requirement("R01")
def test_s6_a_refused_action_shows_the_red_banner_on_the_page_where_a_factor_is_set_up(
    browser: Browser, people: People
) -> None:
    browser.sign_in(people.a_user("newt").verified().build())

    page = browser.page(TOKENS)

    assert page.response.request.path == ENROL
    assert page.stop is not None
    assert "Turn on two-factor authentication to continue" in page.stop
    assert "create an API token" in page.stop
    assert page.title.startswith("Action needed: ")
    banner = page.root.find(".//main")
    assert banner is not None
    first = next(iter(banner))
    assert (first.get("id"), first.get("role"), first.get("class")) == ("stop", "alert", "stop")


@requirement("R04")
def test_s7_without_a_second_factor_one_can_sign_in_and_browse(app: Flask, browser: Browser, people: People) -> None:
    people.a_user("newt").verified().build()

    page = browser.submit("/account/login/", username="newt", password=PASSWORD)

    assert page.stop is None
    for path in ("/", "/search/", "/simple/", "/manage/account/", "/manage/projects/"):
        assert browser.page(path).stop is None if path != "/simple/" else browser.get(path).status_code == 200


@pytest.mark.parametrize(
    ("registered", "today", "stopped"),
    [
        (date(2023, 8, 7), date(2023, 12, 31), False),
        (date(2023, 8, 8), date(2023, 8, 8), True),
        (date(2023, 8, 7), date(2024, 1, 1), True),
    ],
)
def test_s8_two_dates_decide_who_is_held_to_it_and_from_when(
    make_app: MakeApp, clock: SettableClock, registered: date, today: date, stopped: bool
) -> None:
    app = make_app(require_2fa_new_users_from=date(2023, 8, 8), require_2fa_everyone_from=date(2024, 1, 1))
    with app.app_context():
        clock.set(datetime(today.year, today.month, today.day, 12, tzinfo=UTC))
        born = datetime(registered.year, registered.month, registered.day, 12, tzinfo=UTC)
        olga = People(app, clock).a_user("olga").verified().registered(born).build()

        answer = Browser(app).sign_in(olga).get(TOKENS)

        assert answer.status_code == (303 if stopped else 200)
        db.session.remove()
        db.engine.dispose()


@requirement("R75")
def test_s9_whoever_resets_the_password_from_a_stolen_mailbox_still_meets_the_second_factor(
    app: Flask, browser: Browser, people: People, clock: SettableClock
) -> None:
    ana = people.a_member("ana")
    new = "another horse battery staple 7"
    browser.submit("/account/request-password-reset/", username_or_email="ana")
    browser.submit(link_to("ana@mail.example"), new_password=new, password_confirm=new)

    page = browser.submit("/account/login/", username="ana", password=new)

    assert page.response.request.path == "/account/two-factor/"
    assert browser.get("/manage/account/").status_code == 303
    assert db.session.get_one(User, ana.id).username == "ana"
    browser.submit("/account/two-factor/", method="totp", totp_value=code_of(ana, clock))
    assert browser.page("/manage/account/").status == 200
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 0
