"""Tokens minted for CI jobs, identities that are spent, and which job published a file."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PLACES = {
    "github": ("owner", "repository"),
    "gitlab": ("namespace", "project"),
    "google": ("email",),
    "activestate": ("organization", "project"),
    "oidc": (),
}
FILES = ("file", "deleted_file")


def upgrade() -> None:
    op.create_table(
        "minted_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("title", sa.String(length=1300), nullable=False),
        sa.Column("ref", sa.String(length=1000), nullable=False),
        sa.Column("sha", sa.String(length=1000), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minted_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_minted_token_token_hash")),
    )
    op.create_index("ix_minted_token_expires_at", "minted_token", ["expires_at"])
    op.create_table(
        "spent_identity",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_identity")),
    )
    op.create_index("ix_spent_identity_until", "spent_identity", ["until"])
    for table in ("trusted_publisher", "pending_publisher"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("place", sa.String(length=512), nullable=False, server_default=""))
            if table == "trusted_publisher":
                batch.add_column(sa.Column("ids", sa.JSON(), nullable=False, server_default="{}"))
        _fill_places(table)
        with op.batch_alter_table(table) as batch:
            batch.alter_column("place", server_default=None)
            if table == "trusted_publisher":
                batch.alter_column("ids", server_default=None)
                batch.drop_index("ix_trusted_publisher_issuer")
            batch.create_index(f"ix_{table}_issuer_place", ["issuer", "place"])
    op.create_table(
        "minted_token_publisher",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["minted_token.id"], name=op.f("fk_minted_token_publisher_token_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"],
            ["trusted_publisher.id"],
            name=op.f("fk_minted_token_publisher_publisher_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_id", "publisher_id", name=op.f("pk_minted_token_publisher")),
    )
    op.create_index("ix_minted_token_publisher_publisher_id", "minted_token_publisher", ["publisher_id"])
    for table in FILES:
        op.add_column(table, sa.Column("publisher", sa.JSON(), nullable=True))


def downgrade() -> None:
    for table in FILES:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("publisher")
    op.drop_table("minted_token_publisher")
    for table in ("trusted_publisher", "pending_publisher"):
        with op.batch_alter_table(table) as batch:
            batch.drop_index(f"ix_{table}_issuer_place")
            batch.drop_column("place")
            if table == "trusted_publisher":
                batch.drop_column("ids")
                batch.create_index("ix_trusted_publisher_issuer", ["issuer"])
    op.drop_table("spent_identity")
    op.drop_table("minted_token")


def _fill_places(name: str) -> None:
    table = sa.table(name, sa.column("id"), sa.column("provider"), sa.column("facts", sa.JSON()), sa.column("place"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(table.c.id, table.c.provider, table.c.facts)).all():
        place = "/".join(row.facts[field] for field in PLACES[row.provider]).lower()
        connection.execute(table.update().where(table.c.id == row.id).values(place=place))
