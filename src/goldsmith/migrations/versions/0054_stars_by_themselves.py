"""When stars of another application come in by themselves: the schema's revision 0054."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("source_scopes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("every_minutes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("next_bring_at", sa.DateTime(), nullable=True))
        batch_op.create_index(batch_op.f("ix_source_scopes_next_bring_at"), ["next_bring_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("source_scopes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_scopes_next_bring_at"))
        batch_op.drop_column("next_bring_at")
        batch_op.drop_column("every_minutes")
