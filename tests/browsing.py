"""A browser for tests: keeps cookies, sends the form token, and judges every page that it opens."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.clock import Clock
from blueprints import wiring
from domain.identity import sessions
from domain.identity.sessions import Level
from domain.policy.principals import Origin
from models import User, db

LABELLED = ("input", "select", "textarea")
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Page:
    """A page that was fetched and found to be well made."""

    response: TestResponse
    html: str
    root: Element

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def title(self) -> str:
        return self._only("title")

    @property
    def h1(self) -> str:
        return self._only("h1")

    @property
    def text(self) -> str:
        """All words of the page, white space folded."""
        body = self.root.find(".//body")
        return " ".join("".join(body.itertext() if body is not None else ()).split())

    @property
    def stop(self) -> str | None:
        """The words of the red banner, if the page has one."""
        found = self.root.find(".//*[@id='stop']")
        return None if found is None else " ".join("".join(found.itertext()).split())

    def value(self, name: str) -> str | None:
        """What stands in a field."""
        field = self.root.find(f".//*[@name='{name}']")
        if field is None:
            return None
        return field.get("value") if field.tag == "input" else "".join(field.itertext())

    def links(self) -> list[str]:
        """Where the page's links lead."""
        return [link.get("href", "") for link in self.root.iter("a")]

    def _only(self, tag: str) -> str:
        return " ".join("".join(element.itertext()) for element in self.root.iter(tag)).strip()


class Browser:
    """One person's browser."""

    def __init__(self, app: Flask, *, address: str = "203.0.113.7") -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.environ = {"REMOTE_ADDR": address, "HTTP_USER_AGENT": USER_AGENT}
        self.base_url = "https://" if wiring_of(app).is_https else "http://"
        self.base_url += wiring_of(app).site.host
        self.token: str | None = None

    def get(self, path: str, **options: Any) -> TestResponse:
        """Fetch without judging; redirects are not followed."""
        return self._send("GET", path, **options)

    def page(self, path: str, *, status: int = 200) -> Page:
        """Fetch a page, follow redirects, check that it is well made and has this status."""
        response = self.get(path)
        while 300 <= response.status_code < 400:
            response = self.get(response.headers["Location"])
        return self._judged(response, status)

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form with this session's form token; redirects are not followed."""
        data = {"csrf_token": self.form_token(), **(fields or {}), **more}
        return self._send("POST", path, data=data)

    def ask(self, path: str, fields: dict[str, Any] | None = None) -> TestResponse:
        """Send a form as the scripts of our pages do, which read JSON."""
        data = {"csrf_token": self.form_token(), **(fields or {})}
        return self._send(
            "POST", path, data=data, headers={"Accept": "application/json", "Referer": f"{self.base_url}/"}
        )

    def submit(self, path: str, fields: dict[str, Any] | None = None, *, status: int = 200, **more: Any) -> Page:
        """Send a form, follow redirects, and judge the page that one ends on."""
        response = self.post(path, fields, **more)
        while 300 <= response.status_code < 400:
            response = self.get(response.headers["Location"])
        return self._judged(response, status)

    def form_token(self) -> str:
        """A fresh form token of this session, as any page with a form carries it."""
        response = self.get("/account/login/?another")  # shown to people who are signed in as a redirect
        html = response.text if response.status_code == 200 else self.get("/manage/account/").text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
        assert found, "no page with a form token"
        return found.group(1)

    def sign_in(self, user: User, *, level: Level = Level.FULL) -> "Browser":
        """Put a session of this account into the browser, without going through the pages."""
        clock: Clock = wiring_of(self.app).clock
        user_id = user.id
        db.session.rollback()
        with self.app.app_context():
            origin, now = Origin(self.environ["REMOTE_ADDR"], USER_AGENT), clock.now()
            row, _ = sessions.start(db.session(), origin=origin, now=now)
            handle = sessions.step_up(
                db.session(),
                row,
                user_id=user_id,
                level=level,
                method="password",
                origin=origin,
                now=now,
                confirmed_at=now if level is Level.FULL else None,
            )
            db.session.commit()
        name = "__Host-countersign" if wiring_of(self.app).is_https else "countersign"
        self.client.set_cookie(name, handle, domain=urlsplit(self.base_url).hostname or "localhost")
        return self

    def _send(self, method: str, path: str, **options: Any) -> TestResponse:
        if has_app_context():
            db.session.rollback()  # the test's own transaction must not hold SQLite's write lock meanwhile
        parts = urlsplit(path)
        local = f"{parts.path}?{parts.query}" if parts.query else parts.path
        with self.app.app_context():  # nothing of an earlier request is left over, be it another browser's
            return self.client.open(
                local,
                method=method,
                base_url=self.base_url,
                environ_overrides=self.environ,
                buffered=True,  # read to the end and closed, files too
                **options,
            )

    def _judged(self, response: TestResponse, status: int) -> Page:
        assert response.status_code == status, f"{response.status} for {response.request.path}: {response.text[:2000]}"
        html = response.text
        parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
        root = parser.parse(html)
        serious = [error for error in parser.errors if error[1] not in TOLERATED]
        assert not serious, f"invalid HTML on {response.request.path}: {serious[:5]}"
        check_page(root, html, response)
        return Page(response, html, root)


TOLERATED: frozenset[str] = frozenset()


def check_page(root: Element, html: str, response: TestResponse) -> None:
    """What every page must have: a title, one h1, labelled fields, our policy, nothing inline."""
    where = response.request.path
    title = root.find(".//title")
    assert title is not None, where
    assert (title.text or "").strip(), where
    assert len(list(root.iter("h1"))) == 1, f"{where} has not exactly one h1"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"], where
    assert " style=" not in html, f"{where} has an inline style"
    assert not re.search(r"\son[a-z]+=", html), f"{where} has an inline handler"
    assert not [script for script in root.iter("script") if "".join(script.itertext()).strip()], (
        f"{where} has an inline script"
    )
    ids = [element.get("id", "") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)), f"{where} uses an id twice: {sorted(i for i in set(ids) if ids.count(i) > 1)}"
    labelled = {label.get("for") for label in root.iter("label")}
    wrapped = {field for label in root.iter("label") for field in label.iter() if field.tag in LABELLED}
    for field in root.iter():
        if field.tag not in LABELLED or field.get("type") in ("hidden", "submit", "button"):
            continue
        named = (
            field.get("id") in labelled or field in wrapped or field.get("aria-label") or field.get("aria-labelledby")
        )
        assert named, f"{where}: the field {field.get('name')} has no label"


def wiring_of(app: Flask) -> wiring.Services:
    """The services of an application, outside a request."""
    found: wiring.Services = app.extensions[wiring.EXTENSION]
    return found
