"""A person changes the order of what waits; the machine goes by it, and other organisations lose nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from tests.factories import MakeDatabase

from goldsmith.jobs import line, queries, queue
from goldsmith.jobs.errors import NotInLine
from goldsmith.jobs.line import Step
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.people.types import Person
from goldsmith.storage.database import Database

ADA, BOB = Person("per_1", "Ada", "one"), Person("per_2", "Bob", "two")
IDS = st.lists(st.text("abcdef", min_size=1, max_size=2), min_size=1, max_size=8, unique=True)


def add(session: Session, name: str, *, by: Person = ADA, wanted_slot: str | None = None) -> Job:
    return queue.add(session, NewJob("heavy", name, {}, needs_slot=True, id=name, wanted_slot=wanted_slot), by=by)


def order(session: Session) -> str:
    return "".join(job.id for job in queries.line(session))


@given(IDS, st.data(), st.sampled_from(Step))
def test_a_step_moves_one_and_keeps_the_order_of_the_others(ids: list[str], data: st.DataObject, step: Step) -> None:
    which = data.draw(st.sampled_from(ids))
    found = line.moved(ids, which, step)
    assert [each for each in found if each != which] == [each for each in ids if each != which]
    before, after = ids.index(which), found.index(which)
    there = {Step.first: 0, Step.up: before - 1, Step.down: before + 1, Step.last: len(ids) - 1}[step]
    assert after == min(max(there, 0), len(ids) - 1)


def test_what_was_moved_to_the_front_is_claimed_first(database: Database) -> None:
    with database.transaction() as session:
        jobs = [add(session, name) for name in "abc"]
        assert line.move(session, jobs[2], Step.first) == 1
        assert [queries.place_in_queue(session, job) for job in jobs] == [2, 3, 1]
    with database.transaction() as session:
        claimed = queue.claim(session, machine="here", slot="cpu")
        assert claimed is not None
        assert claimed.id == "c"


def test_the_order_is_still_there_when_the_database_was_closed(make_database: MakeDatabase) -> None:
    database = make_database()
    with database.transaction() as session:
        last = [add(session, name) for name in "abc"][-1]
        line.move(session, last, Step.up)
    url = database.engine.url.render_as_string(hide_password=False)
    database.dispose()
    again = Database(url)
    with again.reading() as session:
        assert order(session) == "acb"
    again.dispose()


def test_others_stay_where_they_are_and_newcomers_stand_behind(database: Database) -> None:
    with database.transaction() as session:
        add(session, "a")
        add(session, "b", by=BOB)
        c = add(session, "c")
        line.move(session, c, Step.first)
        assert order(session) == "cba"
        add(session, "d")
        assert order(session) == "cbad"
        line.move(session, c, Step.last)
        assert order(session) == "abdc"


def test_what_comes_back_stands_behind_those_who_were_given_a_place(database: Database) -> None:
    with database.transaction() as session:
        a, b, _ = (add(session, name) for name in "abc")
        line.move(session, b, Step.first)
        queue.ask_to_stop(session, a, StopRequest.CANCEL)
        queue.again(session, a, "asked for again")
        assert order(session) == "bca"


def test_what_does_not_wait_cannot_be_moved(database: Database) -> None:
    with database.transaction() as session:
        light = queue.add(session, NewJob("light", "a light one", {}), by=ADA)
        heavy = add(session, "a")
        queue.move(session, heavy, JobState.STARTING, "test")
        for job in (light, heavy):
            with pytest.raises(NotInLine):
                line.move(session, job, Step.first)


def test_a_job_waits_for_the_gpu_that_was_chosen_for_it(database: Database) -> None:
    with database.transaction() as session:
        for name, slot in (("a", "gpu1"), ("b", "gpu1"), ("c", None)):
            add(session, name, wanted_slot=slot)
        claims = [queue.claim(session, machine="here", slot=slot) for slot in ("gpu0", "gpu1", "gpu0", "gpu1")]
        assert [claimed.id if claimed is not None else None for claimed in claims] == ["c", "a", None, None]
        assert order(session) == "b"
