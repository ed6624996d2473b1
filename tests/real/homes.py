"""Homes for real tests: one that keeps environments and the model, and fresh ones that borrow both from it."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goldsmith import app
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import queries
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.testing.contracts.job_folder import CPU

TEST_HOME = Path(os.environ.get("GOLDSMITH_TEST_HOME", Path.cwd() / ".goldsmith" / "test-home"))
JOB_TIMEOUT_S = 900.0
BACKENDS = app.make_backends()


def environment_of(backend: str) -> EnvironmentName | None:
    """The environment that a training backend needs on a CPU."""
    found = BACKENDS[backend]
    return found.plan(found.options(), CPU).environment


_OF_BACKENDS = {found: None for name in BACKENDS if (found := environment_of(name))}
ENVIRONMENTS = (*_OF_BACKENDS, EnvironmentName.VLLM_CPU, EnvironmentName.GGUF)
"""What the real tests need: an environment for each training backend, one for the engine, one that converts."""


def free_port() -> int:
    """A port on loopback on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Supervised:
    """A supervisor in a thread, engines kept; called with a job, it waits for it and insists that it succeeded."""

    def __init__(self, parts: app.Parts) -> None:
        self._parts = parts
        self._stop = threading.Event()
        self._supervisor = app.make_supervisor(parts)
        self._thread = threading.Thread()

    def __call__(self, job_id: str) -> Job:
        """Wait for a job."""
        job = queries.wait(self._parts.database, job_id, timeout_s=JOB_TIMEOUT_S)
        print(f"{job.title}: {job.state} {job.failure or ''}", file=sys.stderr)
        assert job.state == JobState.SUCCEEDED.value, f"{job.title}: {job.state}, {job.failure}"
        return job

    def start(self) -> None:
        """Watch over the home."""
        self._stop = threading.Event()
        self._supervisor = app.make_supervisor(self._parts)
        self._supervisor.lock()
        arguments = (self._stop, app.make_keepers(self._parts))
        self._thread = threading.Thread(target=self._supervisor.run, args=arguments, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; jobs and engines go on."""
        self._stop.set()
        self._thread.join(timeout=20)
        self._supervisor.unlock()

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """Let somebody else watch over the home meanwhile."""
        self.stop()
        try:
            yield
        finally:
            self.start()


@contextmanager
def supervised(parts: app.Parts) -> Iterator[Supervised]:
    """A supervisor for as long as the block lasts; engines are stopped at its end."""
    found = Supervised(parts)
    found.start()
    try:
        yield found
    finally:
        found.stop()
        app.stop_engines(parts)
