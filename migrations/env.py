"""Runs migrations on the application's own engine, so that they see the same pragmas and the same metadata."""

from alembic import context
from flask import current_app

from models import Base


def run_online() -> None:
    """Migrate the database that the application is configured for."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A table that is rebuilt must not cascade into those that refer to it.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
        options = current_app.extensions["migrate"].configure_args
        context.configure(connection=connection, target_metadata=Base.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run on a live database; there is no SQL script mode.")
run_online()
