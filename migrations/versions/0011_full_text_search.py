"""Full-text search: the words of each project, and the index over them that each database has of its own."""

import json

import sqlalchemy as sa
from alembic import op

from domain.index.search_texts import pythons_of, texts_of
from models.search import POSTGRESQL_INDEX, SQLITE_INDEX

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PROJECT = sa.table("project", *(sa.column(name) for name in ("id", "name", "summary")))
NEEDED = ("project_id", "core_metadata", "description_html", "yanked_at", "is_prerelease", "version_key")
RELEASE = sa.table("release", *(sa.column(name) for name in NEEDED))


def upgrade() -> None:
    project = sa.ForeignKeyConstraint(
        ["project_id"], ["project.id"], name=op.f("fk_search_text_project_id"), ondelete="CASCADE"
    )
    texts = [sa.Column(name, sa.Text(), nullable=False) for name in ("name", "summary", "keywords", "description")]
    search_text = op.create_table(
        "search_text",
        sa.Column("project_id", sa.Integer(), nullable=False),
        *texts,
        project,
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_search_text")),
    )
    python_version = op.create_table(
        "python_version",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_python_version_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "version", name=op.f("pk_python_version")),
    )
    op.create_index(op.f("ix_python_version_version"), "python_version", ["version"])
    connection = op.get_bind()
    for statement in SQLITE_INDEX if connection.dialect.name == "sqlite" else POSTGRESQL_INDEX:
        op.execute(statement)
    for row in connection.execute(sa.select(PROJECT)).all():
        _fill(connection, row, search_text, python_version)


def _fill(connection: sa.Connection, project: sa.Row, search_text: sa.Table, python_version: sa.Table) -> None:  # type: ignore[type-arg]  # columns of three kinds
    rank = RELEASE.c.yanked_at.is_not(None), RELEASE.c.is_prerelease, RELEASE.c.version_key.desc()
    newest = sa.select(RELEASE.c.core_metadata, RELEASE.c.description_html)
    newest = newest.where(RELEASE.c.project_id == project.id).order_by(*rank).limit(1)
    release = connection.execute(newest).one_or_none()
    metadata, html = (release.core_metadata, release.description_html) if release is not None else ({}, "")
    metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
    texts = texts_of(project.name, project.summary, metadata, html)
    connection.execute(search_text.insert().values(project_id=project.id, **texts))
    for version in pythons_of(metadata):
        connection.execute(python_version.insert().values(project_id=project.id, version=version))


def downgrade() -> None:
    op.drop_index(op.f("ix_python_version_version"), table_name="python_version")
    op.drop_table("python_version")
    op.drop_table("search_text")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
