"""Merged models: the schema's revision 0019."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("base_models", schema=None) as batch_op:
        batch_op.add_column(sa.Column("merged_from", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_base_models_merged_from"), ["merged_from"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("base_models", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_base_models_merged_from"))
        batch_op.drop_column("merged_from")
