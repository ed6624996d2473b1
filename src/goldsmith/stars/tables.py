"""Tables of marks and training sets. A mark is never changed; the newest one of an answer says how it stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.run.tables import Answer
from goldsmith.storage.database import Owned, Table


class Mark(Table):
    """Something that a person said about an answer, and how the answer stands after it; append-only."""

    __tablename__ = "marks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    answer_id: Mapped[str] = mapped_column(ForeignKey(Answer.id), index=True)
    row_id: Mapped[str] = mapped_column(String(64), index=True)
    run_id: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """`star`, `unstar`, `bad`, `correction`, `note` or `undo`."""
    is_star: Mapped[bool]
    is_bad: Mapped[bool]
    correction: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    undone_id: Mapped[int | None]
    """Of an undo: the mark that it takes back."""
    via: Mapped[str] = mapped_column(String(32), default="page")
    """`page`, `api`, `cli`, `bulk`, `import` or `playground`."""
    domain: Mapped[str] = mapped_column(index=True)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class ExamSide(Table):
    """Which side a row is on, decided once, when it is first starred; an equal row has the same key."""

    __tablename__ = "exam_sides"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    row_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    side: Mapped[str] = mapped_column(String(8))
    """`learn` or `exam`."""
    stratum: Mapped[str]
    row_id: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime]


class TrainingSet(Table, Owned):
    """An immutable export of gold stars."""

    __tablename__ = "training_sets"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    format: Mapped[str] = mapped_column(String(16))
    folder: Mapped[str] = mapped_column(String(1024))
    """Relative to the home folder; holds learn.jsonl, exam.jsonl, manifest.json."""
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    num_learn: Mapped[int]
    num_exam: Mapped[int]
    num_dropped: Mapped[int]
    manifest: Mapped[dict[str, Any]]
    prompt_version_id: Mapped[str | None] = mapped_column(String(64))
    """The wording that the rows were asked with, when there is only one."""
    philosopher: Mapped[str | None]


class TrainingSetRow(Table):
    """One example, and where it came from."""

    __tablename__ = "training_set_rows"
    __table_args__ = (UniqueConstraint("training_set_id", "side", "position"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    training_set_id: Mapped[str] = mapped_column(ForeignKey("training_sets.id"), index=True)
    side: Mapped[str] = mapped_column(String(8))
    """`learn` or `exam`; `bad` of an answer that was marked bad and stands beside no star as its pair."""
    position: Mapped[int]
    row_id: Mapped[str] = mapped_column(String(64))
    answer_id: Mapped[str] = mapped_column(String(64))
    mark_id: Mapped[int]
    stratum: Mapped[str]
    messages: Mapped[list[Any]]
    expected: Mapped[str] = mapped_column(Text)
    """What the model should say: the answer as written, or as corrected. Of a bad one what it should not say."""
    rejected: Mapped[str | None] = mapped_column(Text)
    """What it should not say: the text that was corrected, or an answer that was marked bad. With it, it is a pair."""
    rejected_answer_id: Mapped[str | None] = mapped_column(String(64))
