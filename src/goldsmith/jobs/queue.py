"""Add, claim, move, finish: the only writers of a job's state. Every move appends an event in the same transaction.

Whoever keeps a copy of a job's state in a table of its own (`training_jobs`) is called here, in the same transaction,
by the kind of the job: `session.info["mirrors"]`, put there by `app.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from goldsmith.jobs import queries
from goldsmith.jobs.errors import LeaseLost, MoveNotAllowed
from goldsmith.jobs.states import ACTIVE, TRANSITIONS, JobState
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.jobs.types import ChildId, JobFailure, StageOutcome, StopRequest
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import UtcTime
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.wire.events import Event

LEASE_S = 30.0
MAX_DEATHS = 3
_ACTIVE = [state.value for state in ACTIVE]


@dataclass(frozen=True)
class NewJob:
    """What is asked for. `id` may be given when the thing has the job's own id, as a training does."""

    kind: str
    title: str
    params: Mapping[str, Any]
    subject_id: str | None = None
    needs_slot: bool = False
    id: str | None = None
    wanted_slot: str | None = None
    """One slot of those that there are; None: any."""


def add(session: Session, new: NewJob, *, by: Person) -> Job:
    """Queue a job; it starts when a supervisor claims it."""
    job = Job(
        id=new.id or new_id(Prefix.JOB),
        kind=new.kind,
        title=new.title[:255],
        params=dict(new.params),
        subject_id=new.subject_id,
        needs_slot=new.needs_slot,
        wanted_slot=new.wanted_slot,
        domain=by.domain,
        created_by=by.id,
        because="asked for",
    )
    session.add(job)
    session.flush()
    _record(session, job, "queued", {"by": by.id})
    _mirror(session, job)
    return job


def claim(session: Session, *, machine: str, slot: str | None) -> Job | None:
    """Take the first of the line: a job that needs a slot for `slot` (if that is free), else one that needs none."""
    waiting = select(Job.id).where(Job.state == JobState.QUEUED.value, Job.needs_slot == (slot is not None))
    if slot is not None:
        other = aliased(Job)
        busy = exists().where(other.state.in_(_ACTIVE), other.machine == machine, other.slot == slot)
        waiting = waiting.where(~busy, or_(Job.wanted_slot.is_(None), Job.wanted_slot == slot))
    waiting = waiting.order_by(*queries.IN_LINE).limit(1).with_for_update(skip_locked=True)
    now = clock.now()
    values = {
        Job.state: JobState.STARTING.value,
        Job.because: f"claimed by {machine}",
        Job.machine: machine,
        Job.slot: slot,
        Job.lease_number: Job.lease_number + 1,
        Job.lease_until: now + timedelta(seconds=LEASE_S),
        Job.started_at: func.coalesce(Job.started_at, literal(now, UtcTime())),
    }
    claimed = update(Job).where(Job.id == waiting.scalar_subquery(), Job.state == JobState.QUEUED.value)
    try:
        with session.begin_nested():
            job_id = session.execute(claimed.values(values).returning(Job.id)).scalar()
    except IntegrityError:  # somebody took the slot in this very moment
        return None
    if job_id is None:
        return None
    job = session.get_one(Job, job_id, populate_existing=True)
    _record(session, job, "starting", {"machine": machine, "slot": slot})
    _mirror(session, job)
    return job


def move(session: Session, job: Job, to: JobState, because: str) -> None:
    """Change the state. Raises MoveNotAllowed when the table of transitions does not have this move."""
    session.refresh(job, with_for_update=True)
    if to not in TRANSITIONS[JobState(job.state)]:
        raise MoveNotAllowed(f"{job.title} is {job.state} and cannot become {to.value}.")
    job.state = to.value
    job.because = because
    if not to.is_active:
        job.slot = None
        job.pid = job.pid_started_at = job.pid_booted_at = None
        job.stop_requested = job.stop_sent_at = None
    job.finished_at = clock.now() if to.is_over and to is not JobState.PAUSED else None
    session.flush()
    _record(session, job, to.value, {"because": because})
    _mirror(session, job)


def again(session: Session, job: Job, because: str) -> None:
    """Queue a job that is over as a new attempt of the same job; earlier deaths are forgiven.

    Raises MoveNotAllowed for one that waits or is at work: that is left to its supervisor.
    """
    session.refresh(job, with_for_update=True)
    if not JobState(job.state).is_over:
        raise MoveNotAllowed(f"{job.title} is {job.state}; only what is over can be queued again.")
    _again(session, job, because, num_deaths=0)
    job.priority = 0  # the place that it had was one in a line of long ago
    session.flush()


def died(session: Session, job: Job, failure: JobFailure) -> None:
    """An attempt ended without a word: queue the next one, or fail after too many without progress."""
    num_deaths, request = job.num_deaths + 1, job.stop_requested
    if num_deaths >= MAX_DEATHS:
        fail(session, job, failure)
    else:
        _again(session, job, f"attempt {job.attempt} ended early: {failure.summary}", num_deaths=num_deaths)
        job.stop_requested = request if request == StopRequest.KEEP.value else None


def finish(session: Session, job: Job, result: Mapping[str, Any] | None = None) -> None:
    """The job is done and what it made is complete."""
    job.result = {**(job.result or {}), **(result or {})}
    job.progress = 1.0
    session.flush()
    move(session, job, JobState.SUCCEEDED, "finished")


