"""Organizations, teams, trusted publishers, transfers, kept names, deleted releases, and what tokens may do."""

import sqlalchemy as sa
from alembic import op
from packaging.version import Version

from domain.index.versions import version_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organization",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("name_key", sa.String(length=50), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=400), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("asks_for_key", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("name_key", name=op.f("uq_organization_name_key")),
    )
    op.create_table(
        "retired_name",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_retired_name")),
    )
    op.create_table(
        "issuer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=255), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("allows_private", sa.Boolean(), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["user.id"], name=op.f("fk_issuer_added_by_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuer")),
        sa.UniqueConstraint("url", name=op.f("uq_issuer_url")),
    )
    op.create_table(
        "kept_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("normalized_name", sa.String(length=100), nullable=False),
        sa.Column("lookalike_key", sa.String(length=100), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_kept_name_organization_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_name")),
        sa.UniqueConstraint("normalized_name", name=op.f("uq_kept_name_normalized_name")),
    )
    with op.batch_alter_table("kept_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_name_lookalike_key"), ["lookalike_key"], unique=False)

    op.create_table(
        "organization_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_organization_member_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_organization_member_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_member")),
    )
    with op.batch_alter_table("organization_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_member_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_organization_member_organization_id_user_id", ["organization_id", "user_id"], unique=True
        )

    op.create_table(
        "organization_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("name_key", sa.String(length=50), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=400), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("purpose", sa.String(length=1024), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_organization_request_decided_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_organization_request_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_request")),
    )
    with op.batch_alter_table("organization_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_request_name_key"), ["name_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_request_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_request_user_id"), ["user_id"], unique=False)

    op.create_table(
        "pending_publisher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_name", sa.String(length=100), nullable=False),
        sa.Column("normalized_name", sa.String(length=100), nullable=False),
        sa.Column("lookalike_key", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_pending_publisher_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_pending_publisher_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_publisher")),
    )
    with op.batch_alter_table("pending_publisher", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pending_publisher_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_publisher_lookalike_key"), ["lookalike_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_publisher_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_publisher_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_pending_publisher_normalized_name_fingerprint", ["normalized_name", "fingerprint"], unique=True
        )

    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("name_key", sa.String(length=50), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_team_organization_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
    )
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.create_index("uq_team_organization_id_name_key", ["organization_id", "name_key"], unique=True)

    op.create_table(
        "deleted_release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("version_key", sa.LargeBinary(length=256), nullable=False),
        sa.Column("is_prerelease", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=True),
        sa.Column("summary", sa.String(length=512), nullable=False),
        sa.Column("requires_python", sa.String(length=255), nullable=True),
        sa.Column("description_html", sa.Text(), nullable=False),
        sa.Column("core_metadata", sa.JSON(), nullable=False),
        sa.Column("yanked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("yanked_reason", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["deleted_by_id"], ["user.id"], name=op.f("fk_deleted_release_deleted_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_deleted_release_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["user.id"], name=op.f("fk_deleted_release_uploaded_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_release")),
    )
    with op.batch_alter_table("deleted_release", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deleted_release_deleted_at"), ["deleted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_deleted_release_project_id"), ["project_id"], unique=False)

    op.create_table(
        "kept_name_owner",
        sa.Column("kept_name_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kept_name_id"], ["kept_name.id"], name=op.f("fk_kept_name_owner_kept_name_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_kept_name_owner_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("kept_name_id", "user_id", name=op.f("pk_kept_name_owner")),
    )
    with op.batch_alter_table("kept_name_owner", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_name_owner_user_id"), ["user_id"], unique=False)

    op.create_table(
        "team_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_team_member_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_member")),
    )
    with op.batch_alter_table("team_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_member_user_id"), ["user_id"], unique=False)
        batch_op.create_index("uq_team_member_team_id_user_id", ["team_id", "user_id"], unique=True)

    op.create_table(
        "team_project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_team_project_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_project_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_project")),
    )
    with op.batch_alter_table("team_project", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_project_project_id"), ["project_id"], unique=False)
        batch_op.create_index("uq_team_project_team_id_project_id", ["team_id", "project_id"], unique=True)

    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("to_user_id", sa.Integer(), nullable=True),
        sa.Column("to_organization_id", sa.Integer(), nullable=True),
        sa.Column("offered_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(to_user_id IS NULL) <> (to_organization_id IS NULL)", name=op.f("ck_transfer_one_receiver")
        ),
        sa.ForeignKeyConstraint(
            ["offered_by_id"], ["user.id"], name=op.f("fk_transfer_offered_by_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_transfer_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_organization_id"], ["organization.id"], name=op.f("fk_transfer_to_organization_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["to_user_id"], ["user.id"], name=op.f("fk_transfer_to_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("project_id", name=op.f("uq_transfer_project_id")),
    )
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transfer_to_organization_id"), ["to_organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_transfer_to_user_id"), ["to_user_id"], unique=False)

    op.create_table(
        "trusted_publisher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["user.id"], name=op.f("fk_trusted_publisher_added_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_trusted_publisher_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trusted_publisher")),
    )
    with op.batch_alter_table("trusted_publisher", schema=None) as batch_op:
        batch_op.create_index("ix_trusted_publisher_issuer", ["issuer"], unique=False)
        batch_op.create_index("uq_trusted_publisher_project_id_fingerprint", ["project_id", "fingerprint"], unique=True)

    op.create_table(
        "deleted_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deleted_release_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("tags", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("blake2_256", sa.String(length=64), nullable=False),
        sa.Column("metadata_sha256", sa.String(length=64), nullable=True),
        sa.Column("requires_python", sa.String(length=255), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_with", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["deleted_release_id"],
            ["deleted_release.id"],
            name=op.f("fk_deleted_file_deleted_release_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_file")),
        sa.UniqueConstraint("filename", name=op.f("uq_deleted_file_filename")),
    )
    with op.batch_alter_table("deleted_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deleted_file_deleted_release_id"), ["deleted_release_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deleted_file_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_deleted_file_uploaded_at"), ["uploaded_at"], unique=False)

    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("creates_project", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("grants", sa.JSON(), nullable=False, server_default='["upload"]'))
        batch_op.add_column(sa.Column("networks", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("former_hash", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("former_hint", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("former_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("last_used_project_id", sa.Integer(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_api_token_former_hash"), ["former_hash"])
        batch_op.create_foreign_key(
            batch_op.f("fk_api_token_last_used_project_id"),
            "project",
            ["last_used_project_id"],
            ["id"],
            ondelete="SET NULL",
        )

    with op.batch_alter_table("email", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_public", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("organization_id", sa.Integer(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_event_project_id"))
        batch_op.create_index("ix_event_organization_id_id", ["organization_id", "id"], unique=False)
        batch_op.create_index("ix_event_project_id_id", ["project_id", "id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_event_organization_id"), "organization", ["organization_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("organization_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("address", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("address_key", sa.String(length=254), nullable=True))
        batch_op.alter_column("project_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.alter_column("user_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index(batch_op.f("ix_invitation_address_key"), ["address_key"], unique=False)
        batch_op.create_index(
            "uq_invitation_organization_id_address_key", ["organization_id", "address_key"], unique=True
        )
        batch_op.create_index("uq_invitation_organization_id_user_id", ["organization_id", "user_id"], unique=True)
        batch_op.create_index("uq_invitation_project_id_address_key", ["project_id", "address_key"], unique=True)
        batch_op.create_foreign_key(
            batch_op.f("fk_invitation_organization_id"), "organization", ["organization_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_invitation_one_place"), "(project_id IS NULL) <> (organization_id IS NULL)"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_invitation_one_guest"), "(user_id IS NULL) <> (address_key IS NULL)"
        )

    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(sa.Column("status", sa.String(length=16), nullable=False, server_default="active"))
        batch_op.add_column(sa.Column("takes_tokens", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("organization_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_project_organization_id"), ["organization_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_project_organization_id"), "organization", ["organization_id"], ["id"]
        )

    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version_key", sa.LargeBinary(length=256), nullable=True))
    _fill_in_version_keys()
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.alter_column("version_key", existing_type=sa.LargeBinary(length=256), nullable=False)
        batch_op.create_index("uq_release_project_id_version_key", ["project_id", "version_key"], unique=True)


def _fill_in_version_keys() -> None:
    release = sa.table("release", sa.column("id"), sa.column("version"), sa.column("version_key"))
    for row in op.get_bind().execute(sa.select(release.c.id, release.c.version)).all():
        found = release.update().where(release.c.id == row.id)
        op.get_bind().execute(found.values(version_key=version_key(Version(row.version))))


def downgrade() -> None:
    invitation = sa.table("invitation", sa.column("project_id"), sa.column("user_id"))
    op.execute(invitation.delete().where(invitation.c.project_id.is_(None) | invitation.c.user_id.is_(None)))
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.drop_index("uq_release_project_id_version_key")
        batch_op.drop_column("version_key")

    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_project_organization_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_project_organization_id"))
        batch_op.drop_column("organization_id")
        batch_op.drop_column("takes_tokens")
        batch_op.drop_column("status")

    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_invitation_one_guest"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_invitation_one_place"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_invitation_organization_id"), type_="foreignkey")
        batch_op.drop_index("uq_invitation_project_id_address_key")
        batch_op.drop_index("uq_invitation_organization_id_user_id")
        batch_op.drop_index("uq_invitation_organization_id_address_key")
        batch_op.drop_index(batch_op.f("ix_invitation_address_key"))
        batch_op.alter_column("user_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.alter_column("project_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("address_key")
        batch_op.drop_column("address")
        batch_op.drop_column("organization_id")

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_event_organization_id"), type_="foreignkey")
        batch_op.drop_index("ix_event_project_id_id")
        batch_op.drop_index("ix_event_organization_id_id")
        batch_op.create_index(batch_op.f("ix_event_project_id"), ["project_id"], unique=False)
        batch_op.drop_column("organization_id")

    with op.batch_alter_table("email", schema=None) as batch_op:
        batch_op.drop_column("is_public")

    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_api_token_last_used_project_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_api_token_former_hash"), type_="unique")
        batch_op.drop_column("last_used_project_id")
        batch_op.drop_column("rotated_at")
        batch_op.drop_column("former_until")
        batch_op.drop_column("former_hint")
        batch_op.drop_column("former_hash")
        batch_op.drop_column("networks")
        batch_op.drop_column("grants")
        batch_op.drop_column("creates_project")

    with op.batch_alter_table("deleted_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deleted_file_uploaded_at"))
        batch_op.drop_index(batch_op.f("ix_deleted_file_sha256"))
        batch_op.drop_index(batch_op.f("ix_deleted_file_deleted_release_id"))

    op.drop_table("deleted_file")
    with op.batch_alter_table("trusted_publisher", schema=None) as batch_op:
        batch_op.drop_index("uq_trusted_publisher_project_id_fingerprint")
        batch_op.drop_index("ix_trusted_publisher_issuer")

    op.drop_table("trusted_publisher")
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_transfer_to_user_id"))
        batch_op.drop_index(batch_op.f("ix_transfer_to_organization_id"))

    op.drop_table("transfer")
    with op.batch_alter_table("team_project", schema=None) as batch_op:
        batch_op.drop_index("uq_team_project_team_id_project_id")
        batch_op.drop_index(batch_op.f("ix_team_project_project_id"))

    op.drop_table("team_project")
    with op.batch_alter_table("team_member", schema=None) as batch_op:
        batch_op.drop_index("uq_team_member_team_id_user_id")
        batch_op.drop_index(batch_op.f("ix_team_member_user_id"))

    op.drop_table("team_member")
    with op.batch_alter_table("kept_name_owner", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_name_owner_user_id"))

    op.drop_table("kept_name_owner")
    with op.batch_alter_table("deleted_release", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deleted_release_project_id"))
        batch_op.drop_index(batch_op.f("ix_deleted_release_deleted_at"))

    op.drop_table("deleted_release")
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.drop_index("uq_team_organization_id_name_key")

    op.drop_table("team")
    with op.batch_alter_table("pending_publisher", schema=None) as batch_op:
        batch_op.drop_index("uq_pending_publisher_normalized_name_fingerprint")
        batch_op.drop_index(batch_op.f("ix_pending_publisher_user_id"))
        batch_op.drop_index(batch_op.f("ix_pending_publisher_organization_id"))
        batch_op.drop_index(batch_op.f("ix_pending_publisher_lookalike_key"))
        batch_op.drop_index(batch_op.f("ix_pending_publisher_expires_at"))

    op.drop_table("pending_publisher")
    with op.batch_alter_table("organization_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organization_request_user_id"))
        batch_op.drop_index(batch_op.f("ix_organization_request_status"))
        batch_op.drop_index(batch_op.f("ix_organization_request_name_key"))

    op.drop_table("organization_request")
    with op.batch_alter_table("organization_member", schema=None) as batch_op:
        batch_op.drop_index("uq_organization_member_organization_id_user_id")
        batch_op.drop_index(batch_op.f("ix_organization_member_user_id"))

    op.drop_table("organization_member")
    with op.batch_alter_table("kept_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_name_lookalike_key"))

    op.drop_table("kept_name")
    op.drop_table("issuer")
    op.drop_table("retired_name")
    op.drop_table("organization")
