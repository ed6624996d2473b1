"""The verbs of learning curves: start the trainings, have the exam asked, and write down what it says.

The trainings are a group (`train/groups.py`) on nested parts of the stars. How thoroughly each is trained follows from
the number of its rows, as the dial has it: with the same rounds for all, a small part would only be trained shorter.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from goldsmith.compare import asked, more_stars, queries
from goldsmith.compare.errors import NoExam, TooFewStars
from goldsmith.compare.measures import is_right
from goldsmith.compare.more_stars import CurvePoint, MoreStars
from goldsmith.compare.outcome import measured
from goldsmith.compare.service import prompt_version_of
from goldsmith.compare.tables import LearningCurve
from goldsmith.errors import GoldsmithError
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.people.types import Person
from goldsmith.run.tables import Run
from goldsmith.run.types import RunKindName
from goldsmith.serve import queries as serve
from goldsmith.serve import service as serving
from goldsmith.stars import queries as stars
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.train import groups
from goldsmith.train import queries as train
from goldsmith.train import service as training
from goldsmith.train.dial import Dial
from goldsmith.train.groups import GroupPlan
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.shares import SHARE
from goldsmith.train.tables import TrainingJob
from goldsmith.train.workshop import Workshop

KIND: Final = "learning-curve"
SHARES: Final = (0.25, 0.5, 1.0)
FEWEST_STARS: Final = 16
"""A quarter of them is one step of four rows."""


@dataclass(frozen=True)
class CurveRequest:
    """What is trained, and about how many more stars is asked; None: about half as many again."""

    training: TrainRequest
    num_more: int | None = None


def plan(session: Session, request: CurveRequest, *, workshop: Workshop, by: Person) -> GroupPlan:
    """The trainings that would be started. Raises NoExam, TooFewStars, and what a start of any of them refuses."""
    found = training.training_set_of(session, request.training, domain=by.domain)
    if found.num_exam == 0:
        raise NoExam(f"The training set {found.name} has no exam rows, so nothing could tell which training is better.")
    if found.num_learn < FEWEST_STARS:
        raise TooFewStars(f"{found.name} has {found.num_learn} rows to learn; at least {FEWEST_STARS} are needed.")
    return groups.plan(session, _request(request), {SHARE: SHARES}, workshop=workshop, by=by)


def start(session: Session, request: CurveRequest, *, workshop: Workshop, by: Person) -> LearningCurve:
    """Queue the trainings; the exam is asked when they are over. Refuses what `plan` refuses."""
    planned = plan(session, request, workshop=workshop, by=by)
    group = groups.start(session, _request(request), {SHARE: SHARES}, workshop=workshop, by=by)
    learned = planned.trainings[0].what.training_set
    curve = LearningCurve(
        id=new_id(Prefix.LEARNING_CURVE),
        group_id=group.id,
        training_set_id=learned.id if learned is not None else "",
        num_more=request.num_more,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(curve)
    session.flush()
    return curve


def ask(session: Session, curve: LearningCurve, *, by: Person) -> None:
    """The trainings are over: queue the job that asks the exam of each model, or say why nothing can be told."""
    trained = [row for row in train.of_group(session, curve.group_id) if row.output_model_id is not None]
    if len(trained) < 2:
        conclude(session, curve, [])
        return
    wording = prompt_version_of(session, curve.training_set_id)
    num_rows = len(asked.of_exam(session, curve.training_set_id))
    curve.points = [_point(session, row, wording, num_rows, by) for row in trained]
    name = stars.training_set(session, curve.training_set_id, domain=by.domain).name
    title = f"Ask the exam of a learning curve of {name}"
    curve.job_id = queue.add(session, NewJob(KIND, title, {}, curve.id, needs_slot=True), by=by).id
    session.flush()


def record_outcome(session: Session, curve: LearningCurve, *, by: Person) -> MoreStars:
    """Measure every model's answers and write down what they say; models that were not live before are taken off."""
    rows = asked.of_exam(session, curve.training_set_id)
    answers = queries.answers(session, [point["run_id"] for point in curve.points or ()])
    found = []
    for point in curve.points or ():
        said = [measured(answers.get((point["run_id"], row.row_id))) for row in rows]
        right = tuple(bool(is_right(each, row.expected)) for each, row in zip(said, rows, strict=True))
        found.append(CurvePoint(int(point["num_learn"]), right))
    curve.points = [
        {**point, "num_right": each.num_right, "num_rows": len(rows)}
        for point, each in zip(curve.points or (), found, strict=True)
    ]
    for point in curve.points:
        if not point["was_live"]:
            with suppress(GoldsmithError):  # somebody has put it to work meanwhile
                serving.undeploy(session, point["model_id"], by=by)
    return conclude(session, curve, found)


def conclude(session: Session, curve: LearningCurve, points: list[CurvePoint]) -> MoreStars:
    """Write down what the points say."""
    num_learn = stars.training_set(session, curve.training_set_id, domain=curve.domain).num_learn
    said = more_stars.decide(points, curve.num_more or more_stars.usual_more(num_learn))
    curve.answer = said.to_dict()
    session.flush()
    return said


def _request(request: CurveRequest) -> TrainRequest:
    dial = request.training.dial or Dial.balanced
    return replace(request.training, dial=dial)


def _point(session: Session, row: TrainingJob, wording: str, num_rows: int, by: Person) -> dict[str, Any]:
    model_id = row.output_model_id or ""
    run = Run(
        id=new_id(Prefix.RUN),
        name=f"Learning curve: {row.name}"[:255],
        kind=RunKindName.ARM.value,
        prompt_version_id=wording,
        model_id=model_id,
        options={},
        num_rows=num_rows,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(run)
    session.flush()
    live = {item.deployment.model_id for item in serve.active(session, domain=by.domain)}
    shown = {"training_id": row.id, "model_id": model_id, "run_id": run.id, "num_learn": row.sample_count}
    return {**shown, "was_live": model_id in live}
