"""Simple pages and files that everybody may read, answered before Flask wakes up: it is what installers ask for.

It is a short cut and no other way: the judge is asked as in the gate, and whatever is not plainly a page that is kept
and open goes on to the application. Its answers are the application's, header by header; a test compares them.
"""

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy.exc import DBAPIError
from werkzeug.http import http_date, is_resource_modified
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wsgi import wrap_file

from blueprints import wiring
from blueprints.gate import OPEN_TO_SCRIPTS
from blueprints.headers import always
from blueprints.simple.kept import headers_of, headers_of_file, is_address, negotiate
from domain.index import quick_reads
from domain.index.codings import Coding
from domain.index.downloads import Key
from domain.index.names import normalize
from domain.index.simple import Format, Rendered
from domain.policy.actions import Action
from domain.policy.decision import Permit
from domain.policy.judge import judge
from domain.policy.principals import Anonymous, Origin
from models import db

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PAGES, FILES = "/simple/", "/packages/"
METADATA = ".metadata"
NOBODY = Anonymous(Origin())
OF_A_BODY = frozenset({"Content-Type", "Content-Length", "Content-Encoding"})
CONDITIONS = ("RANGE", "IF_RANGE", "IF_MATCH", "IF_NONE_MATCH", "IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE")
OF_PARTS = frozenset(f"HTTP_{name}" for name in CONDITIONS)

Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]


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
        answer = self._answer(environ)
        if answer is None:
            return self.beyond(environ, start_response)
        status, headers, body = answer
        start_response(status, headers)
        return body

    def _answer(self, environ: "WSGIEnvironment") -> Answer | None:
        """What everybody may have; None where that is for the application to say."""
        path: str = environ["PATH_INFO"]
        answer = self._page_at if path.startswith(PAGES) else self._file_at if path.startswith(FILES) else None
        if answer is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in environ:
            return None
        policy, now = self._services.policy, self._services.clock.now()
        is_open = isinstance(judge(NOBODY, Action.READ_INDEX, None, policy, now), Permit)
        if not (is_open and self._is_our_host(environ.get("HTTP_HOST", ""))):
            return None
        try:
            return answer(path, environ)
        except DBAPIError:  # the application tries again, and knows how to say it
            return None

    def _page_at(self, path: str, environ: "WSGIEnvironment") -> Answer | None:
        rest = path.removeprefix(PAGES)
        form, coding = negotiate(environ.get("HTTP_ACCEPT"), environ.get("HTTP_ACCEPT_ENCODING"))
        page = self._page(rest, form, coding)
        if page is None:
            return None
        headers = [*self._headers(form, coding, not rest), ("ETag", page.etag)]
        if "HTTP_IF_NONE_MATCH" in environ and not is_resource_modified(environ, page.etag):
            return "304 NOT MODIFIED", [header for header in headers if header[0] not in OF_A_BODY], []
        headers.append(("Content-Length", str(len(page.body))))
        return "200 OK", headers, [page.body] if environ["REQUEST_METHOD"] == "GET" else []

    def _file_at(self, path: str, environ: "WSGIEnvironment") -> Answer | None:
        """A file as a whole, from a folder of this machine; it is counted like one that the application sends."""
        parts = path.removeprefix(FILES).split("/")
        if len(parts) != 4 or self._services.accel_prefix or not OF_PARTS.isdisjoint(environ):
            return None
        digest, shown = "".join(parts[:3]), parts[3]
        name = shown.removesuffix(METADATA)
        if not is_address(digest, name):
            return None
        found = quick_reads.find_file(self._engine, name, digest)
        sha256 = digest if shown == name else found and found.metadata_sha256
        if found is None or found.is_private or not sha256:
            return None
        path_of_it = self._services.store.local_path(sha256)
        if path_of_it is None:
            return None
        try:
            opened = path_of_it.open("rb")
        except OSError:
            return None
        facts = os.fstat(opened.fileno())
        headers = [
            *(always(is_https=self._services.is_https) | headers_of_file(shown, sha256) | OPEN_TO_SCRIPTS).items(),
            ("Content-Length", str(facts.st_size)),
            ("Last-Modified", http_date(facts.st_mtime)),
        ]
        if environ["REQUEST_METHOD"] == "HEAD":
            opened.close()
            return "200 OK", headers, []
        if shown == name:
            today = self._services.clock.now().date()
            self._services.downloads.add(Key(found.project_id, today, found.version))
        return "200 OK", headers, wrap_file(environ, opened)

    def _page(self, rest: str, form: Format, coding: Coding) -> Rendered | None:
        if not rest:
            return self._services.name_list.kept(quick_reads.changes(self._engine), form, coding)
        name = rest.removesuffix("/")
        if rest == name or not (name.isascii() and name.isprintable()) or normalize(name) != name:
            return None
        found = quick_reads.find_page(self._engine, name, form, coding)
        return found.page if found is not None and not found.is_private else None

    def _headers_of(self, form: Format, coding: Coding, is_list: bool) -> list[tuple[str, str]]:
        headers = headers_of(form, coding) | OPEN_TO_SCRIPTS
        if is_list:  # which private projects are on it depends on who asks
            headers["Vary"] += ", Authorization"
        return list((always(is_https=self._services.is_https) | headers).items())
