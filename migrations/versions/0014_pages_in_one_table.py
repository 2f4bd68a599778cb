"""All forms and codings of a simple page in one table, of which SQLite reads no more than the one that is sent."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SIMPLE = ("project_id", "html", "html_etag", "json", "json_etag")


def upgrade() -> None:
    kept = _create("kept_page")
    packed, simple = (
        sa.table("packed_page", *map(sa.column, kept.c.keys())),
        sa.table("simple_page", *map(sa.column, SIMPLE)),
    )
    op.execute(kept.insert().from_select(kept.c.keys(), sa.select(*packed.c)))
    for form in ("html", "json"):
        plain = (
            simple.c.project_id,
            sa.literal(form),
            sa.literal("identity"),
            simple.c[f"{form}_etag"],
            simple.c[form],
        )
        op.execute(kept.insert().from_select(kept.c.keys(), sa.select(*plain)))
    op.drop_table("packed_page")
    op.drop_table("simple_page")


def downgrade() -> None:
    packed = _create("packed_page")
    simple = op.create_table(
        "simple_page",
        *_simple(),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_simple_page_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_simple_page")),
    )
    kept = sa.table("kept_page", *map(sa.column, packed.c.keys()))
    op.execute(packed.insert().from_select(packed.c.keys(), sa.select(*kept.c).where(kept.c.coding != "identity")))
    html, json = (_plain(kept, form) for form in ("html", "json"))
    both = sa.select(html.c.project_id, html.c.body, html.c.etag, json.c.body, json.c.etag)
    rows = both.join(json, html.c.project_id == json.c.project_id)
    op.execute(simple.insert().from_select(SIMPLE, rows))
    op.drop_table("kept_page")


def _create(name: str) -> sa.Table:
    return op.create_table(
        name,
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("coding", sa.String(length=8), nullable=False),
        sa.Column("etag", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f(f"fk_{name}_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id", "form", "coding", name=op.f(f"pk_{name}")),
    )


def _simple() -> list[sa.Column[int] | sa.Column[bytes] | sa.Column[str]]:
    return [
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("html_etag", sa.String(length=80), nullable=False),
        sa.Column("json", sa.LargeBinary(), nullable=False),
        sa.Column("json_etag", sa.String(length=80), nullable=False),
    ]


def _plain(kept: sa.TableClause, form: str) -> sa.Subquery:
    return sa.select(*kept.c).where(kept.c.form == form, kept.c.coding == "identity").subquery()
