"""How many places for adapters somebody asked for on an engine: the schema's revision 0042."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("num_places", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.drop_column("num_places")
