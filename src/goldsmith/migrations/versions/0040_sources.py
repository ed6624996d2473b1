"""Sources: the schema's revision 0040."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_scopes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("philosopher", sa.String(length=320), nullable=False),
        sa.Column("source_domain", sa.String(length=255), nullable=False),
        sa.Column("system_text", sa.Text(), nullable=True),
        sa.Column("dataset_id", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.DateTime(), nullable=True),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_source_scopes_dataset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_scopes")),
        sa.UniqueConstraint(
            "domain",
            "source",
            "source_domain",
            "philosopher",
            name=op.f("uq_source_scopes_domain_source_source_domain_philosopher"),
        ),
    )
    with op.batch_alter_table("source_scopes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_scopes_domain"), ["domain"], unique=False)

    op.create_table(
        "source_rows",
        sa.Column("row_id", sa.String(length=64), nullable=False),
        sa.Column("scope_id", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("subject_id", sa.String(length=255), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("starred_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["row_id"], ["rows.id"], name=op.f("fk_source_rows_row_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["source_scopes.id"], name=op.f("fk_source_rows_scope_id")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_source_rows")),
    )
    with op.batch_alter_table("source_rows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_rows_external_id"), ["external_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_source_rows_scope_id"), ["scope_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("source_rows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_rows_scope_id"))
        batch_op.drop_index(batch_op.f("ix_source_rows_external_id"))

    op.drop_table("source_rows")
    with op.batch_alter_table("source_scopes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_scopes_domain"))

    op.drop_table("source_scopes")
