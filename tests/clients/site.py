"""An index with nginx in front of it, as an operator sets it up, and what each of the two answers."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from adapters.clock import SettableClock
from app import create_app
from domain.policy.principals import Grant
from models import File, User, db
from tests.browsing import Browser
from tests.builders import People
from tests.clients.installation import Installation
from tests.clients.nginx import Nginx
from tests.clients.tools import twine_upload
from tests.conftest import settings_for
from tests.packages import a_wheel

JSON, V1_HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {V1_HTML}; q=0.1, text/html; q=0.01"
UV = f"{JSON}, {V1_HTML};q=0.2, text/html;q=0.01"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGE = "/simple/acme-utils/"
FROM_THE_TREE = re.compile('"[0-9a-f]{1,8}-[0-9a-f]+"')
# What the connection is to each, how each makes its ETag, and that parts can be had where one was sent.
OWN = {"server", "date", "connection", "keep-alive", "etag", "accept-ranges"}


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return ", ".join(value for each, value in self.headers if each.lower() == name.lower())

    @property
    def is_from_the_tree(self) -> bool:
        return FROM_THE_TREE.fullmatch(self["ETag"]) is not None

    @property
    def told(self) -> tuple[int, str, list[tuple[str, str]], bytes]:
        """All that should be the same whoever answers."""
        reason = self.reason.lower() if self.status in (200, 206, 304) else self.reason
        headers = sorted((name.lower(), value) for name, value in self.headers if name.lower() not in OWN)
        return self.status, reason, headers, self.body


def ask(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    """Send exactly this. headers: Accept_Encoding is Accept-Encoding."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in named.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    found = Answer(answer.status, answer.reason, answer.getheaders(), answer.read())
    connection.close()
    return found


class Site:
    """nginx and the index behind it, and the same index in this process, for what people do with it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.pages, self.files, self.work = folder / "pages", folder / "files", folder / "work"
        self.work.mkdir()
        self.nginx = Nginx(folder / "nginx")
        self._host = self.nginx.url.removeprefix("http://")
        self.index = Installation(
            folder,
            COUNTERSIGN_PUBLIC_URL=self.nginx.url,
            COUNTERSIGN_TRUSTED_PROXIES="1",
            COUNTERSIGN_STATIC_DIR=str(self.pages),
            COUNTERSIGN_STORAGE_URL=f"file://{self.files}",
            COUNTERSIGN_ACCEL_PREFIX="/_files/",
            COUNTERSIGN_MAX_FILE_MB="60",
            **settings,
        )
        self.nginx.start(backend_port=self.index.port, pages=self.pages, files=self.files)
        access = settings.get("COUNTERSIGN_READ_ACCESS", "public")
        self._settings = {
            "public_url": self.nginx.url,
            "database_url": f"sqlite:///{self.index.database}",
            "storage_url": f"file://{self.files}",
            "read_access": access,
        }
        self.app = self.application(static_dir=self.pages, accel_prefix="/_files/")
        with self.app.app_context():
            people = self.people()
            ana = people.a_member("ana")
            self.token = people.a_token(ana)[1]
            self.reads = people.a_token(ana, "reader", grants=(Grant.READ,))[1]
            self._ana_id = ana.id
            db.session.commit()

    def application(self, **settings: object) -> Flask:
        """The same index once more; with other settings, what it would say without nginx."""
        return create_app(settings_for(self.work, **{**self._settings, **settings}))

    def people(self) -> People:
        """Makes more of them, in an application context."""
        return People(self.app, SettableClock(datetime.now(UTC)))

    def close(self) -> None:
        """As when the index is started again for members only."""
        closed = self.application(static_dir=self.pages, read_access="members")
        with closed.app_context():
            db.engine.dispose()

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """What nginx answers."""
        return ask(self.nginx.port, path, method, **{"Host": self._host, **headers})

    def ask_behind(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """What the application answers."""
        return ask(self.index.port, path, method, **{"Host": self._host, **headers})

    def publish(self, name: str, version: str = "1.0") -> str:
        """A wheel of this project, uploaded through nginx with twine; the path of the file."""
        done = twine_upload(self.nginx.url, self.token, [a_wheel(name, version).write(self.work)])
        assert done.returncode == 0, done.stdout
        with self.app.app_context():
            found = db.session.scalars(sa.select(File).where(File.filename == a_wheel(name, version).filename)).one()
            return found.path

    def as_ana(self, path: str, **fields: str) -> None:
        """What Ana does in a browser, in another process than nginx asks."""
        with self.app.app_context():
            browser = Browser(self.app).sign_in(db.session.get_one(User, self._ana_id))
            assert browser.post(path, fields).status_code == 303

    def stop(self) -> None:
        self.nginx.stop()
        self.index.stop()
        with self.app.app_context():
            db.engine.dispose()
