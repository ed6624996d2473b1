"""How long a training is likely to take: as its like took before, or as its rehearsal told. Else it is not told.

Time is taken to be something that every training has once, and then so much for each row that it learns from. Settings
that change only what is learned (learning rate, rank, seed) are passed over; a step of other size counts by its rows as
long as it is at most twice as large or as small. `Known.of` asks the database; the rest is pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.train.queries import REHEARSAL
from goldsmith.train.rehearsal import rows_a_step
from goldsmith.train.tables import KIND, TrainingJob, TrainingMetric

MOST_LOOKED_AT: Final = 100
"""The newest so many trainings, and rehearsals."""
MOST_TIMES_LARGER: Final = 2.0
TIMELESS: Final = frozenset(
    {
        "num_epochs",
        "learning_rate",
        "lora_rank",
        "lora_alpha",
        "lora_dropout",
        "batch_size",
        "gradient_accumulation",
        "warmup_steps",
        "weight_decay",
        "save_every_steps",
        "patience",
        "seed",
        "beta",
        "good_answer_weight",
        "bad_answers_weight",
    }
)
"""Settings that change what is learned, or how often, and hardly how long a row takes."""


@dataclass(frozen=True)
class Task:
    """What decides how long a training takes."""

    base_model_id: str
    backend: str
    training_set_id: str | None
    settings: Mapping[str, Any]
    num_rows: int | None

    @classmethod
    def of(cls, row: TrainingJob) -> "Task":
        """That of a training."""
        return cls(row.base_model_id, row.backend, row.training_set_id, row.config, row.sample_count)

    @property
    def num_learned(self) -> int:
        """How many rows it learns from, each as often as there are rounds."""
        return (self.num_rows or 0) * int(self.settings.get("num_epochs", 1))


@dataclass(frozen=True)
class Expected:
    """How long it is likely to take, and who says so."""

    seconds: float
    source: str
    """`training` or `rehearsal`."""
    source_id: str


@dataclass(frozen=True)
class Measure:
    """A task that was done or rehearsed: what it took once, and for every row."""

    task: Task
    once_s: float
    row_s: float
    source: str
    source_id: str

    def is_like(self, task: Task) -> bool:
        """Whether it tells anything about another task."""
        mine, other = rows_a_step(self.task.settings), rows_a_step(task.settings)
        return (
            self._key(self.task) == self._key(task)
            and bool(task.training_set_id)
            and max(mine, other) <= MOST_TIMES_LARGER * min(mine, other)
        )

    def expected(self, task: Task) -> Expected:
        """What follows for another task."""
        return Expected(round(self.once_s + self.row_s * task.num_learned, 1), self.source, self.source_id)

    @staticmethod
    def _key(task: Task) -> tuple[Any, ...]:
        settings = {name: value for name, value in task.settings.items() if name not in TIMELESS}
        return task.base_model_id, task.backend, task.training_set_id, settings


@dataclass(frozen=True)
class Known:
    """What trainings and rehearsals of an organisation took; trainings before rehearsals, the newest first."""

    measures: tuple[Measure, ...]

    @classmethod
    def of(cls, session: Session, *, domain: str) -> "Known":
        """What there is."""
        return cls((*_trainings(session, domain), *_rehearsals(session, domain)))

    def expected(self, task: Task) -> Expected | None:
        """How long a task is likely to take; None where nothing tells it."""
        if task.num_rows is None:
            return None
        like = next((measure for measure in self.measures if measure.is_like(task)), None)
        return like.expected(task) if like is not None else None


def _trainings(session: Session, domain: str) -> list[Measure]:
    """Those that went through at once: what was paused or died has stood still in between."""
    at, step = TrainingMetric.at, TrainingMetric.step
    spans = (
        select(TrainingMetric.job_id, func.min(at), func.max(at), func.max(step) - func.min(step))
        .where(TrainingMetric.loss.is_not(None))
        .group_by(TrainingMetric.job_id)
    )
    query = select(TrainingJob).join(Job, Job.id == TrainingJob.id)
    query = query.where(TrainingJob.domain == domain, Job.kind == KIND, Job.state == JobState.SUCCEEDED.value)
    rows = session.scalars(query.where(Job.attempt == 1).order_by(TrainingJob.id.desc()).limit(MOST_LOOKED_AT)).all()
    found = session.execute(spans.where(TrainingMetric.job_id.in_([row.id for row in rows])))
    by_id = {job_id: (last - first).total_seconds() / steps for job_id, first, last, steps in found if steps}
    return [_measured(row, by_id[row.id]) for row in rows if row.id in by_id and row.completed_at and row.started_at]


def _measured(row: TrainingJob, step_s: float) -> Measure:
    task, started, completed = Task.of(row), row.started_at, row.completed_at
    took_s = (completed - started).total_seconds() if completed and started else 0.0
    row_s = step_s / rows_a_step(row.config)
    return Measure(task, max(0.0, took_s - row_s * task.num_learned), row_s, "training", row.id)


def _rehearsals(session: Session, domain: str) -> list[Measure]:
    query = select(Job).where(Job.domain == domain, Job.kind == REHEARSAL, Job.state == JobState.SUCCEEDED.value)
    jobs = session.scalars(query.order_by(Job.id.desc()).limit(MOST_LOOKED_AT))
    return [_foretold(job, (job.result or {})["forecast"]) for job in jobs if (job.result or {}).get("forecast")]


def _foretold(job: Job, forecast: Mapping[str, Any]) -> Measure:
    settings = job.params["options"]
    task = Task(job.params["base_model_id"], job.params["backend"], job.params["training_set_id"], settings, None)
    once_s = max(0.0, forecast["duration_s"] - forecast["step_s"] * forecast["num_steps"])
    return Measure(task, once_s, forecast["step_s"] / rows_a_step(settings), "rehearsal", job.id)
