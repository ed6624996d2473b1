"""No sequence of moves leaves the table, and the database agrees with the enum."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.factories import make_job

from goldsmith.jobs import queries, queue
from goldsmith.jobs.errors import MoveNotAllowed
from goldsmith.jobs.states import ACTIVE, MEANINGS, TRANSITIONS, JobState
from goldsmith.storage.database import Database

ANY_MOVES = st.lists(st.sampled_from(list(JobState)), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_MOVES)
def test_no_sequence_of_moves_leaves_the_table(database: Database, moves: list[JobState]) -> None:
    with database.transaction() as session:
        job = make_job(session)
        for to in moves:
            before = JobState(job.state)
            if to in TRANSITIONS[before]:
                queue.move(session, job, to, "because")
                assert job.state == to.value
            else:
                with pytest.raises(MoveNotAllowed):
                    queue.move(session, job, to, "because")
                assert job.state == before.value
        if not JobState(job.state).is_active:
            assert (job.slot, job.pid, job.stop_requested) == (None, None, None)
        events = queries.events(session, job.id)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        came_to = [event.kind for event in events]
        for before_name, after_name in pairwise(came_to):
            assert JobState(after_name) in TRANSITIONS[JobState(before_name)]


def test_every_state_has_a_meaning_and_a_row_in_the_table() -> None:
    assert set(MEANINGS) == set(TRANSITIONS) == set(JobState)


def test_every_state_can_be_reached_and_only_success_is_for_ever() -> None:
    assert set().union(*TRANSITIONS.values()) == set(JobState)
    assert [state for state in JobState if state.is_final] == [JobState.SUCCEEDED]
    assert {state for state in JobState if state.is_active} == set(ACTIVE)


@pytest.mark.parametrize("state", list(JobState))
def test_the_database_takes_every_state(database: Database, state: JobState) -> None:
    with database.transaction() as session:
        job = make_job(session)
        session.execute(text("UPDATE jobs SET state = :state WHERE id = :id"), {"state": state.value, "id": job.id})


def test_the_database_refuses_a_state_that_is_none(database: Database) -> None:
    with database.transaction() as session:
        make_job(session)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text("UPDATE jobs SET state = 'completed'"))
