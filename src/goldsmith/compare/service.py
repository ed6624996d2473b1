"""The verbs of comparisons: start one. The answers are asked for by the job (`jobs.py`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from goldsmith.compare import asked, queries
from goldsmith.compare.asked import AskedRow
from goldsmith.compare.errors import ModelsNotComparable, NoExam
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.compare.verdict import FEWEST_ROWS
from goldsmith.data import queries as data
from goldsmith.data.errors import DatasetNotFound
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.models import queries as models
from goldsmith.models.errors import ModelNotFound
from goldsmith.models.tables import FineTunedModel
from goldsmith.people.types import Person
from goldsmith.run import queries as runs
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import RunKindName
from goldsmith.serve import service as serve
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id

KIND = "comparison"
ARMS = ("base", "examples", "tuned")
MAX_TOKENS = 512
MAX_ASKED_TWICE = 100
"""So many rows show whether a model says the same twice; more would only take time."""


@dataclass(frozen=True)
class ComparisonRequest:
    """What is put beside what: a fine-tuned model, its base, and the base with examples, on the exam's rows."""

    models: Sequence[str]
    """The fine-tuned model, and its base model if somebody names it too."""
    exam: str | None = None
    """A training set whose exam rows are asked; None: that of the fine-tuned model."""
    dataset_version_id: str | None = None
    """Rows with their right answers, which are asked instead of an exam; what the model has learned is left out."""
    max_rows: int | None = None
    name: str | None = None
    max_tokens: int = MAX_TOKENS
    """Longest answer; the same in every arm."""


def start(session: Session, request: ComparisonRequest, *, by: Person) -> ModelComparison:
    """Queue a comparison. Raises NoExam, DatasetWithoutAnswers, ModelsNotComparable, ModelNotFound."""
    tuned = _tuned(session, request.models, by)
    training_set_id = request.exam or tuned.training_set_id or ""
    prompt_version_id = prompt_version_of(session, training_set_id)
    rows = _rows(session, request, tuned, prompt_version_id)
    if len(rows) < FEWEST_ROWS:
        what = "exam rows" if request.dataset_version_id is None else "rows with a right answer that was not learned"
        raise NoExam(f"There are {len(rows)} {what}; at least {FEWEST_ROWS} are needed.")
    comparison = ModelComparison(
        id=new_id(Prefix.COMPARISON),
        name=(request.name or f"{tuned.name} and its base model")[:255],
        philosopher=by.name,
        domain=by.domain,
        base_model_id=tuned.base_model_id,
        fine_tuned_model_id=tuned.id,
        training_set_id=training_set_id if request.dataset_version_id is None else None,
        prompt_version_id=prompt_version_id,
        test_prompts=[row.row_id for row in rows],
        test_count=len(rows),
        status="queued",
        created_by=by.id,
        created_at=clock.now(),
    )
    session.add(comparison)
    session.flush()
    _add_arms(session, comparison, request.dataset_version_id, by)
    serve.deploy(session, tuned.id, by=by)
    is_away = models.is_at_provider(session, tuned)
    title = f"Compare {tuned.name} with its base model"
    params = {"max_tokens": request.max_tokens}
    job = queue.add(session, NewJob(KIND, title, params, comparison.id, needs_slot=not is_away), by=by)
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


def _rows(session: Session, request: ComparisonRequest, tuned: FineTunedModel, version_id: str) -> list[AskedRow]:
    training_set_id = tuned.training_set_id or ""
    if request.dataset_version_id is None:
        return asked.of_exam(session, request.exam or training_set_id, limit=request.max_rows)
    version = data.version(session, request.dataset_version_id)
    if version.domain != tuned.domain:
        raise DatasetNotFound(f"There is no dataset version {version.id}.")
    return asked.of_dataset(
        session,
        version,
        runs.prompt_version(session, version_id),
        learned=queries.learn_rows(session, training_set_id),
        limit=request.max_rows,
    )


def prompt_version_of(session: Session, training_set_id: str) -> str:
    """The wording of the set's first row: it brings the schema that every arm is held to."""
    row = queries.first_row(session, training_set_id)
    if row is None:
        raise NoExam("The model's training set has no rows, so there is no exam and no prompt to ask with.")
    answer = session.get_one(Answer, row.answer_id)
    return session.get_one(Run, answer.run_id).prompt_version_id


def _add_arms(session: Session, comparison: ModelComparison, dataset_version_id: str | None, by: Person) -> None:
    for position, name in enumerate((*ARMS, queries.AGAIN)):
        is_tuned = name in ("tuned", queries.AGAIN)
        model_id = comparison.fine_tuned_model_id if is_tuned else comparison.base_model_id
        run = Run(
            id=new_id(Prefix.RUN),
            name=f"{comparison.name}: {name}"[:255],
            kind=RunKindName.ARM.value,
            dataset_version_id=dataset_version_id,
            prompt_version_id=comparison.prompt_version_id,
            model_id=model_id,
            options={},
            num_rows=min(comparison.test_count, MAX_ASKED_TWICE) if name == queries.AGAIN else comparison.test_count,
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
