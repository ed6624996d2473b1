"""`goldsmith data`: bring rows in, and look at them."""

from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli import openai
from goldsmith.cli.console import Cli
from goldsmith.cli.watching import finish_or_say
from goldsmith.connect.openai import objects as exported
from goldsmith.data import queries, readers, service
from goldsmith.data.readers import Format, ReadOptions
from goldsmith.data.types import ImportRequest
from goldsmith.stars import importing

commands = typer.Typer(help="Datasets: rows that come in.", no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(help="A dataset's id or name.")]
FileFormat = Annotated[Format | None, typer.Option("--format", help="Default: recognised from the file.")]
FileEncoding = Annotated[str | None, typer.Option("--encoding", help="E.g. utf-16; default: recognised.")]
Delimiter = Annotated[str | None, typer.Option(help="Between cells; default: recognised.")]
Sheet = Annotated[str | None, typer.Option(help="Of a spreadsheet; default: the first.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, TSV, JSONL, Excel, Parquet or chats.")]
FileOrExport = Annotated[
    Path, typer.Argument(exists=True, help="CSV, TSV, JSONL, Excel, Parquet, chats; an eval of OpenAI's, or a folder.")
]


@commands.command("import")
def import_file(
    context: typer.Context,
    file: FileOrExport,
    name: Annotated[str, typer.Option(help="What the dataset is called; default: the file's name.")] = "",
    to: Annotated[str | None, typer.Option(help="Make the next version of this dataset instead of a new one.")] = None,
    answers: Annotated[str | None, typer.Option(help="The column that holds good answers.")] = None,
    with_stars: Annotated[bool, typer.Option("--stars/--no-stars", help="Give the good answers your star.")] = True,
    columns: Annotated[list[str] | None, typer.Option("--column", help="Keep this column; default: all.")] = None,
    file_format: FileFormat = None,
    encoding: FileEncoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Import a file. Bad rows are listed and never stop the good ones. What OpenAI gave is rebuilt: `openai look`."""
    cli: Cli = context.obj
    if file.is_dir() or exported.is_export(file):
        openai.bring_in(cli, [file], is_starred=False, wait=wait)
        return
    with file.open("rb") as stream:
        upload = service.save_upload(cli.parts.home, stream, file.name)
    request = ImportRequest(
        upload,
        name or file.stem,
        dataset_id=to,
        answer_column=answers,
        columns=tuple(columns) if columns else None,
        format=file_format.value if file_format else None,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
    )
    with cli.transaction() as (session, person):
        version, job = service.start_import(session, request, by=person)
        stars = importing.start(session, version.id, by=person) if answers and with_stars else None
    said = finish_or_say(cli, job.id, wait=wait)
    if stars is not None:
        said["run"] = finish_or_say(cli, stars.id, wait=wait).get("run_id")
    cli.show({"dataset": version.dataset_id, "version": version.id, **said})


@commands.command()
def preview(
    context: typer.Context,
    file: File,
    file_format: FileFormat = None,
    encoding: FileEncoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
) -> None:
    """Show what a file holds, without importing it."""
    cli: Cli = context.obj
    options = ReadOptions(format=file_format, encoding=encoding, delimiter=delimiter, sheet=sheet)
    found = readers.preview(file, filename=file.name, num_rows=5, options=options)
    data = {
        "format": found.format.value,
        "columns": list(found.columns),
        "rows": [row.values for row in found.rows],
        "problems": [f"row {bad.number}: {bad.reason}" for bad in found.problems],
    }
    cli.show(data)


@commands.command("list")
def list_datasets(context: typer.Context) -> None:
    """List the datasets."""
    cli: Cli = context.obj
    rows = []
    with cli.reading() as session:
        for dataset in queries.page(session, domain=cli.domain):
            newest = next(iter(queries.versions(session, dataset.id)), None)
            facts = (
                {"version": newest.number, "rows": newest.num_rows, "bad rows": newest.num_bad_rows} if newest else {}
            )
            rows.append({"id": dataset.id, "name": dataset.name, **facts})
    cli.table(rows, empty="No datasets yet. Bring one in with: goldsmith data import FILE")


@commands.command()
def show(context: typer.Context, dataset: Dataset, rows: Annotated[int, typer.Option(help="How many.")] = 10) -> None:
    """Show the first rows of a dataset's newest version."""
    cli: Cli = context.obj
    with cli.reading() as session:
        version = queries.newest_version(session, queries.one(session, dataset, domain=cli.domain).id)
        found = queries.rows(session, version.id, limit=rows)
    cli.table([{"row": row.position, **row.content} for row in found], empty="No rows.")


@commands.command()
def delete(context: typer.Context, dataset: Dataset) -> None:
    """Hide a dataset; what was made from it stays."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        service.delete(session, dataset, by=person)
    cli.show({"dataset": dataset, "deleted": True}, "Deleted. Get it back with: goldsmith data restore ID")


@commands.command()
def restore(
    context: typer.Context, dataset_id: Annotated[str, typer.Argument(help="A dataset's id; its name is not enough.")]
) -> None:
    """Show a deleted dataset again."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        service.restore(session, dataset_id, by=person)
    cli.show({"dataset": dataset_id, "restored": True})
