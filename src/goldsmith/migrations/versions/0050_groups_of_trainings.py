"""Trainings that are started together: the schema's revision 0050."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "training_groups",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("varied", sa.JSON(), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_groups")),
    )
    with op.batch_alter_table("training_groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_groups_domain"), ["domain"], unique=False)

    with op.batch_alter_table("training_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("group_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("differs", sa.JSON(), nullable=True))
        batch_op.create_index(batch_op.f("ix_training_jobs_group_id"), ["group_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_training_jobs_group_id"), "training_groups", ["group_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("training_jobs", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_training_jobs_group_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_training_jobs_group_id"))
        batch_op.drop_column("differs")
        batch_op.drop_column("group_id")

    with op.batch_alter_table("training_groups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_training_groups_domain"))

    op.drop_table("training_groups")
