"""Errors have pages of their own, and words for programs."""

import io

import pytest
from flask import Flask, abort
from gunicorn.http.errors import InvalidChunkSize
from sqlalchemy.orm.exc import StaleDataError

from blueprints.gate import public
from domain.problems import Problem
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp

CODES = (400, 401, 403, 404, 405, 413, 429, 500)


@pytest.fixture
def breaking(make_app: MakeApp) -> Flask:
    """An application with routes that fail in every way."""
    app = make_app()

    @app.get("/break/<int:code>/")
    @public
    def fail(code: int) -> str:
        if code == 500:
            raise RuntimeError("secret detail")
        abort(code)

    return app


@pytest.mark.parametrize("code", CODES)
def test_each_error_has_a_page(breaking: Flask, code: int) -> None:
    page = Browser(breaking).page(f"/break/{code}/", status=code)

    assert page.h1
    assert "secret detail" not in page.html
    assert "Werkzeug" not in page.html


@pytest.mark.parametrize("code", CODES)
def test_a_program_gets_a_sentence_and_a_problem(breaking: Flask, code: int) -> None:
    answer = Browser(breaking).get(f"/break/{code}/", headers={"Accept": "application/json"})

    assert answer.status_code == code
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == code
    assert answer.json["detail"]


def test_a_method_that_does_not_exist_names_those_that_do(browser: Browser) -> None:
    answer = browser.client.put("/help/", base_url=browser.base_url)

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_form_without_its_token_is_refused_in_words(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member())

    answer = browser.client.post("/account/logout/", base_url=browser.base_url)

    assert answer.status_code == 400
    assert "gone stale" in answer.text


def test_a_form_token_of_another_session_is_refused(app: Flask, people: People) -> None:
    ana, bo = Browser(app).sign_in(people.a_member("ana")), Browser(app).sign_in(people.a_member("bo"))

    answer = bo.client.post("/account/logout/", base_url=bo.base_url, data={"csrf_token": ana.form_token()})

    assert answer.status_code == 400


def test_a_form_that_is_too_large_is_refused(browser: Browser) -> None:
    answer = browser.client.post("/account/login/", base_url=browser.base_url, data={"username": "x" * 1_100_000})

    assert answer.status_code == 413


class BrokenChunks(io.RawIOBase):
    """A chunked body whose sizes are none, as gunicorn finds while it is read."""

    def readinto(self, buffer: object) -> int:
        raise InvalidChunkSize(b"zz")


@pytest.mark.parametrize("path", ["/account/login/", "/account/theme/"])
def test_a_body_in_broken_chunks_is_the_senders_mistake(browser: Browser, path: str) -> None:
    environ = {"wsgi.input": BrokenChunks(), "wsgi.input_terminated": True}
    answer = browser.client.post(
        path,
        base_url=browser.base_url,
        environ_overrides=environ,
        content_type="application/x-www-form-urlencoded",
        headers={"Transfer-Encoding": "chunked"},
    )

    assert answer.status_code == 400


@pytest.mark.parametrize("error", [Problem("This was changed meanwhile."), StaleDataError("gone")])
def test_what_changed_meanwhile_is_a_conflict_in_words(make_app: MakeApp, error: Exception) -> None:
    app = make_app()

    @app.get("/collide/")
    @public
    def collide() -> str:
        raise error

    page = Browser(app).page("/collide/", status=409)

    assert page.h1 == "Nothing was changed"
    assert "StaleData" not in page.html
