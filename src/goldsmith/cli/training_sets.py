"""`goldsmith training-sets`: gold stars, exported, with an exam held back."""

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.saving import target_of
from goldsmith.stars import cures, queries
from goldsmith.stars import export as exporting
from goldsmith.stars.errors import TrainingSetNotFound
from goldsmith.stars.types import ExportRequest, SetFormat, Side
from goldsmith.storage.files import whole_file

commands = typer.Typer(help="Training sets: exported gold stars.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A training set's id or name.")]


class SetFile(StrEnum):
    """The files that a training set consists of."""

    LEARN = "learn.jsonl"
    EXAM = "exam.jsonl"
    MANIFEST = "manifest.json"


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


@commands.command()
def show(
    context: typer.Context,
    training_set: Name,
    side: Annotated[Side, typer.Option(help="Whose rows are shown.")] = Side.learn,
    rows: Annotated[int, typer.Option(min=0, max=1000, help="How many.")] = 5,
) -> None:
    """Show a training set: how many rows, what was left out and why, and the first rows of one side."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.training_set(session, training_set, domain=cli.domain)
        found = queries.training_set_rows(session, one.id, side.value, limit=rows)
    counts = {"learn": one.num_learn, "exam": one.num_exam, "left_out": one.num_dropped}
    examples = [{"row": row.position, "stratum": row.stratum, "messages": row.messages} for row in found]
    facts = {"id": one.id, "name": one.name, "format": one.format, **counts, "sha256": one.content_hash}
    told = {name: one.manifest.get(name, []) for name in ("notes", "lint")}
    cli.show({**facts, **told, "rows": examples})


@commands.command()
def without(
    context: typer.Context,
    training_set: Name,
    check: Annotated[list[str], typer.Option(help="What it has found is left out; may be given several times.")],
    name: Annotated[str | None, typer.Option(help="What the new set is called.")] = None,
) -> None:
    """Make a set of the same stars without the rows that checks have found (`lint` of `show`). The old one stays."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        made = cures.without(session, cli.parts.home, training_set, check, name=name, by=person)
    facts = {"training_set": made.id, "name": made.name, "learn": made.num_learn, "exam": made.num_exam}
    cli.show({**facts, "notes": made.manifest["notes"]})


@commands.command()
def download(
    context: typer.Context,
    training_set: Name,
    file: Annotated[SetFile, typer.Option(help="Which of its files.")] = SetFile.LEARN,
    to: Annotated[Path | None, typer.Option(help="Where to; default: the file's own name, here.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Copy one of a training set's files, exactly as it was exported."""
    cli: Cli = context.obj
    with cli.reading() as session:
        one = queries.training_set(session, training_set, domain=cli.domain)
    source = cli.parts.home.root / one.folder / file.value
    if not source.is_file():
        raise TrainingSetNotFound(f"The file {file.value} of {one.name} is gone.", hint="Export the stars again.")
    path = target_of(to or Path(f"{one.id}-{file.value}"), is_overwritten=overwrite)
    with source.open("rb") as content, whole_file(path) as target:
        shutil.copyfileobj(content, target)
    said = {"training_set": one.id, "file": str(path), "size_bytes": path.stat().st_size}
    cli.show(said, f"Wrote {path} ({said['size_bytes']:,} bytes).")
