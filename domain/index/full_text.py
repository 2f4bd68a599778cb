"""Finding projects by their words, in the full-text index that each database has of its own."""

from enum import Enum

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Label,
    Select,
    case,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from domain.index.names import normalize
from domain.index.search_texts import words
from models import Project, PythonVersion, SearchText
from models.search import POSTGRESQL_DOCUMENT


class Order(Enum):
    """How results are arranged; the values are the wire's (`o`)."""

    RELEVANCE = ""
    NAME = "name"
    UPDATED = "-updated"


class Found:
    """The projects that a query finds, to be counted and arranged. Without words it finds all.

    among: which projects are there for whoever searches.
    """

    def __init__(self, db: Session, query: str, among: ColumnElement[bool]) -> None:
        self._db, self._among = db, among
        self._whole = normalize("-".join(query.split()))
        self._match = _match(db, words(query).split())
        self._all = not query.split()

    def narrowed(self, status: str | None, python: str | None) -> list[ColumnElement[bool]]:
        """The conditions on projects: what was searched for, and what it was narrowed to."""
        conditions = [self._among] if self._all else [self._among, self._is_found()]
        if status is not None:
            conditions.append(Project.status == status)
        if python is not None:
            theirs = select(PythonVersion.project_id).where(PythonVersion.version == python)
            conditions.append(Project.id.in_(theirs))
        return conditions

    def arranged(self, order: Order) -> Select[Project]:
        """All projects in this order; by relevance, those come first whose name is nearest to the query, then those
        that hold its words in more telling places."""
        name = Project.normalized_name
        if order is Order.UPDATED:
            return select(Project).order_by(Project.updated_at.desc(), name)
        if order is Order.NAME or self._all:
            return select(Project).order_by(name)
        nearness = case(
            (name == self._whole, 0),
            (name.startswith(self._whole, autoescape=True), 1),
            (name.contains(self._whole, autoescape=True), 2),
            else_=3,
        )
        if self._match is None:
            return select(Project).order_by(nearness, name)
        joined = select(Project).outerjoin(self._match, self._match.c.project_id == Project.id)
        return joined.order_by(nearness, self._match.c.rank.nulls_last(), name)

    def statuses(self, python: str | None) -> dict[str, int]:
        """How many there are of each status."""
        counted = (
            select(Project.status, func.count().label("number"))
            .where(*self.narrowed(None, python))
            .group_by(Project.status)
        )
        return {row.status: row.number for row in self._db.execute(counted.order_by(Project.status))}

    def pythons(self, status: str | None) -> dict[str, int]:
        """How many say that they are for each version of Python, the newest first."""
        number = func.count().label("number")
        counted = select(PythonVersion.version, number).join(Project, Project.id == PythonVersion.project_id)
        counted = counted.where(*self.narrowed(status, None)).group_by(PythonVersion.version)
        found = {row.version: row.number for row in self._db.execute(counted)}
        return {version: found[version] for version in sorted(found, key=_as_numbers, reverse=True)}

    def _is_found(self) -> ColumnElement[bool]:
        in_name = Project.normalized_name.contains(self._whole, autoescape=True)
        if self._match is None:
            return in_name
        return or_(in_name, Project.id.in_(select(self._match.c.project_id)))


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _match(db: Session, wanted: list[str]) -> FromClause | None:
    """The projects that hold words which begin like each of these, with a rank that is less the better it fits."""
    if not wanted:
        return None
    if db.get_bind().dialect.name == "sqlite":
        return _match_sqlite(wanted)
    return _match_postgresql(wanted)


def _match_sqlite(wanted: list[str]) -> FromClause:
    """Each word as a string, so that nothing in it is an operator (https://sqlite.org/fts5.html)."""
    query = " ".join(f'"{word}"*' for word in wanted)
    index = table("search_index", column("rowid"))
    rank: Label[float] = literal_column("bm25(search_index, 100.0, 20.0, 5.0, 1.0)").label("rank")
    found = select(index.c.rowid.label("project_id"), rank)
    return found.where(text("search_index MATCH :query").bindparams(query=query)).subquery()


def _match_postgresql(wanted: list[str]) -> FromClause:
    """Each word in quotes (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""
    query = func.to_tsquery(text("'simple'::regconfig"), " & ".join(f"'{word}':*" for word in wanted))
    document: ColumnElement[str] = literal_column(POSTGRESQL_DOCUMENT)
    rank = (-func.ts_rank(document, query)).label("rank")
    found = select(SearchText.project_id.label("project_id"), rank).where(document.op("@@")(query))
    return found.subquery()
