"""Conquests executed here: the schema's revision 0043."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conquest_executions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("philosopher", sa.String(length=320), nullable=False),
        sa.Column("source_domain", sa.String(length=255), nullable=False),
        sa.Column("eidos_id", sa.String(length=255), nullable=False),
        sa.Column("conquest_type", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("model_name", sa.String(length=255), nullable=False),
        sa.Column("is_tuned", sa.Boolean(), nullable=False),
        sa.Column("was_live", sa.Boolean(), nullable=False),
        sa.Column("num_examples", sa.Integer(), nullable=False),
        sa.Column("max_tokens", sa.Integer(), nullable=False),
        sa.Column("temperature", sa.Float(), nullable=False),
        sa.Column("num_candidates", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conquest_executions")),
        sa.UniqueConstraint("domain", "idempotency_key", name=op.f("uq_conquest_executions_domain_idempotency_key")),
    )
    with op.batch_alter_table("conquest_executions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conquest_executions_domain"), ["domain"], unique=False)
        batch_op.create_index(batch_op.f("ix_conquest_executions_job_id"), ["job_id"], unique=False)

    op.create_table(
        "conquest_results",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("answer_tokens", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.Column("finish_reason", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("conquest_id", sa.String(length=255), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["conquest_executions.id"], name=op.f("fk_conquest_results_execution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conquest_results")),
        sa.UniqueConstraint("execution_id", "position", name=op.f("uq_conquest_results_execution_id_position")),
    )
    with op.batch_alter_table("conquest_results", schema=None) as batch_op:
        batch_op.create_index("ix_conquest_results_state", ["execution_id", "state", "position"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("conquest_results", schema=None) as batch_op:
        batch_op.drop_index("ix_conquest_results_state")

    op.drop_table("conquest_results")
    with op.batch_alter_table("conquest_executions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conquest_executions_job_id"))
        batch_op.drop_index(batch_op.f("ix_conquest_executions_domain"))

    op.drop_table("conquest_executions")
