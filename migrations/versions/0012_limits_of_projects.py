"""Limits of one project, for its files and for all of them together."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("project") as batch:
        batch.add_column(sa.Column("max_file_bytes", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("max_total_bytes", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("project") as batch:
        batch.drop_column("max_total_bytes")
        batch.drop_column("max_file_bytes")
