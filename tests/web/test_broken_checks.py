"""When it cannot be found out whether somebody has a second factor, nobody gets in and nothing is done."""

import pytest
import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from domain.identity.sessions import Level
from models import BrowserSession, File, Project, User, db
from tests.browsing import Browser
from tests.builders import PASSWORD, People, code_of
from tests.packages import a_wheel
from tests.requirements import requirement
from tests.uploading import upload


@pytest.fixture
def ana(people: People) -> User:
    return people.a_member("ana")


def lose_the_factors() -> None:
    """The database no longer answers what is asked of it about second factors."""
    db.session.execute(sa.text("DROP TABLE totp_app"))
    db.session.commit()


def count(entity: type[BrowserSession | File | Project], *conditions: sa.ColumnElement[bool]) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(entity).where(*conditions)) or 0


@requirement("R104")
@pytest.mark.parametrize("path", ["/manage/account/token/", "/manage/projects/create/", "/manage/account/"])
def test_a_gated_page_stays_closed(browser: Browser, ana: User, path: str) -> None:
    browser.sign_in(ana)
    lose_the_factors()

    page = browser.page(path, status=500)

    assert page.h1 == "Our mistake"
    assert "totp_app" not in page.html


@requirement("R104")
def test_a_gated_form_does_nothing(browser: Browser, ana: User) -> None:
    browser.sign_in(ana)
    token = browser.form_token()
    lose_the_factors()

    answer = browser._send("POST", "/manage/projects/create/", data={"csrf_token": token, "name": "tide-tables"})

    assert answer.status_code == 500
    assert count(Project) == 0


@requirement("R104")
def test_an_upload_is_refused(app: Flask, people: People, ana: User) -> None:
    _, token = people.a_token(ana)
    lose_the_factors()

    assert upload(app, token, a_wheel()).status_code == 500
    assert count(File) == 0


@requirement("R104")
def test_the_password_alone_signs_nobody_in(browser: Browser, ana: User) -> None:
    token = browser.form_token()
    lose_the_factors()

    fields = {"csrf_token": token, "username": "ana", "password": PASSWORD}
    answer = browser._send("POST", "/account/login/", data=fields)

    assert answer.status_code == 500
    assert count(BrowserSession, BrowserSession.level == Level.FULL.value) == 0


@requirement("R104")
def test_neither_does_a_code(browser: Browser, clock: SettableClock, ana: User) -> None:
    browser.sign_in(ana, level=Level.HALF)
    token, code = browser.form_token(), code_of(ana, clock)
    lose_the_factors()

    answer = browser._send("POST", "/account/two-factor/", data={"csrf_token": token, "totp_value": code})

    assert answer.status_code == 500
    assert count(BrowserSession, BrowserSession.level == Level.FULL.value) == 0
