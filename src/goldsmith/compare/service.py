"""The verbs of comparisons: start one. The answers are asked for by the job (`jobs.py`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from goldsmith.compare import queries
from goldsmith.compare.errors import ModelsNotComparable, NoExam
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.compare.verdict import FEWEST_ROWS
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.models import queries as models
from goldsmith.models.errors import ModelNotFound
from goldsmith.models.tables import FineTunedModel
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import RunKindName
from goldsmith.serve import service as serve
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id

KIND = "comparison"
ARMS = ("base", "examples", "tuned")
MAX_TOKENS = 512


@dataclass(frozen=True)
class ComparisonRequest:
    """What is put beside what: a fine-tuned model, its base, and the base with examples, on the exam's rows."""

    models: Sequence[str]
    """The fine-tuned model, and its base model if somebody names it too."""
    exam: str | None = None
    """A training set whose exam rows are asked; None: that of the fine-tuned model."""
    max_rows: int | None = None
    name: str | None = None
    max_tokens: int = MAX_TOKENS
    """Longest answer; the same in every arm."""


def start(session: Session, request: ComparisonRequest, *, by: Person) -> ModelComparison:
    """Queue a comparison. Raises NoExam, ModelsNotComparable, ModelNotFound."""
    tuned = _tuned(session, request.models, by)
    training_set_id = request.exam or tuned.training_set_id or ""
    rows = queries.exam_rows(session, training_set_id, limit=request.max_rows)
    if len(rows) < FEWEST_ROWS:
        raise NoExam(f"There are {len(rows)} exam rows; at least {FEWEST_ROWS} are needed.")
    comparison = ModelComparison(
        id=new_id(Prefix.COMPARISON),
        name=(request.name or f"{tuned.name} and its base model")[:255],
        philosopher=by.name,
        domain=by.domain,
        base_model_id=tuned.base_model_id,
        fine_tuned_model_id=tuned.id,
        training_set_id=training_set_id,
        prompt_version_id=_prompt_version(session, rows),
        test_prompts=[row.row_id for row in rows],
        test_count=len(rows),
        status="queued",
        created_by=by.id,
        created_at=clock.now(),
    )
    session.add(comparison)
    session.flush()
    _add_arms(session, comparison, by)
    serve.deploy(session, tuned.id, by=by)
    title = f"Compare {tuned.name} with its base model"
    params = {"max_tokens": request.max_tokens}
    job = queue.add(session, NewJob(KIND, title, params, comparison.id, needs_slot=True), by=by)
    comparison.job_id = job.id
    session.flush()
    return comparison


def _tuned(session: Session, names: Sequence[str], by: Person) -> FineTunedModel:
    found: list[FineTunedModel] = []
    bases: list[str] = []
    for name in names:
        try:
            found.append(models.tuned(session, name, domain=by.domain))
        except ModelNotFound:
            bases.append(models.base(session, name, domain=by.domain).id)
    if len(found) != 1:
        raise ModelsNotComparable(f"{len(found)} fine-tuned models were named; a comparison needs exactly one.")
    if any(base != found[0].base_model_id for base in bases):
        raise ModelsNotComparable(f"{found[0].name} was trained from another base model.")
    return found[0]


def _prompt_version(session: Session, rows: Sequence[TrainingSetRow]) -> str:
    """The wording of the first row's run: it brings the schema that every arm is held to."""
    answer = session.get_one(Answer, rows[0].answer_id)
    return session.get_one(Run, answer.run_id).prompt_version_id


def _add_arms(session: Session, comparison: ModelComparison, by: Person) -> None:
    for position, name in enumerate(ARMS):
        model_id = comparison.fine_tuned_model_id if name == "tuned" else comparison.base_model_id
        run = Run(
            id=new_id(Prefix.RUN),
            name=f"{comparison.name}: {name}"[:255],
            kind=RunKindName.ARM.value,
            prompt_version_id=comparison.prompt_version_id,
            model_id=model_id,
            options={},
            num_rows=comparison.test_count,
            domain=by.domain,
            created_by=by.id,
        )
        session.add(run)
        session.flush()
        arm = ComparisonArm(
            id=new_id(Prefix.ARM),
            comparison_id=comparison.id,
            name=name,
            position=position,
            model_id=model_id,
            run_id=run.id,
        )
        session.add(arm)
    session.flush()
