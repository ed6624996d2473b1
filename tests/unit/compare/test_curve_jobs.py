"""A learning curve from its trainings to its answer, against a stand-in for vLLM."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Session
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.unit.compare.test_jobs import be_live
from tests.web.models.factories import make_tuned_model

from goldsmith import app
from goldsmith.compare import curves, queries
from goldsmith.compare.curve_jobs import CurveKeeper, LearningCurveKind
from goldsmith.compare.curves import CurveRequest
from goldsmith.compare.more_stars import MoreStarsKind
from goldsmith.compare.tables import LearningCurve
from goldsmith.data import queries as data
from goldsmith.environments import machine
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.run.types import SendLimits
from goldsmith.serve import queries as serve
from goldsmith.serve import service as serving
from goldsmith.stars import export
from goldsmith.stars import service as stars
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine, write_small_model
from goldsmith.testing.fake_answers import Adapter
from goldsmith.train import queries as train
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.workshop import Workshop

NUM_ROWS = 80
RIGHT = {0.25: 0.2, 0.5: 0.5, 1.0: 0.9}
"""Part of the stars → part of the exam that the stand-in then gets right."""


def begin(
    session: Session, home: Home, person: Person, *, num_rows: int = NUM_ROWS, exam: float = 0.5
) -> LearningCurve:
    rows = [{"question": f"question {number}"} for number in range(num_rows)]
    version = make_dataset_version(session, rows, by=person)
    run = make_run(session, version, make_prompt_version(session, by=person), by=person)
    for row in data.rows(session, version.id, limit=500):
        answer = make_answer(session, run, row, f"label {row.position}")
        stars.mark(session, answer.id, MarkRequest(MarkKind.star), by=person)
    export.export(session, home, ExportRequest("stars", exam_share=exam), by=person)
    write_small_model(home.root / make_base_model(session, by=person).folder)
    workshop = Workshop(home, app.make_backends(), machine.look())
    request = CurveRequest(TrainRequest("tiny", "fake", name="mail"), num_more=20)
    return curves.start(session, request, workshop=workshop, by=person)


def finish(session: Session, curve: LearningCurve, person: Person, *, num_models: int = 3) -> None:
    """The trainings are over; so many of them, from the end, came to a model."""
    base = train.of_group(session, curve.group_id)[0].base_model_id
    for place, row in enumerate(train.of_group(session, curve.group_id)):
        row.status = "failed"
        if place >= 3 - num_models:
            model = make_tuned_model(session, session.get_one(BaseModel, base), by=person)
            model.training_set_id = curve.training_set_id
            row.status, row.output_model_id = "succeeded", model.id
    session.flush()


class Speaker:
    """Answers so many of the exam's rows right as the model's part of the stars says."""

    def __init__(self, expected: Mapping[str, str], parts: Mapping[str, float]) -> None:
        self._order = list(expected)
        self._expected, self._parts = expected, parts

    def __call__(self, model: str, messages: Sequence[Mapping[str, str]], body: Mapping[str, Any]) -> str:
        question = messages[-1]["content"]
        is_right = self._order.index(question) < RIGHT[self._parts[model]] * len(self._order)
        return self._expected[question] if is_right else "no idea"


def test_when_the_trainings_are_over_each_model_is_asked_the_exam_and_the_answer_is_written(
    database: Database, home: Home, person: Person
) -> None:
    with database.transaction() as session:
        curve_id = begin(session, home, person).id
    CurveKeeper(database).tick(clock.now())
    with database.transaction() as session:
        curve = queries.curve(session, curve_id, domain=person.domain)
        assert curve.job_id is None
        finish(session, curve, person)
        exam = queries.exam_rows(session, curve.training_set_id)
        expected = {row.messages[-2]["content"]: row.expected for row in exam}
        trained = train.of_group(session, curve.group_id)
        parts = {row.output_model_id or "": float((row.differs or {})["share"]) for row in trained}
        base_id = trained[0].base_model_id
    CurveKeeper(database).tick(clock.now())
    with database.reading() as session:
        curve = queries.curve(session, curve_id, domain=person.domain)
        view = jobs.view(jobs.one(session, curve.job_id or ""))
    context = WorkContext(
        view, database, home, JobFolder.of(home, view.id), lambda: False, database.transaction, lambda *_: None
    )
    engine = FakeEngine(base_id, answer=Speaker(expected, parts))
    engine.adapters.update({model_id: Adapter(model_id, home.root, has_effect=True) for model_id in parts})
    with engine:
        for model_id in parts:
            with database.transaction() as session:
                serving.deploy(session, model_id, by=person)
        be_live(database, engine)
        result = LearningCurveKind(limits=SendLimits(concurrency=4, timeout_s=10)).work("answer", context)
    assert result["answer"] == MoreStarsKind.HELP.value
    with database.reading() as session:
        curve = queries.curve(session, curve_id, domain=person.domain)
        assert [point["num_right"] for point in curve.points or ()] == [8, 20, 36]
        assert curve.answer is not None
        assert curve.answer["sentence"].startswith("20 more stars ≈ +")
        assert queries.curves_to_ask(session) == []
        assert not any(serve.deployment_of(session, model_id).is_wanted for model_id in parts)


@pytest.mark.parametrize("num_models", [0, 1])
def test_with_fewer_than_two_models_there_is_an_answer_and_no_job(
    database: Database, home: Home, person: Person, num_models: int
) -> None:
    with database.transaction() as session:
        curve = begin(session, home, person)
        finish(session, curve, person, num_models=num_models)
    CurveKeeper(database).tick(clock.now())
    with database.reading() as session:
        found = queries.curve(session, curve.id, domain=person.domain)
    assert found.job_id is None
    assert found.answer is not None
    assert found.answer["kind"] == MoreStarsKind.NOT_MEASURED.value
