"""Waits of at most ten seconds for what a worker or a keeper does, for callers who expect the result.

No transaction is open meanwhile: a handler that waits opens its own transactions, before and after.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import orm

from goldsmith.errors import GoldsmithError
from goldsmith.jobs import queries
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.storage.database import Database

T = TypeVar("T")
WAIT_S = 10.0
LOOK_EVERY_S = 0.1


def wait_for_job(database: Database, job_id: str) -> Job:
    """The job, over or still under way. One that failed raises what it failed with, as if it had been done here."""
    job = queries.wait(database, job_id, timeout_s=WAIT_S)
    if job.state == JobState.FAILED.value and job.failure:
        raise _error_of(JobFailure(**job.failure))
    return job


def wait_until(database: Database, look: Callable[[orm.Session], T], is_settled: Callable[[T], bool]) -> T:
    """What `look` finds, as soon as it is settled, or as it stands after ten seconds."""
    end = time.monotonic() + WAIT_S
    while True:
        with database.reading() as session:
            found = look(session)
        if is_settled(found) or time.monotonic() > end:
            return found
        time.sleep(LOOK_EVERY_S)


def _error_of(failure: JobFailure) -> GoldsmithError:
    """A worker keeps the slug of the error that ended it as the failure's kind."""
    kind = _by_slug(GoldsmithError).get(failure.kind)
    if kind is None:
        return JobFailed(failure.summary, hint=failure.hint, kind=failure.kind)
    return kind(failure.summary, hint=failure.hint)


def _by_slug(cls: type[GoldsmithError]) -> dict[str, type[GoldsmithError]]:
    found = {cls.slug(): cls}
    for kind in cls.__subclasses__():
        found |= _by_slug(kind)
    return found
