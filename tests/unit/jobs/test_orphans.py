"""Children of attempts that are no longer ours are killed, and nobody else."""

import sys
import time
from collections.abc import Iterator

import pytest
from tests.factories import make_job

from goldsmith.jobs import child, queries, queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.orphans import kill_orphans
from goldsmith.jobs.types import ChildId, JobFailure, Launch
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

GONE = JobFailure("machine_gone", "It stopped reporting.", "Look after it.")


@pytest.fixture
def started(home: Home) -> Iterator[list[ChildId]]:
    found: list[ChildId] = []
    yield found
    for process in found:
        child.kill(process)
        assert ends(process)


def start(home: Home, started: list[ChildId], job_id: str, *, attempt: int = 1, stage: str = "only") -> ChildId:
    pid_file = JobFolder.of(home, job_id).pid_file(attempt, stage)
    argv = (sys.executable, "-c", "import time; time.sleep(60)")
    process = child.start(Launch(argv, home.root, {"PATH": "/usr/bin"}), log=home.root / "log", pid_file=pid_file)
    child.wait_for_pid_file(pid_file)
    started.append(process)
    return process


def at_work(database: Database, machine: str = "here") -> str:
    with database.transaction() as session:
        make_job(session)
        job = queue.claim(session, machine=machine, slot=None)
        assert job is not None
        queue.begin_stage(session, job, "only")
        return job.id


def ends(process: ChildId) -> bool:
    end = time.monotonic() + 10
    while child.is_alive(process) and time.monotonic() < end:
        time.sleep(0.01)
    return not child.is_alive(process)


def test_the_child_of_a_job_that_is_ours_lives(database: Database, home: Home, started: list[ChildId]) -> None:
    process = start(home, started, at_work(database))
    assert kill_orphans(database, home, machine="here") == 0
    assert child.is_alive(process)


@pytest.mark.parametrize("why", ["elsewhere", "over", "another attempt", "another stage"])
def test_a_child_whose_job_has_gone_on_without_it_is_killed(
    database: Database, home: Home, started: list[ChildId], why: str
) -> None:
    job_id = at_work(database, machine="there" if why == "elsewhere" else "here")
    process = start(home, started, job_id, stage="earlier" if why == "another stage" else "only")
    with database.transaction() as session:
        job = queries.one(session, job_id)
        if why == "over":
            queue.fail(session, job, GONE)
        if why == "another attempt":
            queue.died(session, job, GONE)
            queue.claim(session, machine="here", slot=None)
    assert kill_orphans(database, home, machine="here") == 1
    assert ends(process)


def test_a_child_whose_job_is_not_in_this_database_is_left_alone(
    database: Database, home: Home, started: list[ChildId]
) -> None:
    process = start(home, started, "job_of_somebody_else")
    assert kill_orphans(database, home, machine="here") == 0
    assert child.is_alive(process)


def test_one_job_can_be_looked_after_alone(database: Database, home: Home, started: list[ChildId]) -> None:
    first, second = at_work(database, "there"), at_work(database, "there")
    one, other = start(home, started, first), start(home, started, second)
    assert kill_orphans(database, home, machine="here", job_id=first) == 1
    assert ends(one)
    assert child.is_alive(other)
