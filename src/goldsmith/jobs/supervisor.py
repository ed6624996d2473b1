"""The process that keeps: claims jobs, starts their programs, watches and records; ticks the keepers. One per machine.

It never does work itself. Everything it knows is in the database and in the job folders, so a new one goes on where a
killed one stopped: children that live are adopted, what they reported is applied once, what died is started again.
Whatever it writes about a job, it writes under the job's lease, so that one that slept too long writes nothing.
"""

import fcntl
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session

from goldsmith.jobs import child, queries, queue, stopping
from goldsmith.jobs.closing import is_closing
from goldsmith.jobs.ending import cannot_start, read_ending
from goldsmith.jobs.errors import JobKindUnknown, LeaseLost, SupervisorRunning
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import JobKind, Keeper
from goldsmith.jobs.orphans import kill_orphans
from goldsmith.jobs.place import own_name
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import ChildId, JobView, Launch, Stage, StageOutcome
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.storage.patience import AWAY
from goldsmith.wire.events import Event, EventKind, Tail

TICK_S = 0.2
KILL_AFTER_S = 60
KEEP_LEASE_EVERY_S = 5.0
MAX_LIGHT_JOBS = 4
TROUBLE_PAUSE_S = 5
BATCH_EVENTS = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Machine:
    """This machine as a place for jobs: its name, and its heavy slots (one a GPU; `cpu` where there is none)."""

    name: str
    slots: tuple[str, ...]


