"""`goldsmith training-sets`: gold stars, exported, with an exam held back."""

from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.stars import export as exporting
from goldsmith.stars import queries
from goldsmith.stars.types import ExportRequest, SetFormat

commands = typer.Typer(help="Training sets: exported gold stars.", no_args_is_help=True)


@commands.command()
def export(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="What it is called.")] = None,
    run: Annotated[str | None, typer.Option(help="Only the stars of this run; default: all.")] = None,
    set_format: Annotated[SetFormat, typer.Option("--format", help="How a line is written.")] = SetFormat.chatml,
    exam_share: Annotated[float, typer.Option(help="Share of new rows that is held back as the exam.")] = 0.2,
) -> None:
    """Write the stars as a training set. The same stars give the same set."""
    cli: Cli = context.obj
    request = ExportRequest(name, set_format, run_id=run, exam_share=exam_share)
    with cli.transaction() as (session, person):
        made = exporting.export(session, cli.parts.home, request, by=person)
    folder = cli.parts.home.root / made.folder
    cli.show({"training_set": made.id, "learn": made.num_learn, "exam": made.num_exam, "folder": str(folder)})


@commands.command("list")
def list_sets(context: typer.Context) -> None:
    """List the training sets."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {"id": one.id, "name": one.name, "learn": one.num_learn, "exam": one.num_exam, "format": one.format}
            for one in queries.training_sets(session, domain=cli.domain)
        ]
    cli.table(rows, empty="No training sets yet. Make one with: goldsmith training-sets export")
