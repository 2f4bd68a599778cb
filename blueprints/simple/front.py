"""Simple pages that everybody may read, answered before Flask wakes up: installers ask for them more than for all else.

It is a short cut and no other way: the judge is asked as in the gate, and whatever is not plainly a page that is kept
and open goes on to the application. Its answers are the application's, header by header; a test compares them.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy.exc import DBAPIError
from werkzeug.http import is_resource_modified
from werkzeug.sansio.utils import host_is_trusted

from blueprints import wiring
from blueprints.gate import OPEN_TO_SCRIPTS
from blueprints.headers import always
from blueprints.simple.kept import headers_of, negotiate
from domain.index import quick_reads
from domain.index.codings import Coding
from domain.index.names import normalize
from domain.index.simple import Format, Rendered
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Anonymous, Origin
from models import db

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/simple/"
NOBODY = Anonymous(Origin())
OF_A_BODY = frozenset({"Content-Type", "Content-Length", "Content-Encoding"})

Answer = tuple[str, list[tuple[str, str]], bytes]


class Front:
    """A WSGI application that answers what it can by itself, and hands the rest on to the one `beyond`."""

    def __init__(self, app: Flask) -> None:
        self.beyond: WSGIApplication = app.wsgi_app
        self._services: wiring.Services = app.extensions[wiring.EXTENSION]
        with app.app_context():
            self._engine = db.engine
        self._is_our_host: Callable[[str], bool] = lru_cache(maxsize=64)(
            lambda host: host_is_trusted(host, app.config["TRUSTED_HOSTS"])
        )
        self._headers = lru_cache(maxsize=32)(self._headers_of)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_plain = environ["REQUEST_METHOD"] in ("GET", "HEAD") and "HTTP_AUTHORIZATION" not in environ
        path: str = environ["PATH_INFO"]
        answer = None
        if is_plain and path.startswith(PREFIX) and self._is_our_host(environ.get("HTTP_HOST", "")):
            answer = self._answer(path.removeprefix(PREFIX), environ)
        if answer is None:
            return self.beyond(environ, start_response)
        status, headers, body = answer
        start_response(status, headers)
        return [body] if environ["REQUEST_METHOD"] == "GET" else []

    def _answer(self, rest: str, environ: "WSGIEnvironment") -> Answer | None:
        """The page that the rest of the path names; None where that is for the application to say."""
        services = self._services
        decision = judge(NOBODY, Action.READ_INDEX, None, services.policy, services.clock.now())
        if not isinstance(decision, Permit):
            return None
        form, coding = negotiate(environ.get("HTTP_ACCEPT"), environ.get("HTTP_ACCEPT_ENCODING"))
        try:
            page = self._page(rest, form, coding)
        except DBAPIError:  # the application tries again, and knows how to say it
            return None
        if page is None:
            return None
        headers = [*self._headers(form, coding, not rest), ("ETag", page.etag)]
        if "HTTP_IF_NONE_MATCH" in environ and not is_resource_modified(environ, page.etag):
            return "304 NOT MODIFIED", [header for header in headers if header[0] not in OF_A_BODY], b""
        return "200 OK", [*headers, ("Content-Length", str(len(page.body)))], page.body

    def _page(self, rest: str, form: Format, coding: Coding) -> Rendered | None:
        if not rest:
            return self._services.name_list.kept(quick_reads.changes(self._engine), form, coding)
        name = rest.removesuffix("/")
        if rest == name or not (name.isascii() and name.isprintable()) or normalize(name) != name:
            return None
        found = quick_reads.find_page(self._engine, name, form, coding)
        return found.page if found is not None and not found.is_private else None

    def _headers_of(self, form: Format, coding: Coding, is_list: bool) -> list[tuple[str, str]]:
        headers = dict(headers_of(form, coding)) | OPEN_TO_SCRIPTS
        if is_list:  # which private projects are on it depends on who asks
            headers["Vary"] += ", Authorization"
        return list((always(is_https=self._services.is_https) | headers).items())
