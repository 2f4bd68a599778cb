"""The operator's commands, as they are typed."""

import click
import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from blueprints import wiring
from models import BrowserSession, Event, Mail, RecoveryCode, TotpApp, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People
from tests.requirements import requirement


def run(app: Flask, *words: str, typed: str = "", code: int = 0) -> str:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=list(words), input=typed)
    assert result.exit_code == code, result.output
    db.session.expire_all()
    return result.output


@requirement("R10")
def test_the_first_administrator_sets_a_password_through_a_one_time_link(app: Flask, browser: Browser) -> None:
    out = run(app, "users", "create-admin", "--username", "ada", "--email", "ada@mail.example")
    link = out.splitlines()[-1].removeprefix("http://localhost:8000")

    browser.submit(link, new_password=PASSWORD, password_confirm=PASSWORD)
    page = browser.submit("/account/login/", username="ada", password=PASSWORD)

    assert page.status == 200
    assert db.session.scalar(sa.select(User.is_admin).where(User.username == "ada"))
    assert browser.page("/manage/account/token/").stop is not None
    assert Browser(app).post(link, new_password=PASSWORD, password_confirm=PASSWORD).status_code != 303
    assert db.session.scalar(sa.select(Event.id).where(Event.tag == "operator:administrator:created"))


@requirement("R77")
def test_no_command_takes_a_password_or_sets_one(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    groups = [command for command in app.cli.commands.values() if isinstance(command, click.Group)]
    commands = [command for group in groups for command in group.commands.values()]
    names = {name for command in commands for given in command.params for name in [given.name or "", *given.opts]}
    assert len(commands) > 8
    assert not [name for name in names if "password" in name]
    kept = ana.password_hash

    run(app, "users", "recover", "ana", "--yes")

    assert db.session.get_one(User, ana.id).password_hash == kept


@pytest.mark.parametrize(
    ("username", "email"), [("a b", "x@mail.example"), ("ada", "no address"), ("", "x@mail.example")]
)
def test_an_administrator_with_a_bad_name_or_address_is_refused_in_words(app: Flask, username: str, email: str) -> None:
    out = run(app, "users", "create-admin", "--username", username, "--email", email, code=1)

    assert out.startswith("Error: ")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 0


def test_recovering_removes_factors_codes_and_sessions_and_tells_the_owner(app: Flask, people: People) -> None:
    ana = people.a_member("ana")
    browser = Browser(app).sign_in(ana)

    run(app, "users", "recover", "ana", "--yes")

    for table in (TotpApp, RecoveryCode, BrowserSession):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert browser.get("/manage/account/").headers["Location"].startswith("/account/login/")
    mail = db.session.scalars(sa.select(Mail).where(Mail.to == "ana@mail.example")).one()
    assert "second factor" in wiring.services().notices.read(mail).text


def test_recovering_asks_first_and_knows_no_strangers(app: Flask, people: People) -> None:
    people.a_member("ana")

    run(app, "users", "recover", "ana", typed="n\n", code=1)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TotpApp)) == 1
    assert "There is no account" in run(app, "users", "recover", "nobody", "--yes", code=1)


def test_accounts_are_listed_with_what_the_gate_sees(app: Flask, people: People) -> None:
    people.a_member("ana")
    people.a_user("nora").build()
    people.a_user("fred").verified().frozen().build()

    lines = run(app, "users", "list").splitlines()

    assert [line.split()[0] for line in lines] == ["ana", "fred", "nora"]
    assert "verified · authenticator app" in lines[0]
    assert "no second factor · frozen" in lines[1]
    assert "unverified · no second factor" in lines[2]


def test_mails_are_listed_shown_and_sent(app: Flask, browser: Browser, people: People) -> None:
    people.a_member("ana")
    browser.submit("/account/request-password-reset/", username_or_email="ana")

    listed = run(app, "mail", "list")
    number = listed.split()[0]
    shown = run(app, "mail", "show", number)

    assert "waiting" in listed
    assert "To: ana@mail.example" in shown
    assert "/account/reset-password/?token=" in shown
    assert run(app, "mail", "send") == "1 delivered.\n"
    assert "sent" in run(app, "mail", "list")
    assert "no such mail" in run(app, "mail", "show", "999", code=1)


def test_the_rules_are_shown_and_a_decision_is_explained(app: Flask, people: People, clock: SettableClock) -> None:
    people.a_user("newt").verified().build()

    assert "everyone" in run(app, "policy", "show")
    explained = run(app, "policy", "explain", "newt", "create-token")

    assert "Refused: two_factor_required." in explained
    assert "would help: Set up a second factor." in explained
    people.a_member("ana")
    assert "Allowed." in run(app, "policy", "explain", "ana", "create-token")
