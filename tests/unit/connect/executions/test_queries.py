"""Executions are counted, summed and found by their own organisation alone."""

from collections.abc import Callable

import pytest
from tests.unit.connect.executions.conftest import FakePlace

from goldsmith.connect.errors import ExecutionNotFound
from goldsmith.connect.executions import queries, service
from goldsmith.connect.executions.tables import ConquestExecution
from goldsmith.connect.executions.types import Order, ResultState
from goldsmith.people.types import Person
from goldsmith.storage.database import Database


@pytest.fixture
def executions(
    database: Database, ana: Person, place: FakePlace, base_model: object, point_engine: Callable[[str], None]
) -> list[ConquestExecution]:
    order = Order("e", ("candidate_1", "candidate_2", "candidate_3"), "tiny")
    return [service.execute(database, lambda: place, order, key=None, by=ana) for _ in range(3)]


def test_candidates_are_counted_and_their_use_is_summed(
    database: Database, executions: list[ConquestExecution]
) -> None:
    ids = [each.id for each in executions]
    with database.transaction() as session:
        for result in queries.results(session, ids[0], limit=2):
            result.state, result.prompt_tokens, result.answer_tokens = ResultState.STORED.value, 10, 5
            result.duration_ms, result.conquest_id = 500.0, f"conquest_{result.position}"
        queries.results(session, ids[1])[0].error = "It is gone."
        queries.results(session, ids[1])[0].state = ResultState.FAILED.value
    with database.reading() as session:
        counts = queries.counts(session, ids)
        assert [dict(counts[each])[ResultState.OPEN] for each in ids] == [1, 2, 3]
        assert queries.used(session, ids) == {ids[0]: (30, 1.0), ids[1]: (0, 0.0), ids[2]: (0, 0.0)}
        assert queries.only_conquests(session, ids) == {ids[0]: "conquest_1", ids[1]: None, ids[2]: None}
        assert queries.most_frequent_error(session, ids[1]) == "It is gone."
        assert [each.position for each in queries.results(session, ids[0], after=1)] == [2, 3]


def test_they_are_paged_newest_first_and_hidden_from_others(
    database: Database, executions: list[ConquestExecution]
) -> None:
    ids = [each.id for each in reversed(executions)]
    with database.reading() as session:
        assert [each.id for each in queries.page(session, domain="local", limit=2)] == ids[:2]
        assert [each.id for each in queries.page(session, domain="local", before=ids[1])] == ids[2:]
        assert queries.page(session, domain="acme.example") == []
        with pytest.raises(ExecutionNotFound):
            queries.one(session, ids[0], domain="acme.example")
