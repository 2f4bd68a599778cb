"""The base of every table, the database handle, and how connections behave."""

from datetime import UTC, datetime
from typing import Annotated, Any

from flask import has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import TypeDecorator

BUSY_TIMEOUT_MS = 10_000

# Named constraints, so that a migration on either database can drop what another one made.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment. SQLite forgets time zones: it is stored there as naive UTC and given back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table derives from this one, never from `db.Model`: it is what the type checker can read."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime()}  # noqa: RUF012 - SQLAlchemy's own spelling


Id = Annotated[int, mapped_column(primary_key=True)]


class ModeSession(FlaskSession):
    """A session that knows whether it reads or writes, so that SQLite's one write lock is taken only by writers.

    In requests that only read `session.info["reading"]` is set; every other transaction begins with the lock in hand,
    because a transaction that read first and writes later fails at once when another one wrote in between.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.info["reading"] = has_request_context() and request.method in ("GET", "HEAD", "OPTIONS")

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:  # Any: SQLAlchemy's own open signature
        bind = super().get_bind(*args, **kwargs)
        if self.info.get("reading") and isinstance(bind, Engine) and bind.dialect.name == "sqlite":
            # The same one for the whole session: to SQLAlchemy another engine is another database, and every statement
            # would get a connection of its own, until a page with many of them waits for itself.
            readers: dict[Engine, Engine] = self.info.setdefault("readers", {})
            return readers.setdefault(bind, bind.execution_options(sqlite_reading=True))
        return bind


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": ModeSession})


def insert_into(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT in the words of the session's database, which can say what to do where there is such a row."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def begin_writing(session: Session) -> None:
    """Leave whatever the session has read or half changed behind, and let its next transaction be a writing one."""
    session.rollback()
    session.info["reading"] = False


def prepare_engine(engine: Engine) -> None:
    """Give a SQLite engine WAL, foreign keys, patience with other writers and explicit transactions."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_sqlite_transaction)


def _prepare_sqlite_connection(connection: Any, record: object) -> None:  # Any: a DBAPI connection has no type
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite_transaction(connection: Connection) -> None:
    reading = connection.get_execution_options().get("sqlite_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
