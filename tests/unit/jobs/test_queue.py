"""Claims are exclusive, leases fence, events count without a gap."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from tests.factories import MakeDatabase, make_job

from goldsmith.jobs import queries, queue
from goldsmith.jobs.errors import LeaseLost, MoveNotAllowed
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import ChildId, JobFailure, StageOutcome, StopRequest
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.wire.events import Event, EventKind

CHILD = ChildId(1234, 5.0, 6.0)
DEATH = JobFailure("died", "it was killed", "wait")

GONE = JobFailure("died", "It was killed.", "It goes on by itself.")


def claimed(session: Session, *, slot: str | None = None, machine: str = "here") -> Job:
    job = queue.claim(session, machine=machine, slot=slot)
    assert job is not None
    return job


def running(session: Session) -> Job:
    make_job(session)
    job = claimed(session)
    queue.begin_stage(session, job, "only")
    queue.record_child(session, job, CHILD)
    return job


def claim_all(url: str, machine: str) -> list[str]:
    """Claim until nothing waits; runs in a process of its own."""
    database = Database(url)
    found: list[str] = []
    while True:
        with database.transaction() as session:
            job = queue.claim(session, machine=machine, slot=None)
        if job is None:
            database.dispose()
            return found
        found.append(job.id)


def test_the_oldest_job_is_claimed_first(database: Database) -> None:
    with database.transaction() as session:
        for number in (2, 1, 3):
            new = NewJob("nothing", "a job", {}, id=f"job_{number}")
            queue.add(session, new, by=Person("per_1", "Ada"))
        assert [claimed(session).id for _ in range(3)] == ["job_1", "job_2", "job_3"]
        assert queue.claim(session, machine="here", slot=None) is None


def test_two_processes_never_claim_the_same_job(database: Database) -> None:
    with database.transaction() as session:
        ids = {make_job(session).id for _ in range(40)}
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        parts = pool.starmap(claim_all, [(database.engine.url.render_as_string(), name) for name in ("one", "two")])
    assert sorted(parts[0] + parts[1]) == sorted(ids)


def test_threads_never_claim_the_same_slot(make_database: MakeDatabase) -> None:
    database = make_database()
    with database.transaction() as session:
        for _ in range(8):
            make_job(session, needs_slot=True)

    def claim(_number: int) -> str | None:
        with database.transaction() as session:
            job = queue.claim(session, machine="here", slot="gpu0")
            return job.id if job else None

    with ThreadPoolExecutor(4) as threads:
        found = [job_id for job_id in threads.map(claim, range(8)) if job_id]
    assert len(found) == 1


def test_a_slot_holds_one_job_at_a_time(database: Database) -> None:
    with database.transaction() as session:
        make_job(session, needs_slot=True)
        make_job(session, needs_slot=True)
        first = claimed(session, slot="gpu0")
        assert queue.claim(session, machine="here", slot="gpu0") is None
        assert queue.claim(session, machine="here", slot=None) is None
        second = claimed(session, slot="gpu0", machine="elsewhere")
        assert {first.slot, second.slot} == {"gpu0"}


def test_the_next_job_gets_the_slot_when_the_first_ends(database: Database) -> None:
    with database.transaction() as session:
        make_job(session, needs_slot=True)
        make_job(session, needs_slot=True)
        first = claimed(session, slot="cpu")
        queue.fail(session, first, DEATH)
        assert claimed(session, slot="cpu").id != first.id


def test_started_at_is_the_first_claim_in_utc(database: Database) -> None:
    before = clock.now()
    with database.transaction() as session:
        job = running(session)
        assert job.started_at is not None
        assert timedelta(0) <= job.started_at - before < timedelta(seconds=20)
        first = job.started_at
        queue.died(session, job, GONE)
        assert claimed(session).started_at == first


def test_a_lease_that_was_taken_over_cannot_be_kept(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        old = job.lease_number
        queue.keep_lease(session, job.id, old)
        queue.died(session, job, GONE)
        with pytest.raises(LeaseLost):
            queue.keep_lease(session, job.id, old)
        assert claimed(session).lease_number == old + 1
        with pytest.raises(LeaseLost):
            queue.keep_lease(session, job.id, old)


def test_what_another_machine_left_is_queued_again_and_counts_as_a_death(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        assert queue.take_back_expired(session, machine="elsewhere") == []
        job.lease_until = clock.now() - timedelta(seconds=2 * queue.LEASE_S + 1)
        session.flush()
        assert queue.take_back_expired(session, machine="here") == []
        assert queue.take_back_expired(session, machine="elsewhere") == [job.id]
        assert (job.state, job.attempt, job.num_deaths) == ("queued", 2, 1)


def test_three_deaths_without_progress_fail_a_job(database: Database) -> None:
    with database.transaction() as session:
        make_job(session)
        for number in (1, 2, 3):
            job = claimed(session)
            queue.to_running(session, job)
            assert job.attempt == number
            queue.died(session, job, DEATH)
        assert job.state == "failed"
        assert job.failure == DEATH.to_dict()


def test_progress_forgives_deaths_but_doing_the_same_steps_again_does_not(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        queue.report(session, job, progress=0.5)
        queue.died(session, job, DEATH)
        job = claimed(session)
        queue.to_running(session, job)
        queue.report(session, job, progress=0.4)
        queue.report(session, job, progress=0.5)
        assert (job.num_deaths, job.progress) == (1, 0.5)
        queue.report(session, job, progress=0.6)
        assert job.num_deaths == 0


def test_a_person_who_asks_again_gives_three_new_tries(database: Database) -> None:
    with database.transaction() as session:
        make_job(session)
        for _ in range(3):
            job = claimed(session)
            queue.to_running(session, job)
            queue.died(session, job, DEATH)
        queue.again(session, job, "asked for again")
        assert (job.state, job.attempt, job.num_deaths, job.failure) == ("queued", 4, 0, None)


def test_what_waits_is_cancelled_at_once_and_can_be_queued_again(database: Database) -> None:
    with database.transaction() as session:
        job = make_job(session)
        queue.ask_to_stop(session, job, StopRequest.CANCEL)
        assert job.state == "cancelled"
        assert job.finished_at is not None
        queue.again(session, job, "once more")
        assert queries.one(session, job.id).finished_at is None
        assert (job.state, job.attempt) == ("queued", 2)


def test_what_waits_cannot_be_paused(database: Database) -> None:
    with database.transaction() as session:
        job = make_job(session)
        with pytest.raises(MoveNotAllowed):
            queue.ask_to_stop(session, job, StopRequest.PAUSE)


def test_what_runs_is_asked_to_stop_and_stays_running(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        queue.ask_to_stop(session, job, StopRequest.PAUSE)
        assert (job.state, job.stop_requested) == ("running", "pause")


def test_a_pause_does_not_take_back_a_cancel(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        queue.ask_to_stop(session, job, StopRequest.CANCEL)
        queue.ask_to_stop(session, job, StopRequest.PAUSE)
        assert job.stop_requested == "cancel"


def test_a_paused_job_can_be_cancelled_or_gone_on_with(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        queue.move(session, job, JobState.PAUSED, "paused")
        assert job.finished_at is None
        queue.again(session, job, "goes on")
        assert job.state == "queued"
        queue.ask_to_stop(session, job, StopRequest.CANCEL)
        assert job.state == "cancelled"


def test_results_of_stages_are_put_together(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        queue.end_stage(session, job, StageOutcome.DONE, {"num_rows": 3})
        queue.finish(session, job, {"model_id": "ftm_1"})
        assert job.result == {"num_rows": 3, "model_id": "ftm_1"}
        assert (job.state, job.progress) == ("succeeded", 1.0)


def test_events_of_an_attempt_count_without_a_gap_with_two_writers(database: Database) -> None:
    with database.transaction() as session:
        job_id, lease = running(session).id, 1

    def write(number: int) -> None:
        with database.transaction() as session:
            if number % 2:
                queue.keep_lease(session, job_id, lease)
                queue.begin_stage(session, queries.one(session, job_id), f"stage {number}")
            else:
                queue.ask_to_stop(session, queries.one(session, job_id), StopRequest.PAUSE)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(12)))
    with database.reading() as session:
        seqs = [event.seq for event in queries.events(session, job_id)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) == 4 + 12


def test_texts_that_no_database_can_keep_are_mended(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        queue.record(session, job, Event(1, 1.0, EventKind.LOG, {"text": "a\0b", "loss": float("nan")}), source="only")
        queue.report(session, job, message="a\0b\ud800")
        job_id = job.id
    with database.reading() as session:
        assert queries.one(session, job_id).message == "a\ufffdb?"
        assert queries.events(session, job_id)[-1].data == {"text": "a\0b", "loss": None}


def test_the_place_in_the_queue_counts_those_before(database: Database) -> None:
    with database.transaction() as session:
        for number in (1, 2):
            queue.add(session, NewJob("nothing", "a job", {}, id=f"job_{number}"), by=Person("per_1", "Ada"))
        assert [queries.place_in_queue(session, queries.one(session, f"job_{n}")) for n in (1, 2)] == [1, 2]
