"""`goldsmith runs`: ask a model about every row."""

from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.saving import target_of
from goldsmith.cli.watching import finish_or_say
from goldsmith.data import queries as data
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.costs import Cost
from goldsmith.jobs.tables import Job
from goldsmith.run import downloads, prompts, queries, service
from goldsmith.run.downloads import DownloadFormat
from goldsmith.run.messages import check_variables
from goldsmith.run.types import PromptDraft, RunOptions, RunRequest

RunId = Annotated[str, typer.Argument(help="A run's id.")]
Wait = Annotated[bool, typer.Option(help="Wait until it is done.")]
commands = typer.Typer(help="Runs: a model, a prompt and rows become answers.", no_args_is_help=True)


@commands.command()
def start(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="A dataset's id or name.")],
    prompt: Annotated[str, typer.Option(help="A prompt's id or name; its newest version is used.")],
    model: Annotated[str, typer.Option(help="A model's id or name.")],
    rows: Annotated[int | None, typer.Option(help="Only the first so many rows.")] = None,
    max_tokens: Annotated[int, typer.Option(help="The longest answer, in tokens.")] = 512,
    temperature: Annotated[float, typer.Option(help="0: always the likeliest word.")] = 0.0,
    concurrency: Annotated[int, typer.Option(help="Rows that are asked at the same time.")] = 16,
    name: Annotated[str | None, typer.Option(help="What the run is called.")] = None,
    wait: Wait = True,
) -> None:
    """Ask a model about every row; each answer is kept as it comes."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        version = data.newest_version(session, data.one(session, dataset, domain=person.domain).id)
        wording = queries.newest_version(session, queries.prompt(session, prompt, domain=person.domain).id)
        options = RunOptions(rows, max_tokens, temperature, concurrency=concurrency)
        run = service.start(session, RunRequest(version.id, wording.id, model, name, options), by=person)
    cli.show({"run": run.id, **finish_or_say(cli, run.job_id or "", wait=wait)})


@commands.command("list")
def list_runs(context: typer.Context) -> None:
    """List the runs."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.page(session, domain=cli.domain)
        progress = queries.progress_of(session, [run.id for run in found])
    rows = [
        {"id": run.id, "name": run.name, "answered": f"{progress[run.id].num_answered} of {run.num_rows}"}
        for run in found
    ]
    cli.table(rows, empty="No runs yet. Start one with: goldsmith runs start DATASET --prompt P --model M")


@commands.command()
def preview(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="A dataset's id or name.")],
    prompt: Annotated[str | None, typer.Option(help="A saved prompt's id or name.")] = None,
    template: Annotated[str, typer.Option(help="Or a wording that is not saved, with {{column}}.")] = "",
    system: Annotated[str, typer.Option(help="Its system text.")] = "",
    rows: Annotated[int, typer.Option(min=1, max=100, help="How many rows.")] = 3,
) -> None:
    """Show what the first rows would ask; nothing is saved or started."""
    cli: Cli = context.obj
    with cli.reading() as session:
        version = data.newest_version(session, data.one(session, dataset, domain=cli.domain).id)
        saved = queries.prompt(session, prompt, domain=cli.domain) if prompt is not None else None
        wording = queries.newest_version(session, saved.id) if saved is not None else PromptDraft(template, system)
        check_variables(wording, version.columns)
        found = prompts.preview(session, wording, version.id, limit=rows)
    shown = [{"row": one.position, "messages": one.messages, "problem": one.problem} for one in found]
    text = "\n\n".join(_question(one.position, one.messages, one.problem) for one in found)
    cli.show(shown, text or "The dataset has no rows.")


@commands.command()
def show(context: typer.Context, run: RunId) -> None:
    """Show a run: how far it is, what failed and why."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.one(session, run, domain=cli.domain)
        progress = queries.progress(session, run)
        error = queries.most_frequent_error(session, run)
        job = jobs.one(session, one.job_id) if one.job_id is not None else None
    facts = {"id": one.id, "name": one.name, "kind": one.kind, "model": one.model_id, "rows": one.num_rows}
    ends = {"answered": progress.num_answered, "failed": progress.num_failed, "open": progress.num_open}
    flaws = {"cut_off": progress.num_cut_off, "not_as_asked": progress.num_invalid, "most_frequent_error": error}
    of_job = {"job": job.id, "state": job.state, "message": job.message, "failure": job.failure} if job else {}
    cost = Cost.of_result(job.result if job else None)
    cli.show({**facts, **ends, **flaws, **of_job, "cost_usd": cost.usd, "energy_kwh": cost.kwh})


@commands.command()
def pause(context: typer.Context, run: RunId) -> None:
    """Stop after the answers that are on their way; it can go on later."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = service.pause(session, run, by=person)
    cli.show(
        {"run": run, "job": job.id, "asked": "pause"}, f"{run} will pause. Go on with: goldsmith runs resume {run}"
    )


@commands.command()
def cancel(context: typer.Context, run: RunId) -> None:
    """Stop for good; the answers that are there stay."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = service.cancel(session, run, by=person)
    cli.show({"run": run, "job": job.id, "asked": "cancel"}, f"{run} will stop.")


@commands.command()
def resume(context: typer.Context, run: RunId, wait: Wait = True) -> None:
    """Go on with the rows that have no answer yet."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = service.resume(session, run, by=person)
    _finish(cli, run, job, wait=wait)


@commands.command()
def retry(context: typer.Context, run: RunId, wait: Wait = True) -> None:
    """Ask the rows again whose answers failed; good answers stay as they are."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = service.retry_failed(session, run, by=person)
    _finish(cli, run, job, wait=wait)


@commands.command()
def download(
    context: typer.Context,
    run: RunId,
    file_format: Annotated[DownloadFormat, typer.Option("--format", help="As what.")] = DownloadFormat.CSV,
    to: Annotated[Path | None, typer.Option(help="Where to; default: RUN.FORMAT, here.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write all answers to a file, whole or not at all. In CSV and Excel, formulas get an apostrophe in front."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.one(session, run, domain=cli.domain)
        data.version(session, one.dataset_version_id or "")
    path = target_of(to or Path(f"{run}.{file_format.value}"), is_overwritten=overwrite)
    num_bytes = downloads.save(cli.parts.database, run, file_format, path)
    said = {"run": run, "file": str(path), "size_bytes": num_bytes}
    cli.show(said, f"Wrote {path} ({num_bytes:,} bytes).")


def _question(position: int, messages: list[dict[str, str]], problem: str | None) -> str:
    turns = "\n".join(f"[{turn['role']}] {turn['content']}" for turn in messages)
    return f"Row {position:,}: {problem}" if problem else f"Row {position:,}\n{turns}"


def _finish(cli: Cli, run: str, job: Job, *, wait: bool) -> None:
    cli.show({"run": run, **finish_or_say(cli, job.id, wait=wait)})
