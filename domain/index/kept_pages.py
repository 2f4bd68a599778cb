"""The pages that are kept ready, read as fast as the database gives them: they are what installers ask for most."""

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Dialect, Engine, and_, bindparam, select, text
from sqlalchemy.exc import DBAPIError

from domain.index.codings import Coding
from domain.index.simple import Format, Rendered
from models import PackedPage, Project, SimplePage


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a project's page. page: None for a name that is only reserved, and has no page kept."""

    project_id: int
    is_private: bool
    page: Rendered | None


def find(engine: Engine, name: str, form: Format, coding: Coding) -> Kept | None:
    """The page of the project with this normalized name, in this form and coding; None if there is no such project.

    By one statement straight to the driver: session and SQL compiler would cost ten times as much as the database.
    Raises DBAPIError.
    """
    statement = _statement(engine.dialect, form is Format.JSON, coding)
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(statement, (name,) if engine.dialect.positional else {"name": name})
        row = cursor.fetchone()
        cursor.close()
    except engine.dialect.loaded_dbapi.Error as error:
        connection.invalidate(error)
        raise DBAPIError.instance(statement, None, error, engine.dialect.loaded_dbapi.Error) from error
    finally:
        connection.close()
    if row is None:
        return None
    project_id, is_private, body, etag = row
    return Kept(project_id, bool(is_private), None if body is None else Rendered(body, etag))


@lru_cache(maxsize=32)
def _statement(dialect: Dialect, as_json: bool, coding: Coding) -> str:
    project = select(Project.id, Project.is_private)
    if coding is not Coding.IDENTITY:
        which = text(f"form = '{'json' if as_json else 'html'}' AND coding = '{coding.value}'")
        same = and_(PackedPage.project_id == Project.id, which)
        found = project.add_columns(PackedPage.body, PackedPage.etag).outerjoin(PackedPage, same)
    elif as_json:
        found = project.add_columns(SimplePage.json, SimplePage.json_etag).outerjoin(SimplePage)
    else:
        found = project.add_columns(SimplePage.html, SimplePage.html_etag).outerjoin(SimplePage)
    return str(found.where(Project.normalized_name == bindparam("name")).compile(dialect=dialect))
