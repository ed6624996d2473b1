"""Search and sort answers: texts as they are searched, and indexes for the sorts: the schema's revision 0005."""

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AT_ONCE = 2_000


def upgrade() -> None:
    for table in ("answers", "rows"):
        op.add_column(table, sa.Column("search_text", sa.Text(), nullable=True))
    _fill("answers", "text", lambda text: [text])
    _fill("rows", "content", lambda content: (json.loads(content) if isinstance(content, str) else content).values())
    op.create_index("ix_answers_longest", "answers", ["run_id", "answer_tokens", "position"])
    op.create_index("ix_answers_slowest", "answers", ["run_id", "duration_ms", "position"])


def downgrade() -> None:
    op.drop_index("ix_answers_slowest", "answers")
    op.drop_index("ix_answers_longest", "answers")
    for table in ("rows", "answers"):
        # Making the table anew, as Alembic would on SQLite, would lose what its indexes of some rows are of.
        op.execute(f"ALTER TABLE {table} DROP COLUMN search_text")


def _fill(table: str, column: str, texts_of: Callable[[Any], Any]) -> None:
    """Write what is there already as it is searched, some rows at once."""
    connection, after = op.get_bind(), ""
    read = sa.text(f"SELECT id, {column} FROM {table} WHERE id > :after ORDER BY id LIMIT {AT_ONCE}")  # noqa: S608
    write = sa.text(f"UPDATE {table} SET search_text = :search_text WHERE id = :id")  # noqa: S608
    while found := connection.execute(read, {"after": after}).all():
        texts = [(each, "\n".join(_plain(str(text)) for text in texts_of(value))) for each, value in found]
        connection.execute(write, [{"id": each, "search_text": text} for each, text in texts])
        after = found[-1][0]


def _plain(text: str) -> str:
    """As `storage/text.py` made it at this revision."""
    folded = unicodedata.normalize("NFD", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())
