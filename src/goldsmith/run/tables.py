"""Tables of runs: prompts, runs and the answers that models wrote."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.storage.database import Owned, Table
from goldsmith.storage.text import searchable


class Prompt(Table, Owned):
    """Named instructions; what they say stands in their versions."""

    __tablename__ = "prompts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]


class PromptVersion(Table, Owned):
    """One wording of a prompt, immutable."""

    __tablename__ = "prompt_versions"
    __table_args__ = (UniqueConstraint("prompt_id", "number"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    prompt_id: Mapped[str] = mapped_column(ForeignKey("prompts.id"), index=True)
    number: Mapped[int]
    system_text: Mapped[str] = mapped_column(Text)
    template: Mapped[str] = mapped_column(Text)
    """Text with `{{column}}` variables."""
    answer_schema: Mapped[dict[str, Any] | None]
    content_hash: Mapped[str] = mapped_column(String(64))


class Run(Table, Owned):
    """One model, one prompt version and one dataset version → answers. Imported answers are a run without a model."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    """`model`, `imported`, `arm` (of a comparison) or `playground`."""
    dataset_version_id: Mapped[str | None] = mapped_column(ForeignKey(DatasetVersion.id), index=True)
    prompt_version_id: Mapped[str] = mapped_column(ForeignKey("prompt_versions.id"))
    model_id: Mapped[str | None] = mapped_column(String(64))
    job_id: Mapped[str | None] = mapped_column(String(64), index=True)
    options: Mapped[dict[str, Any]]
    """max_rows, max_tokens, temperature, seed, concurrency, timeout_s, num_examples."""
    num_rows: Mapped[int] = mapped_column(default=0)


_FEW = {"failed": "state = 'failed'", "cut_off": "finish_reason = 'length'", "invalid": "parse_error IS NOT NULL"}
"""What few answers of a run are, and everybody asks for: counted and listed without looking at the others."""


def _searchable_answer(context: DefaultExecutionContext) -> str:
    given: dict[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return searchable([given["text"]])


class Answer(Table):
    """What a model wrote for a row, or why it did not."""

    __tablename__ = "answers"
    __table_args__ = (
        UniqueConstraint("run_id", "row_id"),
        Index("ix_answers_run_position", "run_id", "position"),
        Index("ix_answers_longest", "run_id", "answer_tokens", "position"),
        Index("ix_answers_slowest", "run_id", "duration_ms", "position"),
        *(
            Index(f"ix_answers_{name}", "run_id", "position", sqlite_where=text(is_so), postgresql_where=text(is_so))
            for name, is_so in _FEW.items()
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    row_id: Mapped[str] = mapped_column(ForeignKey(Row.id), index=True)
    position: Mapped[int]
    """The row's place in its dataset version."""
    state: Mapped[str] = mapped_column(String(16))
    """`answered` or `failed`."""
    text: Mapped[str] = mapped_column(Text, default="")
    parsed: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    """The answer as JSON, when the prompt asks for JSON and it is."""
    parse_error: Mapped[str | None] = mapped_column(Text)
    prompt_tokens: Mapped[int | None]
    answer_tokens: Mapped[int | None]
    duration_ms: Mapped[float | None] = mapped_column(Float)
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    """`stop` is good; `length` means cut off."""
    error: Mapped[str | None] = mapped_column(Text)
    served_by: Mapped[str | None] = mapped_column(String(64))
    """The engine."""
    num_tries: Mapped[int] = mapped_column(default=1)
    at: Mapped[datetime]
    search_text: Mapped[str | None] = mapped_column(
        Text, default=_searchable_answer, deferred=True, deferred_raiseload=True
    )
    """The text as it is searched, written with it; never read by itself."""
