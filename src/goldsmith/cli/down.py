"""`goldsmith down`: pauses the jobs, waits until they have saved, and stops everything on this machine."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from goldsmith import app
from goldsmith.cli.console import Cli, err
from goldsmith.cli.processes import running_up
from goldsmith.jobs import child, queries
from goldsmith.jobs.closing import closing
from goldsmith.jobs.errors import SupervisorRunning
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import ChildId

SAVES_WITHIN_S = 90.0
"""A program that was asked to stop is killed after a minute; its job is paused then as well."""
ENDS_WITHIN_S = 40.0
LOOK_EVERY_S = 0.2


def down(context: typer.Context) -> None:
    """Pause the jobs, wait until they have saved, and stop everything. What waits in the queue goes on waiting."""
    cli: Cli = context.obj
    with closing(cli.parts.home):
        job_ids = app.pause_jobs(cli.parts)
        with _supervised(cli.parts):
            left = _wait_until_saved(cli, job_ids)
        up = running_up(cli.parts.home)
        has_ended = up is None or _end(up)
    if up is None:
        app.stop_engines(cli.parts)
    shown = {"paused_jobs": len(job_ids) - len(left), "still_running_jobs": left, "stopped": up is not None}
    cli.show(shown, _sentence(len(job_ids) - len(left), left, up, has_ended=has_ended))
    if left or not has_ended:
        raise typer.Exit(1)


@contextmanager
def _supervised(parts: app.Parts) -> Iterator[None]:
    """Somebody watches over the jobs while they save: the supervisor that runs, else one of our own."""
    supervisor = app.make_supervisor(parts)
    try:
        supervisor.lock()
    except SupervisorRunning:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        supervisor.unlock()


def _wait_until_saved(cli: Cli, job_ids: Sequence[str]) -> list[str]:
    """Wait for the jobs; returns those that did not end in time."""
    left, end = list(job_ids), time.monotonic() + SAVES_WITHIN_S
    if left and not cli.is_json:
        err.print(f"Waiting until {_counted(len(left))} saved where {'it is' if len(left) == 1 else 'they are'}.")
    while left and time.monotonic() < end:
        time.sleep(LOOK_EVERY_S)
        with cli.reading() as session:
            left = [job_id for job_id in left if not JobState(queries.one(session, job_id).state).is_over]
    return left


def _end(up: ChildId) -> bool:
    """Have `goldsmith up` end, as by Ctrl-C; returns whether it has ended."""
    if child.is_alive(up):
        os.kill(up.pid, signal.SIGTERM)
    end = time.monotonic() + ENDS_WITHIN_S
    while child.is_alive(up) and time.monotonic() < end:
        time.sleep(LOOK_EVERY_S)
    return not child.is_alive(up)


def _sentence(num_paused: int, left: Sequence[str], up: ChildId | None, *, has_ended: bool) -> str:
    said = [f"Paused {num_paused} jobs." if num_paused != 1 else "Paused 1 job."]
    if left:
        said.append(f"Not paused in time: {', '.join(left)}. Look at them with: goldsmith jobs show JOB")
    if up is None:
        said.append("Goldsmith was not running.")
    elif has_ended:
        said.append("Stopped Goldsmith. Start it again with: goldsmith up")
    else:
        said.append(f"Goldsmith is still ending: process {up.pid}.")
    return " ".join(said)


def _counted(num_jobs: int) -> str:
    return "1 job has" if num_jobs == 1 else f"{num_jobs} jobs have"
