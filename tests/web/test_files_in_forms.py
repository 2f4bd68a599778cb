"""No page has a field for a file: a form that brings one is refused before a text is expected in it."""

import io

import pytest
from flask import Flask, url_for
from werkzeug.datastructures import FileStorage

from blueprints.caller import Channel
from tests.browsing import Browser
from tests.builders import People
from tests.test_gate import gated_routes, somebody

OPEN = {
    "/account/login/": ("username", "password"),
    "/account/register/": ("username", "email", "new_password", "password_confirm", "full_name"),
    "/account/request-password-reset/": ("username_or_email",),
}
NAMES = (
    "username", "email", "name", "description", "networks", "names", "reason", "confirm", "receiver", "label",
    "password",
    "totp_value", "full_name", "url", "owner", "repository", "question", "answer", "display_name",
    "project_name",
)  # fmt: skip


def a_file() -> FileStorage:
    return FileStorage(io.BytesIO(b"text"), "text.txt")


@pytest.mark.parametrize("path", OPEN)
def test_a_stranger_is_told_that_it_does_not_fit(browser: Browser, path: str) -> None:
    for name in OPEN[path]:
        assert browser.post(path, {name: a_file()}).status_code == 400, name


def test_nobody_breaks_a_page_with_a_file(app: Flask, people: People) -> None:
    nora, values = somebody(people, verified=True)
    browser, walked = Browser(app).sign_in(nora), 0

    for route in gated_routes(app, Channel.BROWSER):
        if route.method != "POST":
            continue
        with app.test_request_context():
            address = url_for(route.rule.endpoint, **{name: values[name] for name in route.rule.arguments})
        answer = browser.post(address, {name: a_file() for name in NAMES})
        assert answer.status_code == 400, (address, answer.status)
        walked += 1

    assert walked > 50
