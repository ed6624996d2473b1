"""What a provider calls a model that was trained there: the schema's revision 0023."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("deployments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name_in_engine", sa.String(length=255), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("deployments", schema=None) as batch_op:
        batch_op.drop_column("name_in_engine")
