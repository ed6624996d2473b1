"""A conquest is asked once and stored once, whatever dies in between; what the model is asked, and what is kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from tests.factories import MakeDatabase
from tests.unit.connect.executions.conftest import FakePlace

from goldsmith.connect.conquests import Conquest
from goldsmith.connect.errors import SourceNotAnswering, SourceNotConnected
from goldsmith.connect.executions import queries, service
from goldsmith.connect.executions.jobs import ConquestKind
from goldsmith.connect.executions.tables import ConquestExecution, ConquestResult
from goldsmith.connect.executions.types import Order, ResultState
from goldsmith.connect.types import SourceItem
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs import queue
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.types import JobFailure
from goldsmith.people.types import Person
from goldsmith.run.types import SendLimits
from goldsmith.storage.database import Database
from goldsmith.testing import FakeEngine

QUICK = SendLimits(backoff_s=0.01, engine_wait_s=0.2)
ORDER = Order("eidos_1", ("candidate_1",), "tiny")
ContextFor = Callable[..., WorkContext]
Begin = Callable[..., ConquestExecution]


@pytest.fixture
def begin(
    database: Database, ana: Person, place: FakePlace, base_model: object, point_engine: Callable[[str], None]
) -> Begin:
    def begin(url: str, order: Order = ORDER) -> ConquestExecution:
        point_engine(url)
        return service.execute(database, lambda: place, order, key=None, by=ana)

    return begin


def kind(place: FakePlace) -> ConquestKind:
    return ConquestKind(lambda: place, limits=QUICK)


def results(database: Database, execution: ConquestExecution) -> Sequence[ConquestResult]:
    with database.reading() as session:
        return queries.results(session, execution.id, limit=1000)


def test_the_answer_is_kept_here_and_stored_there(
    database: Database, place: FakePlace, begin: Begin, context_for: ContextFor
) -> None:
    answer = '{"evaluation": {"recommendation": "Yes"}}'
    with FakeEngine("bm_1", answer=lambda *_: answer) as engine:
        execution = begin(engine.url)
        said = kind(place).work("execute", context_for(execution.job_id))
    [result], [stored] = results(database, execution), place.stored.values()
    assert said == {"num_stored": 1, "num_failed": 0}
    assert (result.state, result.text, result.conquest_id) == ("stored", answer, f"conquest_{result.id}")
    assert (stored.subject_id, stored.eidos_id, stored.kind) == ("candidate_1", "eidos_1", "CANDIDATE")
    assert stored.prompt == {"prompt": 'Right for us?\n\n{"name": "C1"}'}
    assert stored.answer["response"] == answer
    assert stored.answer["evaluation"] == {"recommendation": "Yes"}
    assert stored.answer["model"] == "bm_1"
    assert stored.answer["usage"] == {"prompt_tokens": result.prompt_tokens, "completion_tokens": result.answer_tokens}
    assert stored.tuned_model_id is None
    assert stored.execution_ms == round(result.duration_ms or 0)
    assert (result.prompt_tokens or 0) > 0


def test_a_base_model_gets_the_best_examples_and_the_eidos_s_system_message(
    place: FakePlace, begin: Begin, context_for: ContextFor
) -> None:
    place.eidos = {"prompt": "Right?", "system": "You judge."}
    place.items = [SourceItem(f"q{number}", f"Q{number}", f"A{number}", rating=number) for number in range(1, 6)]
    place.items.append(SourceItem("same", "C1?", "Yes.", subject_id="candidate_1"))
    place.items.append(SourceItem("long", "x" * 1_000_000, "y"))
    with FakeEngine("bm_1") as engine:
        execution = begin(engine.url)
        kind(place).work("execute", context_for(execution.job_id))
        [asked] = engine.requests
    turns = [(message["role"], message["content"]) for message in asked["messages"]]
    assert turns[0] == ("system", "You judge.")
    assert [text for role, text in turns if role == "assistant"] == ["A5", "A4"], "the one that is too long is left out"
    assert [stored.prompt["examples"] for stored in place.stored.values()] == [["q5", "q4"]]
    assert asked["max_tokens"] == 1024


def test_many_are_asked_and_who_has_gone_meanwhile_is_said(
    database: Database, place: FakePlace, begin: Begin, context_for: ContextFor
) -> None:
    ids = tuple(f"candidate_{number}" for number in range(1, 121))
    with FakeEngine("bm_1") as engine:
        execution = begin(engine.url, replace(ORDER, candidate_ids=ids))
        del place.candidates["candidate_7"]
        place.candidates["candidate_8"] = {"name": None}
        said = kind(place).work("execute", context_for(execution.job_id))
    found = {result.candidate_id: result for result in results(database, execution)}
    assert said == {"num_stored": 118, "num_failed": 2}
    assert found["candidate_7"].error == "The candidate candidate_7 is not there any more."
    assert "holds nothing" in (found["candidate_8"].error or "")
    assert {stored.subject_id for stored in place.stored.values()} == set(ids) - {"candidate_7", "candidate_8"}


def test_when_the_engine_dies_only_who_is_open_is_asked_again(
    database: Database, place: FakePlace, begin: Begin, context_for: ContextFor
) -> None:
    ids = tuple(f"candidate_{number}" for number in range(1, 11))
    limits = replace(QUICK, concurrency=1)
    with FakeEngine("bm_1") as engine:
        execution = begin(engine.url, replace(ORDER, candidate_ids=ids))
        context = context_for(execution.job_id)
        engine.faults.die_after = 4
        with pytest.raises(JobFailed, match="cannot be reached"):
            ConquestKind(lambda: place, limits=limits).work("execute", context)
        assert len(place.stored) == 4, "what was answered is there already"
        engine.stop()
    with FakeEngine("bm_1", port=engine.port) as again:
        ConquestKind(lambda: place, limits=limits).work("execute", context)
        assert len(again.requests) == 6
    assert {result.state for result in results(database, execution)} == {ResultState.STORED.value}
    assert len(place.stored) == 10


def test_an_answer_that_could_not_be_stored_is_stored_later_and_not_asked_again(
    database: Database, place: FakePlace, begin: Begin, context_for: ContextFor
) -> None:
    with FakeEngine("bm_1") as engine:
        execution = begin(engine.url)
        context = context_for(execution.job_id)
        place.num_failing = 2
        with pytest.raises(SourceNotAnswering):
            kind(place).work("execute", context)
        assert [result.state for result in results(database, execution)] == ["answered"]
        kind(place).work("execute", context)
        assert len(engine.requests) == 1
    assert [result.state for result in results(database, execution)] == ["stored"]


def test_what_was_stored_and_not_noted_is_not_written_twice(
    database: Database, place: FakePlace, begin: Begin, context_for: ContextFor
) -> None:
    class Dying(FakePlace):
        def store(self, conquest: Conquest) -> str:
            super().store(conquest)
            raise RuntimeError("killed")

    with FakeEngine("bm_1") as engine:
        execution = begin(engine.url)
        context = context_for(execution.job_id)
        dying = Dying(stored=place.stored)
        with pytest.raises(RuntimeError, match="killed"):
            kind(dying).work("execute", context)
        kind(place).work("execute", context)
    assert len(place.stored) == 1
    assert [result.state for result in results(database, execution)] == ["stored"]


def test_where_nobody_was_answered_the_job_fails_and_is_asked_again_from_the_start(
    database: Database, make_database: MakeDatabase, place: FakePlace, begin: Begin, context_for: ContextFor
) -> None:
    place.candidates["candidate_1"] = {"name": "x"}
    with FakeEngine("bm_1") as engine:
        execution = begin(engine.url)
        context = context_for(execution.job_id)
        del place.candidates["candidate_1"]
        with pytest.raises(JobFailed, match="The candidate candidate_1 is not there any more"):
            kind(place).work("execute", context)
        with make_database(mirrors={"conquest": kind(place).mirror}).transaction() as session:
            job = job_queries.one(session, execution.job_id or "")
            queue.to_running(session, job)
            queue.fail(session, job, JobFailure("no_answer", "It is gone.", ""))
            assert session.get_one(ConquestExecution, execution.id).state == "failed"
            queue.again(session, job, "once more")
        place.candidates["candidate_1"] = {"name": "x"}
        kind(place).work("execute", context_for(execution.job_id))
    assert [result.state for result in results(database, execution)] == ["stored"]


def test_a_place_that_is_not_connected_any_more_is_said(begin: Begin, context_for: ContextFor) -> None:
    execution = begin("http://127.0.0.1:1")
    with pytest.raises(SourceNotConnected):
        ConquestKind(lambda: None).work("execute", context_for(execution.job_id))
