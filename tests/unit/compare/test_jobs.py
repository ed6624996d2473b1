"""The work of a comparison against a stand-in for vLLM: every arm once, the tuned model a second time."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.web.models.factories import make_tuned_model

from goldsmith.compare import queries, service
from goldsmith.compare.jobs import ComparisonKind
from goldsmith.compare.service import ComparisonRequest
from goldsmith.data import queries as data
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.models.tables import FineTunedModel
from goldsmith.people.types import Person
from goldsmith.run.types import SendLimits
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.stars import export
from goldsmith.stars import service as stars
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine
from goldsmith.testing.fake_answers import Adapter

NUM_ROWS, NUM_EXAM = 20, 10
MakeContext = Callable[..., WorkContext]


@pytest.fixture
def model_id(database: Database, home: Home, person: Person) -> str:
    """A tuned model whose training set has an exam of ten rows."""
    with database.transaction() as session:
        rows = [{"question": f"question {number}"} for number in range(NUM_ROWS)]
        version = make_dataset_version(session, rows, by=person)
        run = make_run(session, version, make_prompt_version(session, by=person), by=person)
        for row in data.rows(session, version.id):
            answer = make_answer(session, run, row, f"label {row.position}")
            stars.mark(session, answer.id, MarkRequest(MarkKind.star), by=person)
        made = export.export(session, home, ExportRequest("stars", exam_share=0.5), by=person)
        model = make_tuned_model(session, make_base_model(session, by=person), by=person)
        model.training_set_id = made.id
        return model.id


@pytest.fixture
def comparison_id(database: Database, person: Person, model_id: str) -> str:
    with database.transaction() as session:
        return service.start(session, ComparisonRequest([model_id]), by=person).id


@pytest.fixture
def context_for(database: Database, home: Home, comparison_id: str) -> MakeContext:
    def make(should_stop: Callable[[], bool] = lambda: False) -> WorkContext:
        with database.reading() as session:
            comparison = queries.one(session, comparison_id, domain="local")
            view = jobs.view(jobs.one(session, comparison.job_id or ""))
        folder = JobFolder.of(home, view.id)
        return WorkContext(view, database, home, folder, should_stop, database.transaction, lambda *_: None)

    return make


def be_live(database: Database, engine: FakeEngine) -> None:
    """Say in the database that everything that is wanted is loaded there."""
    with database.transaction() as session:
        [row] = session.query(Engine).all()
        row.url, row.state, row.kind = engine.url, "ready", "attached"
        for deployment in session.query(Deployment).all():
            deployment.state, deployment.generation = "loaded", row.generation


class Speaker:
    """Both models; the tuned one says something else the second time for the first so many questions."""

    def __init__(self, *, num_wavering: int = 0) -> None:
        self.asked: dict[str, int] = {}
        self._num_wavering = num_wavering

    def __call__(self, model: str, messages: Sequence[Mapping[str, str]], body: Mapping[str, Any]) -> str:
        question = messages[-1]["content"]
        if not model.startswith("ftm_"):
            return "base"
        self.asked[question] = self.asked.get(question, 0) + 1
        is_wavering = list(self.asked).index(question) < self._num_wavering
        return f"answer {self.asked[question] if is_wavering else 1}"


def engine_with(model_id: str, home: Home, speaker: Speaker, base_id: str) -> FakeEngine:
    engine = FakeEngine(base_id, answer=speaker)
    engine.adapters[model_id] = Adapter(model_id, home.root, has_effect=True)
    return engine


def base_of(database: Database, model_id: str) -> str:
    with database.reading() as session:
        return session.get_one(FineTunedModel, model_id).base_model_id


def test_the_tuned_model_is_asked_twice_with_a_salt_of_its_own(
    database: Database, home: Home, model_id: str, comparison_id: str, context_for: MakeContext
) -> None:
    speaker = Speaker()
    with engine_with(model_id, home, speaker, base_of(database, model_id)) as engine:
        be_live(database, engine)
        ComparisonKind().work("answer", context_for())
        salts = [body.get("cache_salt") for body in engine.requests if body["model"] == model_id]
    assert sorted(speaker.asked.values()) == [2] * NUM_EXAM
    assert (len(salts), salts.count(None), len(set(salts))) == (2 * NUM_EXAM, NUM_EXAM, 2)
    with database.reading() as session:
        tuned = queries.arms(session, comparison_id)[-1]
        model = session.get_one(FineTunedModel, model_id)
    assert tuned.figures is not None
    assert tuned.figures["twice"] == {"num_same": NUM_EXAM, "num_rows": NUM_EXAM}
    assert model.consistency_score == 1.0
    assert set(model.measured_at) >= {"consistency_score", "win_rate", "gold_star_rate"}


def test_an_engine_that_is_lost_in_the_midst_is_waited_for_as_a_run_does(
    database: Database, home: Home, model_id: str, comparison_id: str, context_for: MakeContext
) -> None:
    with engine_with(model_id, home, Speaker(), base_of(database, model_id)) as engine:
        be_live(database, engine)
        engine.faults.die_after = NUM_EXAM + 3

        def revive() -> None:
            engine.stop()
            engine.faults.die_after = None
            engine.start()

        again = threading.Timer(2.5, revive)
        again.start()
        ComparisonKind(limits=SendLimits(concurrency=1, engine_wait_s=2.0, backoff_s=0.02)).work(
            "answer", context_for()
        )
        again.join()
    with database.reading() as session:
        assert queries.num_answers(session, comparison_id) == queries.num_wanted(session, comparison_id) == 4 * NUM_EXAM


def test_an_engine_that_stays_away_fails_it_and_keeps_what_was_answered(
    database: Database, home: Home, model_id: str, comparison_id: str, context_for: MakeContext
) -> None:
    with engine_with(model_id, home, Speaker(), base_of(database, model_id)) as engine:
        be_live(database, engine)
        engine.faults.die_after = 3
        kind = ComparisonKind(limits=SendLimits(concurrency=1, engine_wait_s=0.1, backoff_s=0.02))
        with pytest.raises(JobFailed, match="was away"):
            kind.work("answer", context_for())
    with database.reading() as session:
        assert queries.num_answers(session, comparison_id) == 3


def test_another_answer_the_second_time_is_counted(
    database: Database, home: Home, model_id: str, comparison_id: str, context_for: MakeContext
) -> None:
    speaker = Speaker(num_wavering=3)
    with engine_with(model_id, home, speaker, base_of(database, model_id)) as engine:
        be_live(database, engine)
        ComparisonKind().work("answer", context_for())
    with database.reading() as session:
        assert session.get_one(FineTunedModel, model_id).consistency_score == 0.7
        assert [arm.name for arm in queries.arms(session, comparison_id)] == ["base", "examples", "tuned"]


def test_killed_while_asking_again_it_asks_only_what_is_open(
    database: Database, home: Home, model_id: str, comparison_id: str, context_for: MakeContext
) -> None:
    speaker = Speaker()
    with engine_with(model_id, home, speaker, base_of(database, model_id)) as engine:
        be_live(database, engine)
        ComparisonKind().work("answer", context_for())
        with database.transaction() as session:
            again = queries.second_asking(session, comparison_id)
            assert again is not None
            kept = list(queries.answers(session, [again.run_id]).values())
            for answer in kept[4:]:
                session.delete(answer)
        engine.requests.clear()
        ComparisonKind().work("answer", context_for())
        assert len(engine.requests) == NUM_EXAM - 4
    with database.reading() as session:
        assert queries.num_answers(session, comparison_id) == queries.num_wanted(session, comparison_id) == 4 * NUM_EXAM
