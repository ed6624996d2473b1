"""What is asked for is looked up first, written once, and takes its turn only where it needs an engine for itself."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from tests.unit.connect.executions.conftest import SCOPE, FakePlace

from goldsmith.connect.errors import (
    ConquestTypeUnknown,
    IdempotencyKeyUsed,
    NothingToAsk,
    NotYourScope,
    SubjectNotFound,
    WishNotPossible,
)
from goldsmith.connect.executions import queries, service
from goldsmith.connect.executions.tables import ConquestExecution
from goldsmith.connect.executions.types import Order
from goldsmith.jobs import queries as job_queries
from goldsmith.models.errors import ModelAtProvider, ModelNotFound
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import AT_PROVIDER
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.storage.database import Database

pytestmark = pytest.mark.usefixtures("base_model")
ORDER = Order("eidos_1", ("candidate_1",), "tiny")


def execute(
    database: Database, place: FakePlace, by: Person, order: Order = ORDER, key: str | None = None
) -> ConquestExecution:
    return service.execute(database, lambda: place, order, key=key, by=by)


def test_an_execution_is_written_with_its_job_and_what_lacks(database: Database, place: FakePlace, ana: Person) -> None:
    made = execute(database, place, ana)
    assert (made.philosopher, made.source_domain, made.model_id) == (SCOPE.philosopher, SCOPE.domain, "bm_1")
    assert (made.conquest_type, made.num_examples, made.notes) == ("CANDIDATE", 3, ["A column lacks."])
    with database.reading() as session:
        job = job_queries.one(session, made.job_id or "")
        results = queries.results(session, made.id)
    assert (job.subject_id, job.title) == (made.id, "Conquest with tiny: 1 candidate")
    assert [result.candidate_id for result in results] == ["candidate_1"]
    assert made.max_tokens == 1024 == 2048 // 2, "half of what the model can hold at once"


def test_one_question_to_a_live_model_waits_for_nobody(
    database: Database, place: FakePlace, ana: Person, point_engine: Callable[[str], None]
) -> None:
    before = execute(database, place, ana)
    point_engine("http://127.0.0.1:1")
    one = execute(database, place, ana)
    many = execute(database, place, ana, replace(ORDER, candidate_ids=("candidate_2", "candidate_1", "candidate_2")))
    assert [each.was_live for each in (before, one, many)] == [False, True, True]
    with database.reading() as session:
        jobs = [job_queries.one(session, each.job_id or "") for each in (before, one, many)]
        ids = [result.candidate_id for result in queries.results(session, many.id)]
    assert [job.needs_slot for job in jobs] == [True, False, True]
    assert ids == ["candidate_2", "candidate_1"], "each once, in their order"


def test_the_same_key_is_the_same_execution(database: Database, place: FakePlace, ana: Person) -> None:
    first = execute(database, place, ana, key="k")
    assert execute(database, place, ana, key="k").id == first.id
    assert place.num_asked == 1
    with pytest.raises(IdempotencyKeyUsed, match=first.id):
        execute(database, place, ana, replace(ORDER, max_tokens=5), key="k")
    assert execute(database, place, ana).id != first.id
    with database.transaction() as session:
        ben = people.known_by_name(session, "Ben", domain="acme.example")
    with pytest.raises(ModelNotFound):
        execute(database, place, ben, key="k")


def test_of_two_that_come_at_once_with_a_key_the_quicker_one_wins(
    database: Database, place: FakePlace, ana: Person
) -> None:
    class Slow(FakePlace):
        def look_up(self, wanted):  # type: ignore[no-untyped-def]  # as its parent's
            quicker.append(execute(database, place, ana, key="k"))
            return super().look_up(wanted)

    quicker: list[ConquestExecution] = []
    assert execute(database, Slow(), ana, key="k").id == quicker[0].id
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ConquestExecution)) == 1


def test_what_cannot_be_is_refused_before_anything_is_written(
    database: Database, place: FakePlace, ana: Person
) -> None:
    wrong: list[tuple[Order, type[Exception]]] = [
        (replace(ORDER, model_id="nothing"), ModelNotFound),
        (replace(ORDER, model_id="eng_1"), ModelNotFound),
        (replace(ORDER, candidate_ids=("nobody",)), SubjectNotFound),
        (replace(ORDER, candidate_ids=()), WishNotPossible),
        (replace(ORDER, candidate_ids=tuple(map(str, range(10_001)))), WishNotPossible),
        (replace(ORDER, num_examples=21), WishNotPossible),
        (replace(ORDER, max_tokens=0), WishNotPossible),
        (replace(ORDER, temperature=3), WishNotPossible),
        (replace(ORDER, conquest_type="poetry"), ConquestTypeUnknown),
    ]
    for order, error in wrong:
        with pytest.raises(error):
            execute(database, place, ana, order)
    place.eidos = {"prompt": None}
    with pytest.raises(NothingToAsk):
        execute(database, place, ana)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ConquestExecution)) == 0


def test_nothing_of_a_candidate_leaves_for_a_provider(database: Database, place: FakePlace, ana: Person) -> None:
    with database.transaction() as session:
        session.get_one(BaseModel, "bm_1").source = AT_PROVIDER
    with pytest.raises(ModelAtProvider, match="would leave this machine"):
        execute(database, place, ana)
    assert place.num_asked == 0


def test_who_belongs_to_another_organisation_finds_that_one_s_alone(
    database: Database, place: FakePlace, ana: Person
) -> None:
    with database.transaction() as session:
        eve = people.known_by_name(session, "Eve", domain="evil.example")
    with pytest.raises(NotYourScope):
        execute(database, place, eve, replace(ORDER, domain="acme.example"))
    assert place.num_asked == 0
