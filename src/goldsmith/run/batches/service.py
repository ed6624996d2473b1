"""The verbs of batches: create, cancel, and what is written when a job of one begins or ends. They only write rows."""

import re
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.people.types import Person
from goldsmith.run.batches import queries
from goldsmith.run.batches.errors import BatchIsOver, BatchNotUsable
from goldsmith.run.batches.naming import is_provider
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import ASK_JOB, CHECK_JOB, END_JOB, ENDPOINTS, BatchStatus, Fault, NewBatch
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id

_WINDOW = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MAX_WINDOW = timedelta(days=30)


def create(session: Session, new: NewBatch, *, by: Person) -> Batch:
    """Write the batch with the job that checks its file. Raises BatchNotUsable."""
    if new.endpoint not in ENDPOINTS:
        raise BatchNotUsable(f"A batch cannot ask {new.endpoint}.", hint=f"Name one of: {', '.join(ENDPOINTS)}.")
    batch = Batch(
        id=new_id(Prefix.BATCH),
        endpoint=new.endpoint,
        input_file_id=new.file_id,
        input_name=new.file_name[:255],
        input_sha256=new.sha256,
        completion_window=new.window,
        labels=dict(new.labels),
        output_expires_after_s=new.output_expires_after_s,
        models=[],
        faults=[],
        expires_at=clock.now() + _length(new.window),
        domain=by.domain,
        created_by=by.id,
    )
    session.add(batch)
    session.flush()
    _queue(session, batch, CHECK_JOB, by=by)
    return batch


def cancel(session: Session, batch_id: str, *, by: Person) -> Batch:
    """Stop it for good; what was answered stays, and can be taken. Raises BatchIsOver."""
    batch = queries.one(session, batch_id, domain=by.domain)
    if batch.status is BatchStatus.CANCELLING:
        return batch
    job = jobs.one(session, batch.job_id or "")
    if batch.status.is_over or job.kind == END_JOB:
        raise BatchIsOver(f"The batch {batch.id} is {batch.status.value}.")
    batch.cancelling_at = clock.now()
    session.flush()
    queue.ask_to_stop(session, job, StopRequest.CANCEL)
    return batch


def begin_asking(session: Session, batch: Batch, model_ids: Sequence[str], *, by: Person) -> None:
    """Its file is good: from now on its requests are asked."""
    batch.models = list(model_ids)
    batch.in_progress_at = clock.now()
    session.flush()
    _queue(session, batch, ASK_JOB, needs_slot=not all(is_provider(model_id) for model_id in model_ids), by=by)


def end(session: Session, batch: Batch, status: BatchStatus, *, faults: Sequence[Fault] = ()) -> None:
    """It is over, as `status` says, with what was counted."""
    found = queries.counts(session, batch)
    batch.num_answered, batch.num_failed = found.num_answered, found.num_failed
    batch.prompt_tokens, batch.answer_tokens = queries.tokens(session, batch.id) or (None, None)
    batch.is_over = True
    batch.faults = [fault.to_dict() for fault in faults]
    now = clock.now()
    batch.completed_at = now if status is BatchStatus.COMPLETED else None
    batch.failed_at = now if status is BatchStatus.FAILED else None
    batch.expired_at = now if status is BatchStatus.EXPIRED else None
    batch.cancelled_at = now if status is BatchStatus.CANCELLED else None
    session.flush()


def go_on_after(session: Session, job: Job) -> None:
    """What the move of a batch's job means for the batch, in the transaction of that move, so that nothing is lost."""
    batch = session.get(Batch, job.subject_id or "")
    if batch is None:
        return
    state = JobState(job.state)
    if state is JobState.QUEUED and batch.failed_at is not None and job.kind != CHECK_JOB:
        _reopen(batch, job)
    has_ended = state.is_over and state is not JobState.PAUSED
    is_past = batch.is_over or batch.job_id != job.id
    if is_past or not has_ended or (job.kind == CHECK_JOB and state is JobState.SUCCEEDED):
        return
    if job.kind == END_JOB:
        failure = job.failure or {}
        end(session, batch, BatchStatus.FAILED, faults=[Fault(str(failure.get("kind")), job.because)])
        return
    batch.finalizing_at = clock.now()
    _queue(session, batch, END_JOB, by=Person(job.created_by, "", job.domain))


def expire(session: Session, batch: Batch) -> None:
    """Its time is over: what waits is not begun any more. A worker that is at it looks at the clock itself."""
    job = jobs.one(session, batch.job_id or "")
    if JobState(job.state) in (JobState.QUEUED, JobState.PAUSED) and job.kind != END_JOB:
        queue.ask_to_stop(session, job, StopRequest.CANCEL)


def _reopen(batch: Batch, job: Job) -> None:
    """A person has a job queued again whose batch had failed: it goes on where it was."""
    batch.job_id = job.id
    batch.is_over, batch.failed_at, batch.finalizing_at, batch.faults = False, None, None, []


def _queue(session: Session, batch: Batch, kind: str, *, by: Person, needs_slot: bool = False) -> None:
    new = NewJob(kind, f"Batch {batch.input_name}", {"batch_id": batch.id}, subject_id=batch.id, needs_slot=needs_slot)
    batch.job_id = queue.add(session, new, by=by).id
    session.flush()


def _length(window: str) -> timedelta:
    found = _WINDOW.fullmatch(window)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    if length is None or length > MAX_WINDOW:
        raise BatchNotUsable(
            f"{window!r} is no time for a batch.", hint="Say completion_window as 24h; up to 30d can be waited for."
        )
    return length
