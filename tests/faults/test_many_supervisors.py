"""Several supervisors on one PostgreSQL: no job runs twice at once and all end, though some are killed on the way."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.invariants import assert_hold
from tests.unit.jobs.small_parts import start_supervisor

from goldsmith.jobs import child, queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

pytestmark = [pytest.mark.postgresql, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]

ADA = Person("per_1", "Ada")
NUM_SUPERVISORS = 4
NUM_JOBS = 200
SHORT_LEASE_S = 1.5
# Says when it began and when it ended, each in one write that no other can come between.
SCRIPT = """
import os, pathlib, sys, time
from goldsmith.wire.events import EventKind, Writer
events = pathlib.Path(sys.argv[1])
def note(what):
    line = f"{what} {events.parents[2].name} {events.parent.name} {time.time()}\\n"
    os.write(os.open(%r, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600), line.encode())
note("begin")
say = Writer(events).append
say(EventKind.STARTED)
time.sleep(%r)
note("end")
say(EventKind.SUCCEEDED)
"""


@dataclass(frozen=True)
class Stretch:
    """The time in which one attempt's program was at work."""

    job_id: str
    attempt: int
    began_at: float
    ended_at: float | None


def read_notes(path: Path) -> list[Stretch]:
    noted: dict[str, dict[tuple[str, int], float]] = {"begin": {}, "end": {}}
    for line in path.read_text().splitlines():
        what, job_id, attempt, at = line.split()
        assert (job_id, int(attempt)) not in noted[what], f"{line} came twice"
        noted[what][job_id, int(attempt)] = float(at)
    return [
        Stretch(job_id, attempt, at, noted["end"].get((job_id, attempt)))
        for (job_id, attempt), at in noted["begin"].items()
    ]


def ask_for(database: Database, notes: Path, *, num_jobs: int, each_s: float) -> list[str]:
    script = SCRIPT % (str(notes), each_s)
    with database.transaction() as session:
        asked = [NewJob("script", f"short job {number}", {"script": script}) for number in range(num_jobs)]
        return [queue.add(session, new, by=ADA).id for new in asked]


def num_over(database: Database) -> int:
    over = [state.value for state in JobState if state.is_over]
    with database.reading() as session:
        return session.scalar(select(func.count()).where(Job.state.in_(over))) or 0


def wait_until(is_so: Callable[[], object], timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.05)


def kill(supervisor: "subprocess.Popen[bytes]") -> None:
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()


def kill_children(home: Home) -> None:
    for pid_file in home.jobs.glob("*/attempts/*/*.pid"):
        process = child.find_by_pid_file(pid_file)
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)


def end(supervisors: "list[subprocess.Popen[bytes]]") -> None:
    for one in supervisors:
        one.terminate()
    for one in supervisors:
        one.wait(timeout=20)


def assert_no_two_at_once(stretches: list[Stretch]) -> None:
    by_job: dict[str, list[Stretch]] = {}
    for stretch in sorted(stretches, key=lambda each: each.began_at):
        by_job.setdefault(stretch.job_id, []).append(stretch)
    for attempts in by_job.values():
        for before, after in pairwise(attempts):
            assert before.ended_at is None or before.ended_at <= after.began_at, (before, after)


def test_two_hundred_jobs_end_once_each_though_a_supervisor_is_killed(database: Database, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    ids = ask_for(database, notes, num_jobs=NUM_JOBS, each_s=0.05)
    homes = [Home(tmp_path / f"home{number}").prepare() for number in range(NUM_SUPERVISORS)]
    supervisors = [start_supervisor(database, home) for home in homes]
    try:
        wait_until(lambda: num_over(database) >= NUM_JOBS // 4, 60)
        assert num_over(database) < NUM_JOBS
        kill(supervisors[0])
        supervisors[0] = start_supervisor(database, homes[0])  # as `goldsmith up` does at once
        wait_until(lambda: num_over(database) == NUM_JOBS, 120)
    finally:
        end(supervisors)
    with database.reading() as session:
        jobs = list(session.scalars(select(Job)))
    assert Counter((job.state, job.attempt) for job in jobs) == {("succeeded", 1): NUM_JOBS}
    assert len({job.machine for job in jobs}) == NUM_SUPERVISORS
    stretches = read_notes(notes)
    assert sorted(stretch.job_id for stretch in stretches if stretch.ended_at is not None) == sorted(ids)
    assert len(stretches) == NUM_JOBS
    for home in homes:
        assert_hold(database, home, acknowledged=[("jobs", job_id) for job_id in ids])


def test_what_a_lost_machine_had_begun_is_done_by_the_others(database: Database, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    ids = ask_for(database, notes, num_jobs=24, each_s=1.0)
    homes = [Home(tmp_path / f"home{number}").prepare() for number in range(NUM_SUPERVISORS)]
    supervisors = [start_supervisor(database, home, lease_s=SHORT_LEASE_S) for home in homes]
    try:
        lost = homes[0]
        wait_until(lambda: any(child.find_by_pid_file(path) for path in lost.jobs.glob("*/attempts/*/*.pid")), 30)
        kill(supervisors.pop(0))
        kill_children(lost)
        lost_at = time.time()
        wait_until(lambda: num_over(database) == len(ids), 60)
    finally:
        end(supervisors)
    with database.reading() as session:
        jobs = {job.id: job for job in session.scalars(select(Job))}
    assert {job.state for job in jobs.values()} == {"succeeded"}
    again = {job_id for job_id, job in jobs.items() if job.attempt > 1}
    assert again, "the lost machine had begun nothing"
    assert {jobs[job_id].attempt for job_id in again} == {2}
    stretches = read_notes(notes)
    assert_no_two_at_once(stretches)
    assert all(each.began_at > lost_at for each in stretches if each.attempt == 2)
    for home in homes:
        assert_hold(database, home, acknowledged=[("jobs", job_id) for job_id in ids])
