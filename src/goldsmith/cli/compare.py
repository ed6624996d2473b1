"""`goldsmith compare`: a fine-tuned model beside its base model, on rows that it never saw."""

from typing import Annotated

import typer
from sqlalchemy.orm import Session

from goldsmith.cli.console import Cli
from goldsmith.cli.watching import finish_or_say
from goldsmith.compare import queries, service
from goldsmith.compare.service import ComparisonRequest
from goldsmith.data import queries as data
from goldsmith.people.types import Person

commands = typer.Typer(help="Comparisons: is the fine-tuned model better than its base?", no_args_is_help=True)


@commands.command()
def start(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A fine-tuned model's id or name.")],
    exam: Annotated[str | None, typer.Option(help="A training set's id; default: that of the model.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Ask a dataset's rows instead, if it was imported with its good answers.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Ask base, base with examples and tuned the same rows, and say what they show."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        request = ComparisonRequest([model], exam, _version_id(session, dataset, person))
        comparison = service.start(session, request, by=person)
    said = finish_or_say(cli, comparison.job_id or "", wait=wait)
    cli.show({"comparison": comparison.id, **said})


@commands.command("list")
def list_comparisons(context: typer.Context) -> None:
    """List the comparisons with their verdicts."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {"id": one.id, "name": one.name, "state": one.status, "verdict": (one.verdict or {}).get("sentence")}
            for one in queries.page(session, domain=cli.domain)
        ]
    cli.table(rows, empty="Nothing compared yet. Compare with: goldsmith compare start MODEL")


@commands.command()
def show(context: typer.Context, comparison_id: Annotated[str, typer.Argument(help="A comparison's id.")]) -> None:
    """Show the verdict and the figures of each arm."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.one(session, comparison_id, domain=cli.domain)
        arms = {arm.name: arm.figures for arm in queries.arms(session, comparison_id)}
    cli.show({"id": one.id, "state": one.status, "verdict": one.verdict, "arms": arms, "win_rate": one.win_rate})


def _version_id(session: Session, dataset: str | None, person: Person) -> str | None:
    if dataset is None:
        return None
    return data.newest_version(session, data.one(session, dataset, domain=person.domain).id).id
