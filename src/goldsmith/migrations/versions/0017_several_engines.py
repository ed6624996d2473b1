"""Several engines of ours, and copies of one: the schema's revision 0017."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wanted_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("copy_of", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("num_copies", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("gpu", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_engines_copy_of"), ["copy_of"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_engines_copy_of_engines"), "engines", ["copy_of"], ["id"])
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.alter_column("num_copies", server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM deployments WHERE engine_id IN (SELECT id FROM engines WHERE copy_of IS NOT NULL)")
    op.execute("DELETE FROM engines WHERE copy_of IS NOT NULL")
    with op.batch_alter_table("engines", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_engines_copy_of_engines"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_engines_copy_of"))
        batch_op.drop_column("gpu")
        batch_op.drop_column("num_copies")
        batch_op.drop_column("copy_of")
        batch_op.drop_column("wanted_at")
