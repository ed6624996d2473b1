"""Waits for a job, or for a model to be live, and shows how far it is. Both go on when the waiting is broken off."""

import time

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session

from goldsmith.cli.console import Cli, err
from goldsmith.errors import Conflict
from goldsmith.jobs import queries
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.serve import queries as serve
from goldsmith.serve.tables import Deployment
from goldsmith.serve.types import DeploymentState, EngineState, Proof

LOOK_EVERY_S = 0.3
PATIENCE_S = 5.0
"""A supervisor claims what waits within a second."""
LIVE_WITHIN_S = 900.0


class JobDidNotSucceed(Conflict):
    """A job that was waited for failed, was paused or was cancelled."""

    title = "The job did not succeed"
    default_hint = "Look at it with: goldsmith jobs show JOB"


class ReceiptRefused(Conflict):
    """A model that should be live was refused by its receipt, or could not be loaded."""

    title = "The model is not proved"
    default_hint = "Look at its receipt, and at its engine, on the models page."


def follow(cli: Cli, job_id: str) -> Job:
    """The job once it succeeded, with a progress bar until then. Raises JobDidNotSucceed."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, TextColumn("{task.fields[message]}"), console=err, disable=cli.is_json) as progress:
        with cli.reading() as session:
            job = queries.one(session, job_id)
        task = progress.add_task(job.title, total=1.0, message="")
        while not JobState(job.state).is_over:
            time.sleep(LOOK_EVERY_S)
            with cli.reading() as session:
                job = queries.one(session, job_id)
                message = job.message if job.state != JobState.QUEUED.value else why_it_waits(session)
            progress.update(task, completed=job.progress, message=message[:100])
    if job.state != JobState.SUCCEEDED.value:
        failure = job.failure or {}
        raise JobDidNotSucceed(f"{job.title}: {failure.get('summary', job.because)}", hint=failure.get("hint"))
    return job


def why_it_waits(session: Session) -> str:
    """For its turn, or for somebody who does the work: without a supervisor it would wait for ever."""
    if queries.is_nobody_at_work(session, patience_s=PATIENCE_S):
        return "nobody does the work; run in another terminal: goldsmith up"
    return "waits for its turn"


def finish_or_say(cli: Cli, job_id: str, *, wait: bool) -> dict[str, object]:
    """Wait for the job if that was asked for; what to show of it either way."""
    if wait:
        follow(cli, job_id)
    with cli.reading() as session:
        job = queries.one(session, job_id)
    return {"job": job.id, "state": job.state, **(job.result or {})}


def until_live(cli: Cli, model_id: str, *, within_s: float = LIVE_WITHIN_S) -> Deployment:
    """The model's deployment once it is loaded and, where that is needed, proved. Raises ReceiptRefused."""
    end = time.monotonic() + within_s
    with err.status("waits for its engine") as status:
        while time.monotonic() < end:
            with cli.reading() as session:
                found = serve.deployment_of(session, model_id)
                engine = serve.one(session, found.engine_id)
            if found.proof == Proof.REFUSED.value or found.state == DeploymentState.FAILED.value:
                raise ReceiptRefused(found.message)
            if engine.state == EngineState.FAILED.value:
                raise ReceiptRefused(f"Its engine could not be started: {engine.message}")
            if found.state == DeploymentState.LOADED.value and Proof(found.proof).allows_default:
                return found
            status.update(
                engine.message if engine.state != EngineState.READY.value else f"{found.state}, {found.proof}"
            )
            time.sleep(LOOK_EVERY_S)
    raise ReceiptRefused("There was no receipt in time.")
