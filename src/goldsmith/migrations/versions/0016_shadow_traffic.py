"""Shadow traffic: the schema's revision 0016."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shadow_pairs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("sent_model_id", sa.String(length=64), nullable=False),
        sa.Column("shadow_model_id", sa.String(length=64), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("earlier", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("sent_answer", sa.Text(), nullable=False),
        sa.Column("shadow_answer", sa.Text(), nullable=False),
        sa.Column("shadow_error", sa.Text(), nullable=False),
        sa.Column("is_same", sa.Boolean(), nullable=False),
        sa.Column("is_json_wanted", sa.Boolean(), nullable=False),
        sa.Column("is_sent_json", sa.Boolean(), nullable=False),
        sa.Column("is_shadow_json", sa.Boolean(), nullable=False),
        sa.Column("sent_ms", sa.Float(), nullable=False),
        sa.Column("shadow_ms", sa.Float(), nullable=True),
        sa.Column("sent_characters", sa.Integer(), nullable=False),
        sa.Column("shadow_characters", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_pairs")),
    )
    with op.batch_alter_table("shadow_pairs", schema=None) as batch_op:
        batch_op.create_index("ix_shadow_pairs_domain_alias_at", ["domain", "alias", "at"], unique=False)
        batch_op.create_index("ix_shadow_pairs_domain_alias_id", ["domain", "alias", "id"], unique=False)

    op.create_table(
        "shadow_rules",
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("max_at_once", sa.Integer(), nullable=False),
        sa.Column("within_s", sa.Float(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("hides", sa.JSON(), nullable=False),
        sa.Column("num_dropped", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "alias", name=op.f("pk_shadow_rules")),
    )


def downgrade() -> None:
    op.drop_table("shadow_rules")
    with op.batch_alter_table("shadow_pairs", schema=None) as batch_op:
        batch_op.drop_index("ix_shadow_pairs_domain_alias_id")
        batch_op.drop_index("ix_shadow_pairs_domain_alias_at")

    op.drop_table("shadow_pairs")
