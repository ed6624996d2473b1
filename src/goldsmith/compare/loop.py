"""Where an organisation is in the loop, and what it does best next: counts from every step, and one pure decision.

It stands in the last step because it looks at all of them. Called by the pages of home and of the guided way.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.orm import Session

from goldsmith.compare import queries
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.compare.types import VerdictKind
from goldsmith.compare.verdict import FEWEST_ROWS
from goldsmith.data import queries as data
from goldsmith.data.errors import DatasetNotReady
from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import queries as models
from goldsmith.models.tables import FineTunedModel
from goldsmith.run import queries as runs
from goldsmith.run.tables import Run
from goldsmith.run.types import RunKindName
from goldsmith.serve import queries as serve
from goldsmith.serve.queries import ActiveModel
from goldsmith.serve.types import DEFAULT_ALIAS, Proof
from goldsmith.stars import queries as stars
from goldsmith.stars.split import FEWEST_STARS
from goldsmith.stars.tables import TrainingSet
from goldsmith.train import queries as trainings
from goldsmith.train.tables import TrainingJob


class StepName(StrEnum):
    """The six steps."""

    data = "data"
    run = "run"
    stars = "stars"
    train = "train"
    serve = "serve"
    compare = "compare"


class Next(StrEnum):
    """What to do next."""

    bring_rows = "bring_rows"
    wait_for_rows = "wait_for_rows"
    run = "run"
    wait_for_answers = "wait_for_answers"
    give_stars = "give_stars"
    export = "export"
    train = "train"
    wait_for_training = "wait_for_training"
    mend_training = "mend_training"
    deploy = "deploy"
    wait_for_proof = "wait_for_proof"
    look_at_receipt = "look_at_receipt"
    compare = "compare"
    wait_for_comparison = "wait_for_comparison"
    mend_comparison = "mend_comparison"
    make_default = "make_default"
    another_round = "another_round"

    @property
    def step(self) -> StepName:
        """The step to which it belongs."""
        return _STEPS[self]

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has to do anything but wait."""
        return self.value.startswith("wait")


_STEPS = {
    Next.bring_rows: StepName.data,
    Next.wait_for_rows: StepName.data,
    Next.run: StepName.run,
    Next.wait_for_answers: StepName.run,
    Next.give_stars: StepName.stars,
    Next.export: StepName.stars,
    Next.train: StepName.train,
    Next.wait_for_training: StepName.train,
    Next.mend_training: StepName.train,
    Next.deploy: StepName.serve,
    Next.wait_for_proof: StepName.serve,
    Next.look_at_receipt: StepName.serve,
    Next.compare: StepName.compare,
    Next.wait_for_comparison: StepName.compare,
    Next.mend_comparison: StepName.compare,
    Next.make_default: StepName.compare,
    Next.another_round: StepName.compare,
}


@dataclass(frozen=True)
class Counts:
    """What the decision depends on. States are those of the newest thing of each kind; "" where there is none."""

    num_rows: int = 0
    is_importing: bool = False
    num_answers: int = 0
    is_running: bool = False
    num_stars: int = 0
    has_set: bool = False
    has_new_set: bool = False
    """A training set that was made after the newest training was started."""
    training: str = ""
    has_model: bool = False
    proof: str = ""
    """Of the newest model's deployment, when it is wanted or was refused."""
    is_default: bool = False
    num_exam: int = 0
    comparison: str = ""
    verdict: str = ""


def decide(counts: Counts) -> Next:
    """What to do next. Whoever has stars already needs neither rows nor a run before them."""
    if not counts.num_stars and not counts.num_answers:
        if not counts.num_rows:
            return Next.wait_for_rows if counts.is_importing else Next.bring_rows
        return Next.wait_for_answers if counts.is_running else Next.run
    if counts.training and JobState(counts.training) is JobState.FAILED:
        return Next.mend_training
    if counts.training and not JobState(counts.training).is_over:
        return Next.wait_for_training
    if not counts.has_model:
        return _before_training(counts)
    return Next.train if counts.has_new_set else _after_training(counts)


def _before_training(counts: Counts) -> Next:
    if counts.has_set:
        return Next.train
    return Next.give_stars if counts.num_stars < FEWEST_STARS else Next.export


def _after_training(counts: Counts) -> Next:
    if counts.comparison and not JobState(counts.comparison).is_over:
        return Next.wait_for_comparison
    if counts.comparison == JobState.FAILED.value:
        return Next.mend_comparison
    if counts.proof == Proof.REFUSED.value:
        return Next.look_at_receipt
    if not counts.proof:
        return Next.another_round if counts.verdict and counts.verdict != VerdictKind.better.value else Next.deploy
    if not Proof(counts.proof).allows_default:
        return Next.wait_for_proof
    if not counts.verdict and counts.num_exam >= FEWEST_ROWS:
        return Next.compare
    is_good = counts.verdict in ("", VerdictKind.better.value)
    return Next.make_default if is_good and not counts.is_default else Next.another_round


