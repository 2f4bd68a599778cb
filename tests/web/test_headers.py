"""Every answer carries the headers that keep browsers from being turned against us."""

import pytest
from flask import Flask, request

from blueprints.browser_session import origin_of
from tests.browsing import Browser
from tests.builders import People
from tests.conftest import MakeApp
from tests.letters import letters
from tests.requirements import requirement

EXPECTED_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@requirement("R92", "R93")
@pytest.mark.parametrize("path", ["/", "/help/", "/account/login/", "/no/such/page", "/manage/account/", "/_health/"])
def test_every_answer_is_protected(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers

    assert headers["Content-Security-Policy"] == EXPECTED_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    permitted = headers["Permissions-Policy"].split(", ")
    assert {"publickey-credentials-create=(self)", "publickey-credentials-get=(self)", "camera=()"} <= set(permitted)
    assert "Strict-Transport-Security" not in headers


@requirement("R94")
def test_pages_of_somebody_signed_in_are_kept_nowhere(browser: Browser, people: People) -> None:
    browser.sign_in(people.a_member())

    for path in ("/", "/manage/account/", "/manage/projects/"):
        assert browser.get(path).headers["Cache-Control"] == "no-store"


@requirement("R66", "R93")
def test_over_tls_browsers_are_told_to_stay_there_and_cookies_are_bound_to_the_host(
    make_app: MakeApp,
) -> None:
    app = make_app(public_url="https://index.example")
    browser = Browser(app)

    answer = browser.get("/account/login/")

    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-countersign=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_a_visitor_who_only_reads_gets_no_cookie(browser: Browser) -> None:
    for path in (
        "/",
        "/help/",
        "/help/policy/",
        "/search/",
        "/simple/",
        "/_health/",
        "/static/css/tokens.css",
    ):
        assert "Set-Cookie" not in browser.get(path).headers, path


@requirement("R44", "R96")
def test_a_host_that_is_not_ours_is_refused(app: Flask) -> None:
    for host in ("evil.example", "localhost.evil.example", "evil.example:8000"):
        answer = app.test_client().get("/", headers={"Host": host})

        assert answer.status_code == 400
        assert "evil" not in answer.text


@requirement("R96")
def test_links_in_mails_name_the_public_address_whatever_host_was_asked(browser: Browser, people: People) -> None:
    people.a_user("ana").verified().build()
    browser.base_url = "http://127.0.0.1:9999"  # another name of this machine, which is served

    answer = browser.post("/account/request-password-reset/", username_or_email="ana")

    assert answer.status_code == 200
    [letter] = letters("ana@mail.example")
    assert "http://localhost:8000/account/reset-password/?token=" in letter.text
    assert "127.0.0.1" not in letter.text + letter.html


@requirement("R97")
def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(make_app: MakeApp) -> None:
    for proxies, expected in ((0, "203.0.113.7"), (1, "198.51.100.1")):
        app = make_app(trusted_proxies=proxies)
        seen: list[str] = []
        app.before_request(lambda seen=seen: seen.append(origin_of(request).address))
        Browser(app).get("/_health/", headers={"X-Forwarded-For": "192.0.2.9, 198.51.100.1"})

        assert seen == [expected]