def lock_of(home: Home) -> IO[bytes]:
    """The lock of the one who watches over this home folder, held until it is closed. Raises SupervisorRunning."""
    home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (home.run / "supervisor.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise SupervisorRunning(f"Another supervisor watches over {home.root}.") from error
    return lock


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
        for kind in kinds.values():
            if sum(stage.is_heavy for stage in kind.stages) > 1:
                raise ValueError(f"{kind.name} has two heavy stages, which would write events to the same file")
        self._database = database
        self._home = home
        self._kinds = kinds
        self._machine = machine
        self._worker_launch = worker_launch
        self._kill_after_s = kill_after_s
        self._watched: set[str] = set()
        self._tails: dict[str, Tail] = {}
        self._said_last_at: dict[str, float] = {}
        self._trouble_until: dict[str, float] = {}
        self._lease_kept_at = 0.0
        self._has_looked_for_orphans = False
        self._lock: IO[bytes] | None = None

    @cached_property
    def machine(self) -> str:
        """The name under which it claims jobs; asked for only once the lock is held."""
        return own_name(self._home, self._machine.name)

    def lock(self) -> None:
        """Be the only one over this home folder. Raises SupervisorRunning."""
        self._lock = lock_of(self._home)

    def unlock(self) -> None:
        """Let another one watch over this home folder; a process that ends does so by itself."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def run(self, stop: threading.Event, keepers: Sequence[Keeper] = ()) -> None:
        """Tick until told to stop. Children go on; the next supervisor adopts them."""
        threads = [
            threading.Thread(target=_keep, args=(keeper, stop), name=keeper.name, daemon=True) for keeper in keepers
        ]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            if not self._tick_or_log():
                stop.wait(1)
            stop.wait(TICK_S)
        for thread in threads:
            thread.join(timeout=3)

    def _tick_or_log(self) -> bool:
        try:
            self.tick()
        except AWAY as error:
            log.warning("the database does not answer: %s", error.orig)
        except Exception:
            log.exception("the supervisor met something it did not expect, and goes on")
        else:
            return True
        return False

    def tick(self) -> None:
        """One look at everything: claim what waits, watch what runs."""
        if not self._has_looked_for_orphans:
            kill_orphans(self._database, self._home, machine=self.machine)
            self._has_looked_for_orphans = True
        with self._database.reading() as session:
            ids = [(job.id, job.lease_number) for job in queries.active(session, self.machine)]
        for job_id in self._watched - {job_id for job_id, _ in ids}:  # over, or taken over by another machine
            kill_orphans(self._database, self._home, machine=self.machine, job_id=job_id)
        self._watched = {job_id for job_id, _ in ids}
        self._keep_leases(ids)
        for job_id, _ in ids:
            self._watch_or_log(job_id)
        self._claim(num_active=len(ids))

    def _watch_or_log(self, job_id: str) -> None:
        """Watch one job, so that trouble with it stays with it."""
        if time.monotonic() < self._trouble_until.get(job_id, 0.0):
            return
        try:
            self._watch(job_id)
        except AWAY:
            raise
        except LeaseLost as error:
            log.warning("%s", error)
            kill_orphans(self._database, self._home, machine=self.machine, job_id=job_id)
        except Exception:
            log.exception("job %s cannot be watched now", job_id)
            self._trouble_until[job_id] = time.monotonic() + TROUBLE_PAUSE_S
        else:
            self._trouble_until.pop(job_id, None)

    @contextmanager
    def _mine(self, job: Job) -> Iterator[tuple[Session, Job]]:
        """A transaction about a job that we still hold; its row is locked until the end. Raises LeaseLost."""
        with self._database.transaction() as session:
            queue.keep_lease(session, job.id, job.lease_number)
            yield session, queries.one(session, job.id)

    def _keep_leases(self, ids: list[tuple[str, int]]) -> None:
        if time.monotonic() - self._lease_kept_at < KEEP_LEASE_EVERY_S:
            return
        self._lease_kept_at = time.monotonic()
        with self._database.transaction() as session:
            queue.take_back_expired(session, machine=self.machine)
        for job_id, lease_number in ids:
            try:
                with self._database.transaction() as session:
                    queue.keep_lease(session, job_id, lease_number)
            except LeaseLost as error:
                log.warning("%s", error)
                kill_orphans(self._database, self._home, machine=self.machine, job_id=job_id)

    def _claim(self, num_active: int) -> None:
        if is_closing(self._home):
            return
        slots: list[str | None] = [*self._machine.slots]
        if num_active < MAX_LIGHT_JOBS + len(slots):
            slots.append(None)
        for slot in slots:
            with self._database.reading() as session:
                if not queries.has_waiting(session, needs_slot=slot is not None):
                    continue
            with self._database.transaction() as session:
                job = queue.claim(session, machine=self.machine, slot=slot)
            if job is not None:
                self._watch_or_log(job.id)

    def _watch(self, job_id: str) -> None:
        with self._database.reading() as session:
            job = queries.one(session, job_id)
        if not JobState(job.state).is_active:
            return
        stage = self._stage(job)
        if stage is None:
            self._fail_unknown(job)
            return
        if job.stage is None:
            self._start(job, stage)
            return
        process = self._child_of(job)
        was_started = process is not None or self._pid_file(job, stage).exists()
        if not was_started:
            self._start(job, stage)
            return
        is_alive = process is not None and child.is_alive(process)  # asked before the events, so that none is missed
        self._apply_events(job, stage)
        if process is not None and is_alive:
            self._deliver_stop(job, process)
            self._end_silent(job, process)
        else:
            self._end_stage(job, stage, child.exit_code(process.pid) if process else None)

    def _child_of(self, job: Job) -> ChildId | None:
        if job.pid is not None and job.pid_started_at is not None and job.pid_booted_at is not None:
            return ChildId(job.pid, job.pid_started_at, job.pid_booted_at)
        found = child.find_by_pid_file(self._folder(job).pid_file(job.attempt, job.stage or ""))
        if found is not None:
            with self._mine(job) as (session, row):
                queue.record_child(session, row, found)
        return found

    def _start(self, job: Job, stage: Stage) -> None:
        with self._mine(job) as (session, row):
            if stopping.is_to_stop(row):
                stopping.stopped(session, row)
                return
            queue.begin_stage(session, row, stage.name)
            view = queries.view(row)
        stopping.tell(job, self._folder(job))
        pid_file = self._pid_file(job, stage)
        try:
            log_file = self._folder(job).log(job.attempt)
            process = child.start(self._launch(view, stage), log=log_file, pid_file=pid_file, replace=False)
        except Exception as error:
            log.exception("job %s cannot start its stage %s", job.id, stage.name)
            with self._mine(job) as (session, row):
                queue.fail(session, row, cannot_start(error))
            return
        child.wait_for_pid_file(pid_file)
        # One that was started by a predecessor of ours, and was slow to write its file, goes on; ours has ended.
        process = child.find_by_pid_file(pid_file) or process
        with self._mine(job) as (session, row):
            queue.record_child(session, row, process)

    def _fail_unknown(self, job: Job) -> None:
        what = f"the stage {job.stage} of {job.kind}" if job.kind in self._kinds else f"jobs of the kind {job.kind}"
        with self._mine(job) as (session, row):
            queue.fail(session, row, cannot_start(JobKindUnknown(f"This version of Goldsmith does not know {what}.")))
        kill_orphans(self._database, self._home, machine=self.machine, job_id=job.id)

    def _launch(self, job: JobView, stage: Stage) -> Launch:
        if stage.is_heavy:
            return self._kinds[job.kind].launch(job, JobFolder.of(self._home, job.id))
        return self._worker_launch(job, stage.name)

    def _apply_events(self, job: Job, stage: Stage) -> None:
        if not stage.is_heavy:
            return
        tail = self._tails.setdefault(_key(job), Tail(self._folder(job).events(job.attempt)))
        while True:
            offset = tail.offset
            events = list(islice(tail.new_events(), BATCH_EVENTS))
            if not events:
                return
            try:
                with self._mine(job) as (session, row):
                    self._apply(session, row, events)
            except BaseException:
                tail.offset = offset
                raise
            if events[-1].kind.is_last:
                self._said_last_at.setdefault(_key(job), time.monotonic())

    def _apply(self, session: Session, job: Job, events: Sequence[Event]) -> None:
        last = queries.last_seq(session, job.id, attempt=job.attempt, source=job.stage or "")
        for event in events:
            if event.seq <= last:
                continue
            try:
                with session.begin_nested():
                    queue.record(session, job, event, source=job.stage or "")
                last = event.seq  # what could not be recorded does not take the number of one that can
                with session.begin_nested():
                    self._apply_one(session, job, event)
            except AWAY:
                raise
            except Exception:
                log.exception("job %s: its event %s is passed over", job.id, event.seq)

    def _apply_one(self, session: Session, job: Job, event: Event) -> None:
        self._kinds[job.kind].on_event(session, job, event)
        if event.kind is EventKind.STEP and event.data.get("total_steps"):
            queue.report(session, job, progress=event.data["step"] / event.data["total_steps"])
        session.flush()

    def _deliver_stop(self, job: Job, process: ChildId) -> None:
        if stopping.deliver(job, process, self._folder(job), kill_after_s=self._kill_after_s):
            with self._mine(job) as (_, row):
                row.stop_sent_at = clock.now()

    def _end_silent(self, job: Job, process: ChildId) -> None:
        """A program that said how it ended, and does not end, is killed: what it said counts."""
        if job.stage_outcome is not None:
            self._said_last_at.setdefault(_key(job), time.monotonic())
        said_at = self._said_last_at.get(_key(job))
        if said_at is not None and time.monotonic() - said_at > self._kill_after_s:
            child.kill(process)

    def _end_stage(self, job: Job, stage: Stage, exit_code: int | None) -> None:
        child.kill_leftovers(self._pid_file(job, stage))
        with self._mine(job) as (session, row):
            ending = read_ending(row, stage, self._folder(job), exit_code)
            following = self._stage_after(row) if ending.outcome is StageOutcome.DONE else None
            if following is not None:
                queue.to_running(session, row)
            else:
                stopping.record_end(session, row, ending)
        self._tails.pop(_key(job), None)
        self._said_last_at.pop(_key(job), None)
        if following is not None:
            self._start(job, following)

    def _stage(self, job: Job) -> Stage | None:
        """The stage that the job is in, the first one when it is in none; None when we do not know it."""
        kind = self._kinds.get(job.kind)
        stages = kind.stages if kind is not None else ()
        return next((stage for stage in stages if job.stage in (stage.name, None)), None)

    def _stage_after(self, job: Job) -> Stage | None:
        stages = self._kinds[job.kind].stages
        place = [stage.name for stage in stages].index(job.stage or "")
        return stages[place + 1] if place + 1 < len(stages) else None

    def _folder(self, job: Job) -> JobFolder:
        return JobFolder.of(self._home, job.id)

    def _pid_file(self, job: Job, stage: Stage) -> Path:
        return self._folder(job).pid_file(job.attempt, stage.name)


def _key(job: Job) -> str:
    return f"{job.id}/{job.attempt}/{job.stage}"


def _keep(keeper: Keeper, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            keeper.tick(clock.now())
        except AWAY as error:
            log.warning("keeper %s: the database does not answer: %s", keeper.name, error.orig)
            stop.wait(1)
        except Exception:
            log.exception("keeper %s", keeper.name)
            stop.wait(1)
        stop.wait(TICK_S)