@dataclass(frozen=True)
class Loop:
    """The newest thing of every step, and the counts."""

    dataset: Dataset | None
    version: DatasetVersion | None
    run: Run | None
    run_job: Job | None
    num_answers: int
    num_stars: int
    num_corrected: int
    training_set: TrainingSet | None
    training: TrainingJob | None
    training_job: Job | None
    model: FineTunedModel | None
    live: ActiveModel | None
    is_refused: bool
    comparison: ModelComparison | None
    arms: tuple[ComparisonArm, ...]
    counts: Counts

    @property
    def next(self) -> Next:
        """What to do next."""
        return decide(self.counts)


@dataclass(frozen=True)
class Figures:
    """Four numbers of an organisation; None where nobody has measured."""

    num_stars: int
    num_active_trainings: int
    num_deployed: int
    average_win_rate: float | None


def look(session: Session, *, domain: str) -> Loop:
    """Where the organisation is."""
    dataset = next(iter(data.page(session, domain=domain, limit=1)), None)
    version = _version(session, dataset)
    kinds = [RunKindName.MODEL.value, RunKindName.IMPORTED.value]
    run = next(iter(runs.page(session, domain=domain, kinds=kinds, limit=1)), None)
    training_set = next(iter(stars.training_sets(session, domain=domain, limit=1)), None)
    training = next(iter(trainings.page(session, domain=domain, limit=1)), None)
    model = next(iter(models.all_tuned(session, domain=domain, limit=1)), None)
    live = _live(session, model)
    receipts = serve.receipts(session, model.id) if model is not None and live is None else []
    found = queries.page(session, domain=domain, model_id=model.id, limit=1) if model is not None else []
    comparison = next(iter(found), None)
    loop = Loop(
        dataset=dataset,
        version=version,
        run=run,
        run_job=jobs.one(session, run.job_id) if run is not None and run.job_id else None,
        num_answers=runs.num_answers(session, run.id) if run is not None else 0,
        num_stars=sum(stars.num_stars(session, domain=domain).values()),
        num_corrected=stars.num_corrected(session, domain=domain),
        training_set=training_set,
        training=training,
        training_job=jobs.one(session, training.id) if training is not None else None,
        model=model,
        live=live,
        is_refused=bool(receipts) and not receipts[0].is_green,
        comparison=comparison,
        arms=tuple(queries.arms(session, comparison.id)) if comparison is not None else (),
        counts=Counts(),
    )
    return _counted(session, loop)


def figures(session: Session, *, domain: str) -> Figures:
    """The four numbers."""
    return Figures(
        num_stars=sum(stars.num_stars(session, domain=domain).values()),
        num_active_trainings=trainings.num_active(session, domain=domain),
        num_deployed=serve.num_deployed(session, domain=domain),
        average_win_rate=queries.average_win_rate(session, domain=domain),
    )


def _version(session: Session, dataset: Dataset | None) -> DatasetVersion | None:
    if dataset is None:
        return None
    try:
        return data.newest_version(session, dataset.id)
    except DatasetNotReady:
        return None


def _live(session: Session, model: FineTunedModel | None) -> ActiveModel | None:
    if model is None:
        return None
    found = serve.active(session, domain=model.domain)
    return next((item for item in found if item.deployment.model_id == model.id and item.deployment.is_wanted), None)


def _counted(session: Session, loop: Loop) -> Loop:
    newest_import = jobs.page(session, domain=loop.dataset.domain, kind="import", limit=1) if loop.dataset else []
    proof = Proof.REFUSED.value if loop.is_refused else loop.live.deployment.proof if loop.live is not None else ""
    exam = stars.num_exam_of(session, loop.model.training_set_id) if loop.model is not None else 0
    counts = Counts(
        num_rows=loop.version.num_rows if loop.version is not None else 0,
        is_importing=any(not JobState(job.state).is_over for job in newest_import),
        num_answers=loop.num_answers,
        is_running=loop.run_job is not None and not JobState(loop.run_job.state).is_over,
        num_stars=loop.num_stars,
        has_set=loop.training_set is not None,
        has_new_set=_is_new(loop),
        training=loop.training_job.state if loop.training_job is not None else "",
        has_model=loop.model is not None,
        proof=proof,
        is_default=loop.live is not None and DEFAULT_ALIAS in loop.live.aliases,
        num_exam=exam,
        comparison=loop.comparison.status if loop.comparison is not None else "",
        verdict=str((loop.comparison.verdict or {}).get("kind", "")) if loop.comparison is not None else "",
    )
    return replace(loop, counts=counts)


def _is_new(loop: Loop) -> bool:
    """Ids sort by the time at which they were made."""
    newest, training = loop.training_set, loop.training
    return newest is not None and (training is None or newest.id > (training.training_set_id or ""))
