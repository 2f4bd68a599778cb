"""What installers ask for most, read past session and SQL compiler: these cost ten times as much as the database."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Engine, and_, bindparam, select
from sqlalchemy.exc import DBAPIError

from domain.index.codings import Coding
from domain.index.simple import Format, Rendered
from models import Catalogue, File, KeptPage, Project, Release


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a project's page. page: None for a name that is only reserved, and has no page kept."""

    project_id: int
    is_private: bool
    page: Rendered | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What is known of a file. metadata_sha256: of the METADATA beside it, if there is one."""

    metadata_sha256: str | None
    project_id: int
    version: str
    is_private: bool


def find_page(engine: Engine, name: str, form: Format, coding: Coding) -> Kept | None:
    """The page of the project with this normalized name, in this form and coding; None if there is no such project.

    Raises DBAPIError.
    """
    row = _first(engine, _page(engine.dialect), form=form.kept_as, coding=coding.value, name=name)
    if row is None:
        return None
    project_id, is_private, body, etag = row
    return Kept(project_id, bool(is_private), None if body is None else Rendered(body, etag))


def find_file(engine: Engine, filename: str, sha256: str) -> KnownFile | None:
    """The file of this name and digest; None if there is none. Raises DBAPIError."""
    row = _first(engine, _file(engine.dialect), filename=filename, sha256=sha256)
    if row is None:
        return None
    metadata_sha256, project_id, version, is_private = row
    return KnownFile(metadata_sha256, project_id, version, bool(is_private))


def changes(engine: Engine) -> int:
    """How often a name came or went until now. Raises DBAPIError."""
    row = _first(engine, _changes(engine.dialect))
    return row[0] if row is not None else 0


def _first(engine: Engine, statement: str, **values: str) -> Any:  # Any: a row as the driver gives it, or None
    """The first row that a statement finds. values: in the order in which it names them."""
    dialect = engine.dialect
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(statement, tuple(values.values()) if dialect.positional else values)
        row = cursor.fetchone()
        cursor.close()
    except dialect.loaded_dbapi.Error as error:
        connection.invalidate(error)
        raise DBAPIError.instance(statement, None, error, dialect.loaded_dbapi.Error) from error
    finally:
        connection.close()
    return row


@lru_cache(maxsize=32)
def _file(dialect: Dialect) -> str:
    columns = (File.metadata_sha256, Release.project_id, Release.version, Project.is_private)
    known = select(*columns).join(File.release).join(Release.project)
    same = and_(File.filename == bindparam("filename"), File.sha256 == bindparam("sha256"))
    return str(known.where(same).compile(dialect=dialect))


@lru_cache(maxsize=32)
def _changes(dialect: Dialect) -> str:
    return str(select(Catalogue.changes).compile(dialect=dialect))


@lru_cache(maxsize=32)
def _page(dialect: Dialect) -> str:
    same = and_(
        KeptPage.project_id == Project.id, KeptPage.form == bindparam("form"), KeptPage.coding == bindparam("coding")
    )
    found = select(Project.id, Project.is_private, KeptPage.body, KeptPage.etag).outerjoin(KeptPage, same)
    return str(found.where(Project.normalized_name == bindparam("name")).compile(dialect=dialect))
