"""What every test can ask for: an application on its own SQLite file, a clock, a mailbox, people, browsers."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
import sqlalchemy as sa
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from adapters.clock import SettableClock
from adapters.mail import MemoryMailer
from app import create_app
from config import Settings
from domain.notices import Notices
from models import Base
from models.base import db, prepare_engine
from tests.browsing import Browser, wiring_of
from tests.builders import People
from tests.cloud import Cloud, a_cloud, be_configured

POSTGRES_URL = os.environ.get("COUNTERSIGN_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=5_000)  # of `make fuzz`
hypothesis.settings.load_profile("unhurried")
os.environ["FLASK_SKIP_DOTENV"] = "1"  # a developer's own settings are none of the tests' business
REQUIRE_ALL = bool(os.environ.get("COUNTERSIGN_TESTS_REQUIRE_ALL"))
CLIENTS = ("twine", "uv", "hatch", "poetry", "pdm", "flit", "pip", "build")
START = datetime(2026, 11, 22, 14, 5, 10, tzinfo=UTC)


def settings_for(folder: Path, **changes: object) -> Settings:
    """Settings of an index in `folder`, with hashes that take no time."""
    values: dict[str, object] = {
        "public_url": "http://localhost:8000",
        "data_dir": folder,
        "database_url": f"sqlite:///{folder / 'countersign.sqlite3'}",
        "storage_url": "file:",
        "secret_key": "a test key that is thirty-two characters long",
        "encryption_keys": (b"0123456789abcdef0123456789abcdef",),
        "hash_time_cost": 1,
        "hash_memory_kib": 8,
    }
    return Settings(**{**values, **changes})  # type: ignore[arg-type]


@sa.event.listens_for(sa.Engine, "connect")
def _skip_the_disk(connection: Any, record: object) -> None:  # Any: a DBAPI connection has no type
    """No test survives a power cut; waiting for the disk at every commit is most of what a test would take."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all applications of a run: each test makes a new one."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


def pytest_report_header() -> str:
    """The versions of the tools that publish and install in tests/clients."""
    return "clients: " + ", ".join(f"{tool} {metadata.version(tool)}" for tool in CLIENTS)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no row, to copy: faster than making the tables for each test."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite3"
    engine = sa.create_engine(f"sqlite:///{path}")
    prepare_engine(engine)
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    engine.dispose()
    return path


@pytest.fixture
def clock() -> SettableClock:
    """The application's clock; it stands still until it is moved."""
    return SettableClock(START)


@pytest.fixture
def mailbox() -> MemoryMailer:
    """Where delivered mail ends up."""
    return MemoryMailer()


MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(tmp_path: Path, empty_database: Path, clock: SettableClock, mailbox: MemoryMailer) -> MakeApp:
    """Builds the application; keyword arguments change its settings."""

    def make(**changes: object) -> Flask:
        settings = settings_for(tmp_path, **changes)
        if settings.database_url.startswith("sqlite"):
            shutil.copy(empty_database, tmp_path / "countersign.sqlite3")
        application = create_app(settings, clock=clock, mailer=mailbox)
        application.jinja_env.bytecode_cache = COMPILED
        return application

    return make


@pytest.fixture
def app(make_app: MakeApp) -> Iterator[Flask]:
    """The application with its default settings, in an application context."""
    application = make_app()
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser that nobody is signed in with."""
    return Browser(app)


@pytest.fixture
def people(app: Flask, clock: SettableClock) -> People:
    """Makes accounts in any state: `people.a_user("ana").verified().with_totp()`."""
    return People(app, clock)


@pytest.fixture
def notices(app: Flask) -> Notices:
    """The application's outbox."""
    return wiring_of(app).notices


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL schema of this test's own, as a database URL."""
    name = f"countersign_{uuid.uuid4().hex[:12]}"
    try:
        server = sa.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
        with server.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    except sa.exc.OperationalError:
        unavailable("no PostgreSQL answers at COUNTERSIGN_TEST_POSTGRES_URL")
    url = sa.make_url(POSTGRES_URL).set(database=name)
    yield url.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_app(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Flask]:
    """The application on each database in turn, in an application context: for what happens at the same time."""
    url = {"database_url": request.getfixturevalue("postgres_url")} if request.param == "postgresql" else {}
    application = make_app(**url)
    with application.app_context():
        Base.metadata.create_all(db.engine)
        yield application
        db.session.remove()
        db.engine.dispose()


def unavailable(reason: str) -> NoReturn:
    """Skip with a plain reason; where everything is required, fail."""
    if REQUIRE_ALL:
        pytest.fail(f"required here, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def one_cloud() -> Iterator[Cloud]:
    """One for all tests of a file: it takes a second to make."""
    with a_cloud() as found:
        yield found


@pytest.fixture
def cloud(one_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Empty, answering, and named by the environment."""
    one_cloud.empty()
    be_configured(monkeypatch, one_cloud)
    return one_cloud
