"""Does the light work of jobs in this process, as a supervisor and its workers would: for tests of the API."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.web.conftest import Site

from goldsmith.jobs import queries, queue
from goldsmith.jobs.kinds import JobKind
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.jobs.worker import Worker

LOOK_EVERY_S = 0.02


def work_off(site: Site, *kinds: JobKind) -> list[str]:
    """Do every job that waits, in the order of the queue; returns their ids."""
    done = []
    by_name = {kind.name: kind for kind in kinds}
    while (job := _claim(site)) is not None:
        _do(site, job, by_name)
        done.append(job.id)
    return done


@contextmanager
def working(site: Site, *kinds: JobKind) -> Iterator[None]:
    """Somebody does jobs as they come."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(LOOK_EVERY_S):
            work_off(site, *kinds)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _claim(site: Site) -> Job | None:
    with site.database.transaction() as session:
        light = queue.claim(session, machine="here", slot=None)
        return light or queue.claim(session, machine="here", slot="cpu")


def _do(site: Site, job: Job, kinds: dict[str, JobKind]) -> None:
    worker = Worker(site.database, site.home, kinds)
    for stage in kinds[job.kind].stages:
        with site.database.transaction() as session:
            found = queries.one(session, job.id)
            queue.begin_stage(session, found, stage.name)
            queue.to_running(session, found)
        worker.work(job.id, stage.name, job.lease_number)
    with site.database.transaction() as session:
        found = queries.one(session, job.id)
        if found.stage_outcome == "failed":
            queue.fail(session, found, JobFailure(**(found.failure or {})))
        else:
            queue.move(session, found, JobState.SUCCEEDED, "finished")
