"""The work of a learning curve: ask the exam of each of its models, then say what they show; and who begins it.

Started again after any death, it asks only what is still open.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from goldsmith.compare import asked, asking, curves, queries
from goldsmith.compare.asked import AskedRow
from goldsmith.compare.asking import LIMITS, Arm
from goldsmith.compare.jobs import ComparisonKind
from goldsmith.compare.service import MAX_TOKENS, prompt_version_of
from goldsmith.jobs.kinds import JobKind, LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run import queries as runs
from goldsmith.run.types import AnswerRequest, SendLimits
from goldsmith.run.waiting import ENGINE_START_S, ask_through_losses
from goldsmith.serve.types import Target
from goldsmith.storage.database import Database

LOOK_EVERY_S = 2.0


class LearningCurveKind(LightKind):
    """Asks the exam's rows of every model of a learning curve."""

    name: ClassVar[str] = curves.KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("answer"),)

    def __init__(self, *, engine_start_s: float = ENGINE_START_S, limits: SendLimits = LIMITS) -> None:
        self._engine_start_s = engine_start_s
        self._limits = limits

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Ask what is open, then measure. Raises JobFailed when an engine stays away."""
        del stage
        with context.database.reading() as session:
            curve = queries.curve(session, context.job.subject_id or "", domain=context.job.domain)
            wording = runs.prompt_version(session, prompt_version_of(session, curve.training_set_id))
            rows, points = asked.of_exam(session, curve.training_set_id), curve.points or []
        done = _Done(context, len(rows) * len(points))
        for point in points:
            there = asking.answered(context, point["run_id"])
            done.num += len(there)
            if len(there) < len(rows):
                arm = Arm(point["run_id"], wording.answer_schema)
                ask = partial(self._ask, context, arm, rows, done)
                ask_through_losses(
                    context, point["model_id"], ask, num_done=lambda: done.num, timeout_s=self._engine_start_s
                )
            if context.should_stop():
                return {}
        with context.transaction() as session:
            curve = queries.curve(session, curve.id, domain=curve.domain)
            by = people.one(session, curve.created_by) or Person(curve.created_by, "", curve.domain)
            said = curves.record_outcome(session, curve, by=by)
        return {"answer": said.kind.value, "sentence": said.sentence}

    def _ask(
        self, context: WorkContext, arm: Arm, rows: Sequence[AskedRow], done: "_Done", targets: Sequence[Target]
    ) -> None:
        requests = _requests(rows, arm, asking.answered(context, arm.run_id))
        asking.ask(context, arm, requests, targets, on_kept=done.add, limits=self._limits)


class _Done:
    """How many answers there are."""

    def __init__(self, context: WorkContext, num_all: int) -> None:
        self.num = 0
        self._context, self._num_all = context, num_all

    def add(self, num_kept: int) -> None:
        """So many more."""
        self.num += num_kept
        self._context.report(self.num / max(1, self._num_all), f"{self.num:,} of {self._num_all:,} answers")


class CurveKeeper:
    """Has the exam asked once the trainings of a learning curve are over."""

    name: ClassVar[str] = "learning curves"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked_at: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Look every few seconds."""
        if self._looked_at is not None and 0 <= (now - self._looked_at).total_seconds() < LOOK_EVERY_S:
            return
        self._looked_at = now
        with self._database.reading() as session:
            if not queries.curves_to_ask(session):
                return
        with self._database.transaction() as session:
            for curve in queries.curves_to_ask(session):
                by = people.one(session, curve.created_by) or Person(curve.created_by, "", curve.domain)
                curves.ask(session, curve, by=by)


def kinds_of_comparing() -> tuple[JobKind, ...]:
    """What compares models."""
    return ComparisonKind(), LearningCurveKind()


def _requests(rows: Sequence[AskedRow], arm: Arm, there: set[str]) -> Iterator[AnswerRequest]:
    for row in rows:
        if row.row_id not in there:
            yield AnswerRequest(
                row_id=row.row_id,
                position=row.position,
                messages=list(row.asked),
                max_tokens=MAX_TOKENS,
                answer_schema=arm.schema,
            )
