"""Whose stars a training set was made of: the schema's revision 0052."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0046"
branch_labels = None
depends_on = None

# Sets that were exported before: those whose rows all came from one scope are that scope's.
_OF_ONE_SCOPE = """
INSERT INTO source_sets (training_set_id, scope_id)
SELECT training_set_rows.training_set_id, MIN(source_rows.scope_id)
FROM training_set_rows LEFT JOIN source_rows ON source_rows.row_id = training_set_rows.row_id
GROUP BY training_set_rows.training_set_id
HAVING COUNT(*) = COUNT(source_rows.scope_id) AND COUNT(DISTINCT source_rows.scope_id) = 1
"""


def upgrade() -> None:
    op.create_table(
        "source_sets",
        sa.Column("training_set_id", sa.String(length=64), nullable=False),
        sa.Column("scope_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["source_scopes.id"], name=op.f("fk_source_sets_scope_id")),
        sa.ForeignKeyConstraint(["training_set_id"], ["training_sets.id"], name=op.f("fk_source_sets_training_set_id")),
        sa.PrimaryKeyConstraint("training_set_id", name=op.f("pk_source_sets")),
    )
    with op.batch_alter_table("source_sets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_sets_scope_id"), ["scope_id"], unique=False)
    op.execute(_OF_ONE_SCOPE)


def downgrade() -> None:
    with op.batch_alter_table("source_sets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_sets_scope_id"))

    op.drop_table("source_sets")
