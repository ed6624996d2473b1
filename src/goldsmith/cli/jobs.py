"""`goldsmith jobs`: everything long, what became of it, and how to stop or resume it."""

from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.saving import target_of
from goldsmith.cli.watching import finish_or_say
from goldsmith.environments.about import about
from goldsmith.jobs import bundle as bundles
from goldsmith.jobs import notices, queries, queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.types import StopRequest
from goldsmith.storage.files import write_whole

JobId = Annotated[str, typer.Argument(help="A job's id; a training's id is one too.")]
commands = typer.Typer(help="Jobs: everything that takes long; what runs, what became of it.", no_args_is_help=True)


@commands.command("list")
def list_jobs(context: typer.Context, kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None) -> None:
    """List the newest jobs."""
    cli: Cli = context.obj
    with cli.reading() as session:
        jobs = queries.page(session, domain=cli.domain, kind=kind)
    rows = [
        {
            "id": job.id,
            "title": job.title,
            "state": job.state,
            "progress": f"{job.progress:.0%}",
            "message": job.message,
        }
        for job in jobs
    ]
    cli.table(rows, empty="Nothing has run yet.")


@commands.command()
def ended(
    context: typer.Context, dismiss: Annotated[bool, typer.Option("--dismiss", help="They were seen.")] = False
) -> None:
    """List your long jobs that have ended and that you have not dismissed."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = notices.unread(session, by=person)
        rows = [{"id": job.id, "title": job.title, "state": job.state, "because": job.because} for job in found]
        if dismiss:
            notices.dismiss(session, by=person)
    cli.table(rows, empty="Nothing has ended that you have not seen.")


@commands.command()
def bundle(
    context: typer.Context,
    job_id: JobId,
    to: Annotated[Path | None, typer.Option(help="The file; default: goldsmith-JOB.zip in this folder.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of that name.")] = False,
) -> None:
    """Write what somebody who helps needs to know of a job: versions, settings, events, the end of its log.

    Rows, prompts, answers and keys are left out. Read log.txt in it before you hand it on.
    """
    cli: Cli = context.obj
    target = target_of(to or Path(f"goldsmith-{job_id}.zip"), is_overwritten=overwrite)
    home = cli.parts.home
    with cli.reading() as session:
        job = queries.one(session, job_id)
        facts = about(cli.parts.machine, home=home.root, database=session.get_bind().dialect.name)
        events = queries.newest_events(session, job.id, limit=bundles.MAX_EVENTS)
        content = bundles.make(job, events, JobFolder.of(home, job.id), facts)
    write_whole(target, content)
    cli.show({"file": str(target), "size_bytes": len(content)}, f"{target}: read log.txt in it before you hand it on.")


@commands.command()
def show(context: typer.Context, job_id: JobId) -> None:
    """Show one job: its state, its failure in a sentence, where its log is."""
    cli: Cli = context.obj
    with cli.reading() as session:
        job = queries.one(session, job_id)
    log = JobFolder.of(cli.parts.home, job.id).log(job.attempt)
    facts = {"id": job.id, "title": job.title, "state": job.state, "because": job.because, "attempt": job.attempt}
    cli.show({**facts, "message": job.message, "failure": job.failure, "result": job.result, "log": str(log)})


@commands.command()
def wait(context: typer.Context, job_id: JobId) -> None:
    """Wait until the job is over, with a progress bar."""
    cli: Cli = context.obj
    cli.show(finish_or_say(cli, job_id, wait=True))


@commands.command()
def pause(context: typer.Context, job_id: JobId) -> None:
    """Stop a running job so that it can go on later; it saves first."""
    _ask(context.obj, job_id, StopRequest.PAUSE)


@commands.command()
def cancel(context: typer.Context, job_id: JobId) -> None:
    """Stop a job for good; what it has kept stays."""
    _ask(context.obj, job_id, StopRequest.CANCEL)


@commands.command()
def resume(context: typer.Context, job_id: JobId) -> None:
    """Queue a paused, failed or cancelled job again; it goes on where it was."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        queue.again(session, queries.one(session, job_id), f"asked for again by {person.name}")
    cli.show({"id": job_id, "state": "queued"}, f"{job_id} is queued again.")


def _ask(cli: Cli, job_id: str, request: StopRequest) -> None:
    with cli.transaction() as (session, _):
        queue.ask_to_stop(session, queries.one(session, job_id), request)
    cli.show({"id": job_id, "asked": request.value}, f"Asked {job_id} to {request.value}.")
