"""Stars written back: the schema's revision 0041."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_writes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("scope_id", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("mark_id", sa.Integer(), nullable=False),
        sa.Column("is_star", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["mark_id"], ["marks.id"], name=op.f("fk_source_writes_mark_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["source_scopes.id"], name=op.f("fk_source_writes_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_writes")),
        sa.UniqueConstraint("mark_id", name=op.f("uq_source_writes_mark_id")),
    )
    with op.batch_alter_table("source_writes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_writes_external_id"), ["external_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_writes_scope_id"), ["scope_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("source_writes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_writes_scope_id"))
        batch_op.drop_index(batch_op.f("ix_source_writes_external_id"))

    op.drop_table("source_writes")
