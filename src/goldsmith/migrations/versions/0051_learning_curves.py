"""Learning curves: the schema's revision 0051."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "learning_curves",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("training_set_id", sa.String(length=64), nullable=False),
        sa.Column("num_more", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.String(length=64), nullable=True),
        sa.Column("points", sa.JSON(), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["training_groups.id"], name=op.f("fk_learning_curves_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_curves")),
    )
    with op.batch_alter_table("learning_curves", schema=None) as batch_op:
        for column in ("domain", "group_id", "job_id", "training_set_id"):
            batch_op.create_index(batch_op.f(f"ix_learning_curves_{column}"), [column], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("learning_curves", schema=None) as batch_op:
        for column in ("training_set_id", "job_id", "group_id", "domain"):
            batch_op.drop_index(batch_op.f(f"ix_learning_curves_{column}"))

    op.drop_table("learning_curves")