def fail(session: Session, job: Job, failure: JobFailure) -> None:
    """The job cannot go on; it says why."""
    job.failure = failure.to_dict()
    session.flush()
    move(session, job, JobState.FAILED, failure.summary)


def ask_to_stop(session: Session, job: Job, request: StopRequest) -> None:
    """Pause, cancel, or end and keep. What waits is cancelled at once; what runs is told, and saves first.

    What is paused, cancelled or failed is queued again to end and keep what it had.
    """
    session.refresh(job, with_for_update=True)
    state = JobState(job.state)
    if state.is_active:
        if job.stop_requested != StopRequest.CANCEL.value:  # who cancelled does not want it to be paused
            if job.stop_requested == StopRequest.KEEP.value:
                job.stop_sent_at = None  # what was passed on was no signal
            job.stop_requested = request.value
        session.flush()
        _record(session, job, f"{request.value}_requested", {})
    elif request is StopRequest.CANCEL:
        move(session, job, JobState.CANCELLED, "cancelled by a person")
    elif request is StopRequest.KEEP and JobState.QUEUED in TRANSITIONS[state]:
        again(session, job, "to keep the best of what it had")
        job.stop_requested = request.value
        session.flush()
    else:
        verb = "be paused" if request is StopRequest.PAUSE else "end now and keep what it has"
        raise MoveNotAllowed(f"{job.title} is {state.value} and cannot {verb}.")


def begin_stage(session: Session, job: Job, stage: str) -> None:
    """The next program of a claimed job is about to be started."""
    job.stage = stage
    job.stage_outcome = None
    job.pid = job.pid_started_at = job.pid_booted_at = None
    session.flush()
    _record(session, job, "stage", {"name": stage})


def record_child(session: Session, job: Job, child: ChildId) -> None:
    """The stage's process is there."""
    job.pid, job.pid_started_at, job.pid_booted_at = child.pid, child.started_at, child.booted_at
    session.flush()
    to_running(session, job)


def end_stage(session: Session, job: Job, outcome: StageOutcome, result: Mapping[str, Any] | None = None) -> None:
    """A stage's own program says how it ended, in its last transaction."""
    job.stage_outcome = outcome.value
    if outcome is StageOutcome.FAILED:
        job.failure = dict(result or {})
    else:
        job.result = {**(job.result or {}), **(result or {})}
    session.flush()


def keep_lease(session: Session, job_id: str, lease_number: int) -> None:
    """Prolong a lease, and prove in this transaction that it is still ours. Raises LeaseLost."""
    kept = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.lease_number == lease_number, Job.state.in_(_ACTIVE))
        .values(lease_until=clock.now() + timedelta(seconds=LEASE_S))
        .returning(Job.id)
    ).scalar()
    if kept is None:
        raise LeaseLost(f"Job {job_id} has gone on without lease {lease_number}.")


def take_back_expired(session: Session, *, machine: str) -> list[str]:
    """Take from other machines what they stopped reporting on two leases ago: a death each. Returns the ids."""
    limit = clock.now() - timedelta(seconds=2 * LEASE_S)
    gone = select(Job).where(Job.state.in_(_ACTIVE), Job.machine != machine, Job.lease_until < limit)
    jobs = list(session.scalars(gone.with_for_update(skip_locked=True)))
    for job in jobs:
        summary = f"The machine {job.machine} stopped reporting."
        died(session, job, JobFailure("machine_gone", summary, "Look after that machine, then queue the job again."))
    return [job.id for job in jobs]


def report(session: Session, job: Job, *, progress: float | None = None, message: str | None = None) -> None:
    """How far a job is, as a share from 0 to 1 that never falls, and a sentence. Getting further forgives deaths."""
    if progress is not None and min(progress, 1.0) > job.progress:
        job.num_deaths = 0
        job.progress = min(progress, 1.0)
    if message is not None:
        job.message = message
    session.flush()
    _mirror(session, job)


def record(session: Session, job: Job, event: Event, *, source: str) -> None:
    """Append an event that a child reported."""
    row = JobEvent(
        job_id=job.id,
        attempt=job.attempt,
        source=source,
        seq=event.seq,
        kind=event.kind.value,
        data=dict(event.data),
        at=clock.from_timestamp(event.at),
    )
    session.add(row)
    session.flush()


def to_running(session: Session, job: Job) -> None:
    """A claimed job whose first program was started is running, even when nobody saw it start."""
    if job.state == JobState.STARTING.value:
        move(session, job, JobState.RUNNING, "its program was started")


def _again(session: Session, job: Job, because: str, *, num_deaths: int) -> None:
    move(session, job, JobState.QUEUED, because)
    job.attempt += 1
    job.num_deaths = num_deaths
    job.stage = job.stage_outcome = None
    job.failure = None
    session.flush()
    _mirror(session, job)


def _record(session: Session, job: Job, kind: str, data: dict[str, Any]) -> None:
    seq = 1 + queries.last_seq(session, job.id, attempt=job.attempt, source="queue")
    session.add(JobEvent(job_id=job.id, attempt=job.attempt, source="queue", seq=seq, kind=kind, data=data))
    session.flush()


def _mirror(session: Session, job: Job) -> None:
    mirror = session.info.get("mirrors", {}).get(job.kind)
    if mirror is not None:
        mirror(session, job)
        session.flush()
