"""`goldsmith runs`: ask a model about every row."""

from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.watching import finish_or_say
from goldsmith.data import queries as data
from goldsmith.run import queries, service
from goldsmith.run.types import RunOptions, RunRequest

commands = typer.Typer(help="Runs: a model, a prompt and rows become answers.", no_args_is_help=True)


@commands.command()
def start(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="A dataset's id or name.")],
    prompt: Annotated[str, typer.Option(help="A prompt's id or name; its newest version is used.")],
    model: Annotated[str, typer.Option(help="A model's id or name.")],
    rows: Annotated[int | None, typer.Option(help="Only the first so many rows.")] = None,
    max_tokens: Annotated[int, typer.Option(help="The longest answer, in tokens.")] = 512,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Ask a model about every row; each answer is kept as it comes."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        version = data.newest_version(session, data.one(session, dataset, domain=person.domain).id)
        wording = queries.newest_version(session, queries.prompt(session, prompt, domain=person.domain).id)
        options = RunOptions(max_rows=rows, max_tokens=max_tokens)
        run = service.start(session, RunRequest(version.id, wording.id, model, options=options), by=person)
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
