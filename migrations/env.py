"""Runs migrations on the application's own engine, so that they see the same pragmas and the same metadata."""

from alembic import context
from flask import current_app

from models import Base


def run_online() -> None:
    """Migrate the database that the application is configured for."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A table that is rebuilt is dropped on the way, which would remove the rows that refer to it. Said to the
            # driver itself: our engine begins a transaction before any statement, and within one SQLite ignores this.
            driver = connection.connection.dbapi_connection
            assert driver is not None  # noqa: S101 - it was opened just above
            driver.execute("PRAGMA foreign_keys=OFF")
        options = current_app.extensions["migrate"].configure_args
        context.configure(connection=connection, target_metadata=Base.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()  # the next connection keeps foreign keys again


if context.is_offline_mode():
    raise SystemExit("Migrations run on a live database; there is no SQL script mode.")
run_online()
