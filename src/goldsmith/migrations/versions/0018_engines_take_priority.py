"""Which engines take requests that can wait: the schema's revision 0018."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("takes_priority", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.alter_column("takes_priority", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.drop_column("takes_priority")
