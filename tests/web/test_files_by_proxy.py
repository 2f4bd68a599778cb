"""Files that a proxy sends: the application judges, counts and says under which headers, as if it sent them itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from adapters.clock import SettableClock
from app import create_app
from domain.index.downloads import Key
from domain.policy.principals import Grant
from models import File, Project, User, db
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.conftest import MakeApp, settings_for
from tests.packages import a_wheel
from tests.uploading import authorized, upload

OURS = {"X-Accel-Redirect", "Content-Length", "Content-Range", "Accept-Ranges", "Date"}  # what the proxy makes of it


@pytest.fixture
def app(make_app: MakeApp) -> Iterator[Flask]:
    application = make_app(accel_prefix="/_files/")
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def plain(app: Flask, tmp_path: Path, clock: SettableClock) -> Iterator[Flask]:
    """The same index without a proxy that sends files."""
    application = create_app(settings_for(tmp_path), clock=clock)
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def ana(app: Flask, people: People) -> User:
    member = people.a_member("ana")
    assert upload(app, people.a_token(member)[1], a_wheel()).status == "200 OK"
    return member


def wheel() -> File:
    db.session.rollback()
    return db.session.scalars(sa.select(File)).one()


def counted(app: Flask) -> Mapping[Key, int]:
    return wiring_of(app).downloads.take()


def place(sha256: str) -> str:
    return f"/_files/{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}"


def told(answer: TestResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name not in OURS}


@pytest.mark.parametrize("ending", ["", ".metadata"])
def test_the_proxy_is_told_what_to_send_under_the_same_headers(
    app: Flask, plain: Flask, ana: User, ending: str
) -> None:
    path = f"{wheel().path}{ending}"
    sha256 = wheel().metadata_sha256 if ending else wheel().sha256

    itself, handed = Browser(plain).get(path), Browser(app).get(path)

    assert (handed.status_code, handed.data) == (200, b"")
    assert handed.headers["X-Accel-Redirect"] == place(str(sha256))
    assert told(handed) == told(itself)
    assert handed.headers["ETag"] == f'"{sha256}"'
    assert "Accept-Ranges" not in handed.headers  # the proxy says that itself
    assert "X-Accel-Redirect" not in itself.headers


def test_a_part_is_the_proxys_to_cut_out_and_is_not_counted(app: Flask, ana: User) -> None:
    answer = Browser(app).get(wheel().path, headers={"Range": "bytes=0-9"})

    assert answer.status_code == 200
    assert answer.headers["X-Accel-Redirect"] == place(wheel().sha256)
    assert not {"Content-Range", "Accept-Ranges"} & set(answer.headers.keys())
    assert counted(app) == {}


def test_a_whole_file_is_counted_once(app: Flask, ana: User) -> None:
    Browser(app).get(wheel().path)

    assert list(counted(app).values()) == [1]


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("If-None-Match", '"{sha256}"', 304), ("Range", "bytes=99999999-", 416), ("If-Match", '"other"', 412)],
)
def test_what_needs_no_bytes_is_answered_here(app: Flask, ana: User, header: str, value: str, status: int) -> None:
    answer = Browser(app).get(wheel().path, headers={header: value.format(sha256=wheel().sha256)})

    assert answer.status_code == status
    assert "X-Accel-Redirect" not in answer.headers
    assert counted(app) == {}


def test_what_a_proxy_could_not_compare_is_sent_from_here(app: Flask, ana: User) -> None:
    answer = Browser(app).get(wheel().path, headers={"If-Match": f'"{wheel().sha256}"'})

    assert answer.data == a_wheel().content
    assert "X-Accel-Redirect" not in answer.headers


def test_the_proxy_is_told_nothing_of_a_file_that_is_not_there_for_whoever_asks(
    app: Flask, ana: User, people: People
) -> None:
    reads = people.a_token(ana, "reader", grants=(Grant.READ,))[1]
    path = wheel().path
    db.session.execute(sa.update(Project).values(is_private=True))
    db.session.commit()

    stranger, hers = Browser(app).get(path), Browser(app).get(path, headers=authorized(reads))

    assert stranger.status_code == 404
    assert "X-Accel-Redirect" not in stranger.headers
    assert hers.headers["X-Accel-Redirect"] == place(wheel().sha256)
    assert hers.headers["Cache-Control"].startswith("private, ")
    assert "Authorization" in hers.headers["Vary"]
