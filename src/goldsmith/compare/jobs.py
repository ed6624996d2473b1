"""The work of a comparison: ask every arm about the exam's rows, one arm after the other, then say what they show.

All arms get the same prompt and the same schema. Started again after any death, it asks only what is still open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.compare import asked, asking, queries
from goldsmith.compare.asked import AskedRow
from goldsmith.compare.asking import LIMITS
from goldsmith.compare.examples import Candidate, choose, with_examples
from goldsmith.compare.outcome import LABELS, record_outcome
from goldsmith.compare.service import KIND, MAX_ASKED_TWICE, MAX_TOKENS
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import Stage
from goldsmith.models import queries as models
from goldsmith.run import queries as runs
from goldsmith.run.tables import PromptVersion
from goldsmith.run.types import AnswerRequest, SendLimits
from goldsmith.run.waiting import ENGINE_START_S, ask_through_losses
from goldsmith.serve.engine_client import make_salt
from goldsmith.serve.types import Target
from goldsmith.storage.patience import until_it_answers


@dataclass
class _Work:
    """A comparison while its worker is at it."""

    comparison: ModelComparison
    arms: Sequence[ComparisonArm]
    """Those that are compared, then the tuned model once more."""
    rows: Sequence[AskedRow]
    examples: Sequence[Candidate]
    wording: PromptVersion
    max_tokens: int
    num_done: int = 0

    @property
    def num_all(self) -> int:
        """Answers that are wanted."""
        return sum(len(self.rows_of(arm)) for arm in self.arms)

    def rows_of(self, arm: ComparisonArm) -> Sequence[AskedRow]:
        """The rows that an arm is asked about: all of them, the first ones a second time."""
        return self.rows[:MAX_ASKED_TWICE] if arm.name == queries.AGAIN else self.rows


class ComparisonKind(LightKind):
    """Puts two models, and the base with examples, beside each other on the exam's rows."""

    name: ClassVar[str] = KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("answer"),)

    def __init__(self, *, engine_start_s: float = ENGINE_START_S, limits: SendLimits = LIMITS) -> None:
        self._engine_start_s = engine_start_s
        self._limits = limits

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Ask what is open, then measure. Raises JobFailed when an engine stays away."""
        del stage
        with context.database.reading() as session:
            work = _open(session, context)
        for arm in work.arms:
            num_answered = len(asking.answered(context, arm.run_id))
            work.num_done += num_answered
            if num_answered < len(work.rows_of(arm)):
                ask = partial(self._ask, context, work, arm)
                ask_through_losses(
                    context, arm.model_id, ask, num_done=lambda: work.num_done, timeout_s=self._engine_start_s
                )
            if context.should_stop():
                return {}
        with context.transaction() as session:
            verdict = record_outcome(session, work.comparison.id, by=context.job.id)
        return {"verdict": verdict.kind.value, "sentence": verdict.sentence}

    def mirror(self, session: Session, job: Job) -> None:
        """Keep the job's state in the comparison's own row."""
        comparison = session.get(ModelComparison, job.subject_id)
        if comparison is not None:
            comparison.status = job.state
            comparison.completed_at = job.finished_at

    def _ask(self, context: WorkContext, work: _Work, arm: ComparisonArm, targets: Sequence[Target]) -> None:
        def say(num_kept: int) -> None:
            work.num_done += num_kept
            share = work.num_done / max(1, work.num_all)
            words = f"{LABELS[arm.name]}: {work.num_done:,} of {work.num_all:,} answers"
            until_it_answers(lambda: context.report(share, words))

        requests = _requests(work, arm, asking.answered(context, arm.run_id))  # those of before a loss are there
        asked_arm = asking.Arm(arm.run_id, work.wording.answer_schema)
        asking.ask(context, asked_arm, requests, targets, on_kept=say, limits=self._limits)


def _open(session: Session, context: WorkContext) -> _Work:
    comparison = queries.one(session, context.job.subject_id or "", domain=context.job.domain)
    tuned = models.tuned(session, comparison.fine_tuned_model_id, domain=comparison.domain)
    learned = queries.learn_rows(session, comparison.training_set_id or tuned.training_set_id or "")
    again = queries.second_asking(session, comparison.id)
    return _Work(
        comparison=comparison,
        arms=[*queries.arms(session, comparison.id), *([again] if again is not None else [])],
        rows=asked.of_comparison(session, comparison),
        examples=choose([Candidate(row.stratum, row.mark_id, row.messages) for row in learned]),
        wording=runs.prompt_version(session, comparison.prompt_version_id),
        max_tokens=int(context.job.params.get("max_tokens", MAX_TOKENS)),
    )


def _requests(work: _Work, arm: ComparisonArm, there: set[str]) -> Iterator[AnswerRequest]:
    salt = make_salt() if arm.name == queries.AGAIN else None
    for row in work.rows_of(arm):
        if row.row_id in there:
            continue
        turns = list(row.asked)
        messages = with_examples(turns, work.examples) if arm.name == "examples" else turns
        yield AnswerRequest(
            row_id=row.row_id,
            position=row.position,
            messages=messages,
            max_tokens=work.max_tokens,
            answer_schema=work.wording.answer_schema,
            cache_salt=salt,
        )
