"""Simple pages in content codings, and how often the list of projects changed."""

import sqlalchemy as sa
from alembic import op

from domain.index.codings import PACKED, encode

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue")),
    )
    packed_page = op.create_table(
        "packed_page",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("coding", sa.String(length=8), nullable=False),
        sa.Column("etag", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_packed_page_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "form", "coding", name=op.f("pk_packed_page")),
    )
    pages = sa.table("simple_page", *(sa.column(name) for name in ("project_id", "json", "html")))
    connection = op.get_bind()
    for project_id in connection.scalars(sa.select(pages.c.project_id)).all():
        row = connection.execute(sa.select(pages.c.json, pages.c.html).where(pages.c.project_id == project_id)).one()
        for form, body in (("json", row.json), ("html", row.html)):
            for coding in PACKED:
                page = encode(bytes(body), coding)
                values = {"project_id": project_id, "form": form, "coding": coding.value, "etag": page.etag}
                connection.execute(packed_page.insert().values(**values, body=page.body))


def downgrade() -> None:
    op.drop_table("packed_page")
    op.drop_table("catalogue")
