"""The same training once more: the same bytes in, in the same order, with the same settings; else it says what differs.

What a training got stands in the `job.json` of its folder. The second one makes its own from the same training set, and
the two are compared before anything heavy starts.
"""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from goldsmith.jobs import queries as jobs
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.people.types import Person
from goldsmith.storage.files import Home
from goldsmith.train import service
from goldsmith.train.errors import NotRepeatable
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.shares import SHARE
from goldsmith.train.tables import PROVIDER, TrainingJob, TrainingMetric
from goldsmith.train.workshop import Workshop
from goldsmith.wire import order
from goldsmith.wire.order import Order

AGAIN_OF = "again_of"
"""Of a job's parameters: the training that it repeats."""
_MORE = " again"
_LONGEST_NAME = 255


def again(session: Session, training: TrainingJob, *, workshop: Workshop, by: Person) -> TrainingJob:
    """Queue the same training once more. Raises NotRepeatable, and what `service.start` refuses."""
    if PROVIDER in jobs.one(session, training.id).params:
        raise NotRepeatable("No provider promises to train twice alike, and it asks its price again.")
    if training.training_set_id is None:
        raise NotRepeatable(f"{training.name} has read no rows yet.")
    if not JobFolder.of(workshop.home, training.id).order.exists():
        raise NotRepeatable(f"{training.name} has left no order that could be repeated; it was not prepared.")
    request = TrainRequest(
        base_model=training.base_model_id,
        backend=training.backend,
        training_set=training.training_set_id,
        name=f"{training.name[: _LONGEST_NAME - len(_MORE)]}{_MORE}",
        options=training.config,
        share=float(jobs.one(session, training.id).params.get(SHARE, 1.0)),
    )
    return service.start(session, request, workshop=workshop, by=by, more_params={AGAIN_OF: training.id})


def original_of(session: Session, training: TrainingJob) -> TrainingJob | None:
    """The training that this one repeats."""
    earlier = jobs.one(session, training.id).params.get(AGAIN_OF)
    return session.get(TrainingJob, earlier) if earlier is not None else None


def check_same(home: Home, earlier_id: str, folder: JobFolder) -> None:
    """Raise JobFailed when this training got anything else than the earlier one."""
    path = JobFolder.of(home, earlier_id).order
    if not path.exists():
        raise JobFailed(
            "What the earlier training got is gone, so nobody can tell whether this would be the same.",
            hint="Start a new training with the same training set and settings.",
            kind="not_the_same",
        )
    earlier = order.read(path)
    differing = list(_differing(earlier, order.read(folder.order)))
    if differing:
        raise JobFailed(
            f"It would not be the same training: {', '.join(differing)} differ from those of the earlier one.",
            hint="Goldsmith, the base model or the training set changed since. Start a new training instead.",
            kind="not_the_same",
        )


def largest_difference(session: Session, first: TrainingJob, second: TrainingJob) -> float | None:
    """By how much the loss of any step differs between two trainings; None where they share no step."""
    one, other = aliased(TrainingMetric), aliased(TrainingMetric)
    query = select(func.max(func.abs(one.loss - other.loss))).join(other, other.step == one.step)
    found: float | None = session.scalar(query.where(one.job_id == first.id, other.job_id == second.id))
    return found


def _differing(earlier: Order, now: Order) -> Iterator[str]:
    exams = [each.exam.sha256 if each.exam is not None else None for each in (earlier, now)]
    facts = {
        "the rows to learn": (earlier.learn.sha256, now.learn.sha256),
        "the exam's rows": tuple(exams),
        "the base model": (earlier.base_model_hash, now.base_model_hash),
        "the chat template": (earlier.template_hash, now.template_hash),
        "the settings": (earlier.settings, now.settings),
        "the program": (earlier.program, now.program),
    }
    yield from (name for name, (before, after) in facts.items() if before != after)
