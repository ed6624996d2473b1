"""Pairs: the schema's revision 0031."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("training_metrics", schema=None) as batch_op:
        batch_op.add_column(sa.Column("preference_accuracy", sa.Float(), nullable=True))

    with op.batch_alter_table("training_set_rows", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rejected", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("rejected_answer_id", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("training_set_rows", schema=None) as batch_op:
        batch_op.drop_column("rejected_answer_id")
        batch_op.drop_column("rejected")

    with op.batch_alter_table("training_metrics", schema=None) as batch_op:
        batch_op.drop_column("preference_accuracy")
