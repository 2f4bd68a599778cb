"""Projects that only their people may read."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("project") as batch_op:
        batch_op.add_column(sa.Column("is_private", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index(batch_op.f("ix_project_is_private"), ["is_private"])


def downgrade() -> None:
    with op.batch_alter_table("project") as batch_op:
        batch_op.drop_index(batch_op.f("ix_project_is_private"))
        batch_op.drop_column("is_private")
