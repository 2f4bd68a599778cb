"""Migrations go up and down on both databases, and end where the tables of the code begin."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from app import create_app
from domain.index.codings import Coding, decode
from models import Base, KeptPage, db
from tests.conftest import settings_for
from tests.requirements import requirement

SCRIPTS = ScriptDirectory(str(Path(__file__).parents[2] / "migrations"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on an empty database of each kind."""
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    app = create_app(settings_for(tmp_path, database_url=url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def tables() -> set[str]:
    names = sa.inspect(db.engine).get_table_names()
    return {name for name in names if name != "alembic_version" and not is_full_text(name)}


def is_full_text(name: str | None) -> bool:
    """Whether this belongs to the full-text index, which each database has in a form of its own."""
    return (name or "").startswith(("search_index", "search_text_document"))


def is_ours(thing: object, name: str | None, *_: object) -> bool:
    """Whether this is a table or index that the code describes."""
    return not is_full_text(name)


def test_all_the_way_up_makes_the_tables_of_the_code(empty: Flask) -> None:
    upgrade()

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_ours})
        assert compare_metadata(context, Base.metadata) == []
    assert tables() == set(Base.metadata.tables)


@requirement("R10")
def test_a_fresh_index_holds_no_account_and_nothing_else(empty: Flask) -> None:
    upgrade()

    assert [table for table in Base.metadata.sorted_tables if db.session.execute(sa.select(table)).first()] == []


def test_all_the_way_down_leaves_nothing_and_up_again_works(empty: Flask) -> None:
    upgrade()
    downgrade(revision="base")
    assert tables() == set()

    upgrade()
    assert tables() == set(Base.metadata.tables)


def test_a_table_that_is_rebuilt_takes_no_row_of_others_along(empty: Flask) -> None:
    upgrade(revision="0001")
    with db.engine.begin() as connection:
        tables_then = sa.MetaData()
        tables_then.reflect(connection, only=["user", "email", "session"])
        now = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
        user = {
            "id": 1,
            "username": "ana",
            "username_key": "ana",
            "full_name": "",
            "is_active": True,
            "is_admin": False,
        }
        connection.execute(
            tables_then.tables["user"].insert().values(**user, password_changed_at=now, registered_at=now)
        )
        email = {"user_id": 1, "address": "ana@mail.example", "address_key": "ana@mail.example", "is_primary": True}
        connection.execute(tables_then.tables["email"].insert().values(**email, added_at=now))

    for revision in ("head", "0001"):
        (downgrade if revision == "0001" else upgrade)(revision=revision)
        with db.engine.connect() as connection:
            kept = connection.exec_driver_sql(
                'SELECT (SELECT count(*) FROM "user"), (SELECT count(*) FROM email)'
            ).one()
        assert tuple(kept) == (1, 1), revision


def test_partial_indexes_are_there(empty: Flask) -> None:
    upgrade()

    names = {index["name"] for index in sa.inspect(db.engine).get_indexes("email")}

    assert {"uq_email_verified_address_key", "uq_email_primary_user_id"} <= names


def test_there_is_one_line_of_migrations() -> None:
    assert len(SCRIPTS.get_heads()) == 1
    assert len(SCRIPTS.get_bases()) == 1


def test_pages_that_are_there_already_are_kept_in_every_coding_and_come_back(empty: Flask) -> None:
    upgrade(revision="0009")
    project = {"id": 1, "name": "acme", "normalized_name": "acme", "lookalike_key": "acme", "status": "active"}
    now = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    project |= {"takes_tokens": True, "summary": "", "created_at": now, "updated_at": now}
    page = {"project_id": 1, "html": b"<html>", "html_etag": '"h"', "json": b"{}", "json_etag": '"j"'}
    with db.engine.begin() as connection:
        then = sa.MetaData()
        then.reflect(connection, only=["project", "simple_page"])
        connection.execute(then.tables["project"].insert().values(project))
        connection.execute(then.tables["simple_page"].insert().values(page))

    upgrade()
    kept = sa.select(KeptPage.form, KeptPage.coding, KeptPage.etag, KeptPage.body)
    rows = {(form, coding): (etag, body) for form, coding, etag, body in db.session.execute(kept)}
    db.session.remove()
    downgrade(revision="0009")

    assert {key: decode(body, Coding(key[1])) for key, (_, body) in rows.items()} == {
        (form, coding.value): body for form, body in (("html", b"<html>"), ("json", b"{}")) for coding in Coding
    }
    assert (rows["html", "identity"][0], rows["json", "identity"][0]) == ('"h"', '"j"')
    with db.engine.connect() as connection:
        assert dict(connection.execute(sa.select(then.tables["simple_page"])).mappings().one()) == page
