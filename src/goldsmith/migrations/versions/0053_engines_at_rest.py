"""The job that an engine gives its memory to: the schema's revision 0053."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rests_for", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_engines_rests_for"), ["rests_for"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_engines_rests_for"))
        batch_op.drop_column("rests_for")
