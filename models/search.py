"""What is searched of each project: its words, and the full-text index over them that each database has of its own."""

from sqlalchemy import DDL, ForeignKey, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class SearchText(Base):
    """The words of a project in lower case, without accents and signs, with single spaces."""

    __tablename__ = "search_text"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    keywords: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)


class PythonVersion(Base):
    """A Python version ("3.12") that a project's latest release says it is for."""

    __tablename__ = "python_version"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), primary_key=True, index=True)


# The index keeps no text of its own, and triggers keep it in step (https://sqlite.org/fts5.html#external_content_tables).
SQLITE_INDEX = (
    """
    CREATE VIRTUAL TABLE search_index USING fts5(
        name, summary, keywords, description,
        content='search_text', content_rowid='project_id', tokenize='unicode61 remove_diacritics 0'
    )
    """,
    """
    CREATE TRIGGER search_text_added AFTER INSERT ON search_text BEGIN
        INSERT INTO search_index(rowid, name, summary, keywords, description)
            VALUES (new.project_id, new.name, new.summary, new.keywords, new.description);
    END
    """,
    """
    CREATE TRIGGER search_text_removed AFTER DELETE ON search_text BEGIN
        INSERT INTO search_index(search_index, rowid, name, summary, keywords, description)
            VALUES ('delete', old.project_id, old.name, old.summary, old.keywords, old.description);
    END
    """,
    """
    CREATE TRIGGER search_text_changed AFTER UPDATE ON search_text BEGIN
        INSERT INTO search_index(search_index, rowid, name, summary, keywords, description)
            VALUES ('delete', old.project_id, old.name, old.summary, old.keywords, old.description);
        INSERT INTO search_index(rowid, name, summary, keywords, description)
            VALUES (new.project_id, new.name, new.summary, new.keywords, new.description);
    END
    """,
)

# The weights are those of ts_rank; "simple" leaves the words as they are
# (https://www.postgresql.org/docs/current/textsearch-controls.html).
POSTGRESQL_DOCUMENT = (
    "(setweight(to_tsvector('simple'::regconfig, name), 'A')"
    " || setweight(to_tsvector('simple'::regconfig, summary), 'B')"
    " || setweight(to_tsvector('simple'::regconfig, keywords), 'C')"
    " || setweight(to_tsvector('simple'::regconfig, description), 'D'))"
)
POSTGRESQL_INDEX = (f"CREATE INDEX search_text_document ON search_text USING gin ({POSTGRESQL_DOCUMENT})",)

for dialect, statements in (("sqlite", SQLITE_INDEX), ("postgresql", POSTGRESQL_INDEX)):
    for statement in statements:
        made = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        event.listen(SearchText.__table__, "after_create", made)
