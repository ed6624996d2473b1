"""Tables of comparisons: two or more models on the same rows, and people's blind votes."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage.database import Owned, Table
from goldsmith.train.tables import TrainingGroup


class ModelComparison(Table):
    """Two or more models on the same rows with the same prompt → a verdict."""

    __tablename__ = "model_comparisons"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    philosopher: Mapped[str]
    domain: Mapped[str] = mapped_column(index=True)
    job_id: Mapped[str | None] = mapped_column(String(64), index=True)
    base_model_id: Mapped[str] = mapped_column(String(64))
    fine_tuned_model_id: Mapped[str] = mapped_column(String(64), index=True)
    training_set_id: Mapped[str | None] = mapped_column(String(64))
    prompt_version_id: Mapped[str] = mapped_column(String(64))
    test_prompts: Mapped[list[Any]]
    """Row ids, in order."""
    test_count: Mapped[int]
    base_model_wins: Mapped[int | None]
    fine_tuned_wins: Mapped[int | None]
    ties: Mapped[int | None]
    win_rate: Mapped[float | None] = mapped_column(Float)
    status: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[dict[str, Any] | None]
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class ComparisonArm(Table):
    """One of the models; its answers are those of its run."""

    __tablename__ = "comparison_arms"
    __table_args__ = (UniqueConstraint("comparison_id", "name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    comparison_id: Mapped[str] = mapped_column(ForeignKey("model_comparisons.id"), index=True)
    name: Mapped[str] = mapped_column(String(32))
    """`base`, `examples` or `tuned`; `again` is the tuned model asked a second time, which no verdict counts."""
    position: Mapped[int]
    model_id: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str] = mapped_column(String(64))
    figures: Mapped[dict[str, Any] | None]
    """num_right, num_rows, low, high, field shares, mean tokens, mean milliseconds."""


class LearningCurve(Table, Owned):
    """Trainings on parts of the stars, each asked the same exam rows → whether more stars would help."""

    __tablename__ = "learning_curves"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey(TrainingGroup.id), index=True)
    training_set_id: Mapped[str] = mapped_column(String(64), index=True)
    num_more: Mapped[int | None]
    """About how many more stars is asked; null: about half as many again."""
    job_id: Mapped[str | None] = mapped_column(String(64), index=True)
    """The job that asks the exam; null until the trainings are over."""
    points: Mapped[list[Any] | None]
    """Of each training that came to a model: training_id, model_id, run_id, num_learn, was_live, and num_right."""
    answer: Mapped[dict[str, Any] | None]
    """What `more_stars.py` says; null until it does."""


class Vote(Table):
    """One blind choice by a person."""

    __tablename__ = "votes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    comparison_id: Mapped[str] = mapped_column(ForeignKey("model_comparisons.id"), index=True)
    row_id: Mapped[str] = mapped_column(String(64))
    left_arm: Mapped[str] = mapped_column(String(32))
    right_arm: Mapped[str] = mapped_column(String(32))
    choice: Mapped[str] = mapped_column(String(16))
    """`left`, `right`, `both` or `neither`."""
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
