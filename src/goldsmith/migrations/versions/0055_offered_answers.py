"""Answers that are offered to a source: the schema's revision 0055."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_offers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("is_by_itself", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("num_new", sa.Integer(), nullable=False),
        sa.Column("num_same", sa.Integer(), nullable=False),
        sa.Column("num_not_taken", sa.Integer(), nullable=False),
        sa.Column("not_taken", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["source_connections.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("source_offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_offers_connection_id"), ["connection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_offers_job_id"), ["job_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_offers_run_id"), ["run_id"], unique=False)


def downgrade() -> None:
    op.drop_table("source_offers")
