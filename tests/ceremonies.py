"""What the script of a page does with a passkey: ask for options, have the key answer, send the answer."""

import json
from collections.abc import Callable

from werkzeug.test import TestResponse

from tests.authenticator import Authenticator, Json
from tests.browsing import Browser

ADD, AUTHENTICATE, CONFIRM = (
    "/manage/account/webauthn-provision/",
    "/account/webauthn-authenticate/",
    "/account/reauthenticate/",
)
SIGN_IN, SECOND_STEP = {"step": "sign-in"}, {"step": "second-step"}


def ask(browser: Browser, path: str, fields: dict[str, str] | None = None) -> Json:
    """The options of a ceremony that begins."""
    response = browser.ask(f"{path}options", fields)
    assert response.status_code == 200, response.text
    options: Json = response.get_json()
    return options


def answer(browser: Browser, path: str, credential: Json, fields: dict[str, str] | None = None) -> TestResponse:
    """What comes of sending the answer of a key."""
    return browser.ask(f"{path}validate", {**(fields or {}), "credential": json.dumps(credential)})


def add(
    browser: Browser, authenticator: Authenticator, label: str = "", create: Callable[[Json], Json] | None = None
) -> TestResponse:
    """Add a key to the account that is signed in. create: how the authenticator answers, if not truly."""
    options = ask(browser, ADD, {"label": label})
    return answer(browser, ADD, (create or authenticator.create)(options), {"label": label})


def sign_in(
    browser: Browser, authenticator: Authenticator, get: Callable[[Json], Json] | None = None, **fields: str
) -> TestResponse:
    """Sign in with a passkey. get: how the authenticator answers, if not truly."""
    return answer(
        browser, AUTHENTICATE, (get or authenticator.get)(ask(browser, AUTHENTICATE, SIGN_IN)), {**SIGN_IN, **fields}
    )


def second_step(
    browser: Browser, authenticator: Authenticator, get: Callable[[Json], Json] | None = None, **fields: str
) -> TestResponse:
    """Answer with a key after the password."""
    options = ask(browser, AUTHENTICATE, SECOND_STEP)
    return answer(browser, AUTHENTICATE, (get or authenticator.get)(options), {**SECOND_STEP, **fields})


def confirm(
    browser: Browser,
    authenticator: Authenticator,
    get: Callable[[Json], Json] | None = None,
    password: str = "",
) -> TestResponse:
    """Confirm with a key that it is you."""
    credential = (get or authenticator.get)(ask(browser, CONFIRM))
    return answer(browser, CONFIRM, credential, {"password": password})
