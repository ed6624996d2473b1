"""Kept traffic: the schema's revision 0013."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keeping_rules",
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("hides", sa.JSON(), nullable=False),
        sa.Column("num_dropped", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "alias", name=op.f("pk_keeping_rules")),
    )
    op.create_table(
        "kept_exchanges",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=64), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("earlier", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("num_hidden", sa.Integer(), nullable=False),
        sa.Column("answer_tokens", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_exchanges")),
    )
    with op.batch_alter_table("kept_exchanges", schema=None) as batch_op:
        batch_op.create_index("ix_kept_exchanges_domain_rule_at", ["domain", "rule", "at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("kept_exchanges", schema=None) as batch_op:
        batch_op.drop_index("ix_kept_exchanges_domain_rule_at")

    op.drop_table("kept_exchanges")
    op.drop_table("keeping_rules")
