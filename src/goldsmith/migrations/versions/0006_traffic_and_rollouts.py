"""Traffic and rollouts: the schema's revision 0006."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rollouts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("old_targets", sa.JSON(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("hold_s", sa.Float(), nullable=True),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("first_version", sa.Integer(), nullable=False),
        sa.Column("num_judged", sa.Integer(), nullable=False),
        sa.Column("stage_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollouts")),
    )
    with op.batch_alter_table("rollouts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rollouts_alias"), ["alias"], unique=False)
        batch_op.create_index(batch_op.f("ix_rollouts_domain"), ["domain"], unique=False)
        batch_op.create_index(batch_op.f("ix_rollouts_state"), ["state"], unique=False)

    op.create_table(
        "traffic_minutes",
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("minute", sa.DateTime(), nullable=False),
        sa.Column("writer", sa.String(length=64), nullable=False),
        sa.Column("num_requests", sa.Integer(), nullable=False),
        sa.Column("num_errors", sa.Integer(), nullable=False),
        sa.Column("num_with_schema", sa.Integer(), nullable=False),
        sa.Column("num_invalid_json", sa.Integer(), nullable=False),
        sa.Column("num_timed", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("log_seconds", sa.Float(), nullable=False),
        sa.Column("log_seconds_squared", sa.Float(), nullable=False),
        sa.Column("num_measured", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("log_tokens", sa.Float(), nullable=False),
        sa.Column("log_tokens_squared", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "domain", "alias", "version", "model_id", "minute", "writer", name=op.f("pk_traffic_minutes")
        ),
    )
    with op.batch_alter_table("traffic_minutes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_traffic_minutes_minute"), ["minute"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("traffic_minutes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_traffic_minutes_minute"))

    op.drop_table("traffic_minutes")
    with op.batch_alter_table("rollouts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rollouts_state"))
        batch_op.drop_index(batch_op.f("ix_rollouts_domain"))
        batch_op.drop_index(batch_op.f("ix_rollouts_alias"))

    op.drop_table("rollouts")
