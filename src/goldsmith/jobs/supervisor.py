"""The process that keeps: claims jobs, starts their programs, watches and records; ticks the keepers. One per machine.

It never does work itself. Everything it knows is in the database and in the job folders, so a new one goes on where a
killed one stopped: children that live are adopted, what they reported is applied once, what died is started again.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from goldsmith.jobs import child, queries, queue
from goldsmith.jobs.ending import Ending, cannot_start, read_ending
from goldsmith.jobs.errors import LeaseLost, SupervisorRunning
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import JobKind, Keeper
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import ChildId, JobView, Launch, Stage, StageOutcome, StopRequest
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire.events import Event, EventKind, Tail

TICK_S = 0.2
KILL_AFTER_S = 60
KEEP_LEASE_EVERY_S = 5
MAX_LIGHT_JOBS = 4
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Machine:
    """This machine as a place for jobs: its name, and its heavy slots (one a GPU; `cpu` where there is none)."""

    name: str
    slots: tuple[str, ...]


class Supervisor:
    """Watches over the jobs of one machine."""

    def __init__(
        self,
        database: Database,
        home: Home,
        *,
        kinds: Mapping[str, JobKind],
        machine: Machine,
        worker_launch: Callable[[JobView, str], Launch],
        kill_after_s: float = KILL_AFTER_S,
    ) -> None:
        self._database = database
        self._home = home
        self._kinds = kinds
        self._machine = machine
        self._worker_launch = worker_launch
        self._kill_after_s = kill_after_s
        self._tails: dict[str, Tail] = {}
        self._lease_kept_at = 0.0
        self._lock: IO[bytes] | None = None

    def lock(self) -> None:
        """Be the only one over this home folder. Raises SupervisorRunning."""
        self._home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (self._home.run / "supervisor.lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SupervisorRunning(f"Another supervisor watches over {self._home.root}.") from error
        os.set_inheritable(self._lock.fileno(), False)

    def run(self, stop: threading.Event, keepers: Sequence[Keeper] = ()) -> None:
        """Tick until told to stop. Children go on; the next supervisor adopts them."""
        threads = [
            threading.Thread(target=_keep, args=(keeper, stop), name=keeper.name, daemon=True) for keeper in keepers
        ]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            self._tick_or_log()
            stop.wait(TICK_S)
        for thread in threads:
            thread.join(timeout=3)

    def _tick_or_log(self) -> None:
        try:
            self.tick()
        except OperationalError as error:  # the database went away; what is recorded is unchanged, so look again
            log.warning("the database does not answer: %s", error.orig)
            time.sleep(1)

    def tick(self) -> None:
        """One look at everything: claim what waits, watch what runs."""
        with self._database.reading() as session:
            ids = [(job.id, job.lease_number) for job in queries.active(session, self._machine.name)]
        self._keep_leases(ids)
        for job_id, _ in ids:
            self._watch(job_id)
        self._claim(num_active=len(ids))

    def _keep_leases(self, ids: list[tuple[str, int]]) -> None:
        if time.monotonic() - self._lease_kept_at < KEEP_LEASE_EVERY_S:
            return
        self._lease_kept_at = time.monotonic()
        with self._database.transaction() as session:
            queue.take_back_expired(session, machine=self._machine.name)
        for job_id, lease_number in ids:
            try:
                with self._database.transaction() as session:
                    queue.keep_lease(session, job_id, lease_number)
            except LeaseLost as error:
                log.warning("%s", error)

    def _claim(self, num_active: int) -> None:
        slots: list[str | None] = [*self._machine.slots]
        if num_active < MAX_LIGHT_JOBS + len(slots):
            slots.append(None)
        for slot in slots:
            with self._database.reading() as session:
                if not queries.has_waiting(session, needs_slot=slot is not None):
                    continue
            with self._database.transaction() as session:
                job = queue.claim(session, machine=self._machine.name, slot=slot)
            if job is not None:
                self._watch(job.id)

    def _watch(self, job_id: str) -> None:
        with self._database.reading() as session:
            job = queries.one(session, job_id)
        if not JobState(job.state).is_active:
            return
        if job.stage is None:
            self._start(job, self._kinds[job.kind].stages[0])
            return
        process = self._child_of(job)
        was_started = process is not None or self._folder(job).pid_file(job.attempt, job.stage).exists()
        if not was_started:
            self._start(job, self._stage(job))
            return
        is_alive = process is not None and child.is_alive(process)  # asked before the events, so that none is missed
        self._apply_events(job)
        if process is not None and is_alive:
            self._deliver_stop(job, process)
        else:
            self._end_stage(job, child.exit_code(process.pid) if process else None)

    def _child_of(self, job: Job) -> ChildId | None:
        if job.pid is not None and job.pid_started_at is not None and job.pid_booted_at is not None:
            return ChildId(job.pid, job.pid_started_at, job.pid_booted_at)
        found = child.find_by_pid_file(self._folder(job).pid_file(job.attempt, job.stage or ""))
        if found is not None:
            with self._database.transaction() as session:
                queue.record_child(session, queries.one(session, job.id), found)
        return found

    def _start(self, job: Job, stage: Stage) -> None:
        with self._database.transaction() as session:
            job = queries.one(session, job.id)
            if job.stop_requested is not None:
                _stopped(session, job)
                return
            queue.begin_stage(session, job, stage.name)
        log_file, pid_file = self._folder(job).log(job.attempt), self._folder(job).pid_file(job.attempt, stage.name)
        try:
            process = child.start(self._launch(queries.view(job), stage), log=log_file, pid_file=pid_file)
        except Exception as error:
            log.exception("job %s cannot start its stage %s", job.id, stage.name)
            with self._database.transaction() as session:
                queue.fail(session, queries.one(session, job.id), cannot_start(error))
            return
        child.wait_for_pid_file(pid_file)
        with self._database.transaction() as session:
            queue.record_child(session, queries.one(session, job.id), process)

    def _launch(self, job: JobView, stage: Stage) -> Launch:
        if stage.is_heavy:
            return self._kinds[job.kind].launch(job, JobFolder.of(self._home, job.id))
        return self._worker_launch(job, stage.name)

    def _apply_events(self, job: Job) -> None:
        if not self._stage(job).is_heavy:
            return
        tail = self._tails.setdefault(f"{job.id}/{job.attempt}", Tail(self._folder(job).events(job.attempt)))
        offset = tail.offset
        events = list(tail.new_events())
        if not events:
            return
        try:
            with self._database.transaction() as session:
                self._apply(session, queries.one(session, job.id), events)
        except BaseException:
            tail.offset = offset
            raise

    def _apply(self, session: Session, job: Job, events: Sequence[Event]) -> None:
        source = job.stage or ""
        last = queries.last_seq(session, job.id, attempt=job.attempt, source=source)
        for event in events:
            if event.seq <= last:
                continue
            queue.record(session, job, event, source=source)
            self._kinds[job.kind].on_event(session, job, event)
            if event.kind is EventKind.STEP and event.data.get("total_steps"):
                queue.report(session, job, progress=event.data["step"] / event.data["total_steps"])

    def _deliver_stop(self, job: Job, process: ChildId) -> None:
        if job.stop_requested is None:
            return
        if job.stop_sent_at is None:
            child.ask_to_end(process)
            with self._database.transaction() as session:
                queries.one(session, job.id).stop_sent_at = clock.now()
        elif clock.now() - job.stop_sent_at > timedelta(seconds=self._kill_after_s):
            child.kill(process)

    def _end_stage(self, job: Job, exit_code: int | None) -> None:
        stage = self._stage(job)
        with self._database.transaction() as session:
            job = queries.one(session, job.id)
            if not JobState(job.state).is_active:
                return
            ending = read_ending(job, stage, self._folder(job), exit_code)
            following = self._stage_after(job)
            if ending.outcome is StageOutcome.DONE and following is not None:
                queue.to_running(session, job)
            else:
                _record_end(session, job, ending)
                following = None
        if following is not None:
            self._start(job, following)

    def _stage(self, job: Job) -> Stage:
        return next(stage for stage in self._kinds[job.kind].stages if stage.name == job.stage)

    def _stage_after(self, job: Job) -> Stage | None:
        stages = self._kinds[job.kind].stages
        place = [stage.name for stage in stages].index(job.stage or "")
        return stages[place + 1] if place + 1 < len(stages) else None

    def _folder(self, job: Job) -> JobFolder:
        return JobFolder.of(self._home, job.id)


def _record_end(session: Session, job: Job, ending: Ending) -> None:
    """The job's last stage ended, or one of its stages ended early: write down where the job stands now."""
    queue.to_running(session, job)
    if ending.outcome is StageOutcome.DONE:
        queue.finish(session, job)
    elif job.stop_requested is not None:
        _stopped(session, job)
    elif ending.outcome is StageOutcome.FAILED or job.num_deaths + 1 >= queue.MAX_DEATHS:
        queue.fail(session, job, ending.failure)
    else:
        job.num_deaths += 1
        queue.again(session, job, f"attempt {job.attempt} ended early: {ending.failure.summary}")


def _stopped(session: Session, job: Job) -> None:
    is_pause = job.stop_requested == StopRequest.PAUSE.value
    queue.to_running(session, job)
    to = JobState.PAUSED if is_pause else JobState.CANCELLED
    queue.move(session, job, to, f"{to.value} by a person")


def _keep(keeper: Keeper, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            keeper.tick(clock.now())
        except Exception:
            log.exception("keeper %s", keeper.name)
            stop.wait(1)
        stop.wait(TICK_S)
