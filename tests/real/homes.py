"""Homes for real tests: one that keeps environments and the model, and fresh ones that borrow both from it."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from goldsmith import app
from goldsmith.jobs import queries
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job

TEST_HOME = Path(os.environ.get("GOLDSMITH_TEST_HOME", Path.cwd() / ".goldsmith" / "test-home"))
JOB_TIMEOUT_S = 900.0


def free_port() -> int:
    """A port on loopback on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def supervised(parts: app.Parts) -> Iterator[Callable[[str], Job]]:
    """A supervisor in a thread, engines kept; yields a function that waits for a job and insists that it succeeded."""
    stop = threading.Event()
    supervisor = app.make_supervisor(parts)
    supervisor.lock()
    thread = threading.Thread(target=supervisor.run, args=(stop, app.make_keepers(parts)), daemon=True)
    thread.start()

    def wait(job_id: str) -> Job:
        job = queries.wait(parts.database, job_id, timeout_s=JOB_TIMEOUT_S)
        print(f"{job.title}: {job.state} {job.failure or ''}", file=sys.stderr)
        assert job.state == JobState.SUCCEEDED.value, f"{job.title}: {job.state}, {job.failure}"
        return job

    try:
        yield wait
    finally:
        stop.set()
        thread.join(timeout=20)
        app.stop_engines(parts)
        supervisor.unlock()
