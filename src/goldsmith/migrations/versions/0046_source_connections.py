"""Source connections: the schema's revision 0046."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_connections",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("question_column", sa.String(length=255), nullable=True),
        sa.Column("answer_column", sa.String(length=255), nullable=True),
        sa.Column("dataset_id", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("has_news", sa.Boolean(), nullable=False),
        sa.Column("every_minutes", sa.Integer(), nullable=True),
        sa.Column("next_sync_at", sa.DateTime(), nullable=True),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_source_connections_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_connections")),
    )
    with op.batch_alter_table("source_connections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_connections_domain"), ["domain"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_connections_next_sync_at"), ["next_sync_at"], unique=False)

    op.create_table(
        "source_groups",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=1024), nullable=False),
        sa.Column("state", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["source_connections.id"], name=op.f("fk_source_groups_connection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_groups")),
        sa.UniqueConstraint("connection_id", "name", name=op.f("uq_source_groups_connection_id_name")),
    )
    op.create_table(
        "source_items",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("group_name", sa.String(length=1024), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("is_seen", sa.Boolean(), nullable=False),
        sa.Column("is_gone", sa.Boolean(), nullable=False),
        sa.Column("sync_id", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["source_connections.id"], name=op.f("fk_source_items_connection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_items")),
        sa.UniqueConstraint("connection_id", "source_id", name=op.f("uq_source_items_connection_id_source_id")),
    )
    with op.batch_alter_table("source_items", schema=None) as batch_op:
        batch_op.create_index("ix_source_items_group", ["connection_id", "group_name"], unique=False)

    op.create_table(
        "source_syncs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("is_scheduled", sa.Boolean(), nullable=False),
        sa.Column("num_read", sa.Integer(), nullable=False),
        sa.Column("num_new", sa.Integer(), nullable=False),
        sa.Column("num_changed", sa.Integer(), nullable=False),
        sa.Column("num_gone", sa.Integer(), nullable=False),
        sa.Column("num_not_taken", sa.Integer(), nullable=False),
        sa.Column("not_taken", sa.JSON(), nullable=False),
        sa.Column("num_conflicts", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["source_connections.id"], name=op.f("fk_source_syncs_connection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_syncs")),
    )
    with op.batch_alter_table("source_syncs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_syncs_connection_id"), ["connection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_syncs_job_id"), ["job_id"], unique=False)

    op.create_table(
        "row_origins",
        sa.Column("row_id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("sync_id", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["source_connections.id"], name=op.f("fk_row_origins_connection_id")
        ),
        sa.ForeignKeyConstraint(["row_id"], ["rows.id"], name=op.f("fk_row_origins_row_id")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_row_origins")),
    )
    with op.batch_alter_table("row_origins", schema=None) as batch_op:
        batch_op.create_index("ix_row_origins_source", ["connection_id", "source_id"], unique=False)

    op.create_table(
        "source_conflicts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("sync_id", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("row_id", sa.String(length=64), nullable=False),
        sa.Column("new_row_id", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["source_connections.id"], name=op.f("fk_source_conflicts_connection_id")
        ),
        sa.ForeignKeyConstraint(["new_row_id"], ["rows.id"], name=op.f("fk_source_conflicts_new_row_id")),
        sa.ForeignKeyConstraint(["row_id"], ["rows.id"], name=op.f("fk_source_conflicts_row_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_conflicts")),
        sa.UniqueConstraint(
            "connection_id",
            "source_id",
            "content_hash",
            name=op.f("uq_source_conflicts_connection_id_source_id_content_hash"),
        ),
    )


def downgrade() -> None:
    op.drop_table("source_conflicts")
    with op.batch_alter_table("row_origins", schema=None) as batch_op:
        batch_op.drop_index("ix_row_origins_source")

    op.drop_table("row_origins")
    with op.batch_alter_table("source_syncs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_syncs_job_id"))
        batch_op.drop_index(batch_op.f("ix_source_syncs_connection_id"))

    op.drop_table("source_syncs")
    with op.batch_alter_table("source_items", schema=None) as batch_op:
        batch_op.drop_index("ix_source_items_group")

    op.drop_table("source_items")
    op.drop_table("source_groups")
    with op.batch_alter_table("source_connections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_connections_next_sync_at"))
        batch_op.drop_index(batch_op.f("ix_source_connections_domain"))

    op.drop_table("source_connections")
