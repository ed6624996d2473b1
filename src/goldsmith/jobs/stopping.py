"""What a person asked of a job at work, passed on to its program, and what becomes of the job then.

The supervisor calls it. Pausing and cancelling are a signal, and a kill for a program that takes no notice. To end and
keep what is best is a file in the job folder: a program that knows it finishes as if it had come to its end.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from goldsmith.jobs import child, queue
from goldsmith.jobs.ending import Ending
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import ChildId, StageOutcome, StopRequest
from goldsmith.storage import clock


def is_to_stop(job: Job) -> bool:
    """Whether no further program of it is to be started."""
    return job.stop_requested not in (None, StopRequest.KEEP.value)


def tell(job: Job, folder: JobFolder) -> None:
    """Have the folder say whether the best is to be kept now, and whether it is stopped for good."""
    for request, path in ((StopRequest.KEEP, folder.keep), (StopRequest.CANCEL, folder.cancel)):
        if job.stop_requested == request.value:
            folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch()
        else:
            path.unlink(missing_ok=True)


def deliver(job: Job, process: ChildId, folder: JobFolder, *, kill_after_s: float) -> bool:
    """Pass on what was asked; returns whether that was done just now, which is to be recorded."""
    if job.stop_requested is None:
        return False
    is_new = job.stop_sent_at is None
    if is_new:
        tell(job, folder)
    if not is_to_stop(job):
        return is_new
    if job.stop_sent_at is None:
        child.ask_to_end(process)
    elif clock.now() - job.stop_sent_at > timedelta(seconds=kill_after_s):
        child.kill(process)
    return is_new


def record_end(session: Session, job: Job, ending: Ending) -> None:
    """The job's last stage ended, or one of its stages ended early: write down where the job stands now."""
    queue.to_running(session, job)
    if ending.outcome is StageOutcome.DONE:
        queue.finish(session, job)
    elif is_to_stop(job):
        stopped(session, job)
    elif ending.outcome is StageOutcome.FAILED:
        queue.fail(session, job, ending.failure)
    elif ending.outcome is StageOutcome.STOPPED and job.stop_requested == StopRequest.KEEP.value:
        stopped(session, job)  # a program that cannot keep the best has saved, and can go on
    else:
        queue.died(session, job, ending.failure)


def stopped(session: Session, job: Job) -> None:
    """It stopped, as a person asked."""
    if job.stop_requested == StopRequest.CANCEL.value:
        queue.move(session, job, JobState.CANCELLED, "cancelled by a person")
        return
    queue.to_running(session, job)
    queue.move(session, job, JobState.PAUSED, "paused by a person")
