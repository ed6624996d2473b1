"""`goldsmith models export`: a fine-tuned model as one file, checked against the adapter's own answers."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.saving import target_of
from goldsmith.cli.watching import follow
from goldsmith.models import queries
from goldsmith.models.exports import queries as exports
from goldsmith.models.exports import service
from goldsmith.storage.files import whole_file
from goldsmith.wire.export import ExportForm


def export_model(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A fine-tuned model's id or name.")],
    form: Annotated[
        ExportForm, typer.Option("--as", help="The trained weights alone, or a whole model in 16-bit safetensors.")
    ] = ExportForm.MERGED,
    to: Annotated[Path | None, typer.Option(help="Where the zip file goes; else only where it lies is said.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is made.")] = True,
) -> None:
    """Take a fine-tuned model out into one file, for another program or machine; checked before it counts as good."""
    cli: Cli = context.obj
    if to is not None and not wait:
        raise typer.BadParameter("--to waits for the file; leave --no-wait out")
    target = target_of(to, is_overwritten=overwrite) if to is not None else None
    with cli.transaction() as (session, person):
        found = queries.tuned(session, model, domain=person.domain)
        job = service.start(session, found, form, by=person)
    if not wait:
        cli.show({"model": found.id, "export": job.id, "state": job.state})
        return
    job = follow(cli, job.id)
    source = exports.there(cli.parts.home, job)
    if target is not None:
        with source.open("rb") as file, whole_file(target) as copy:
            shutil.copyfileobj(file, copy)
    result = job.result or {}
    facts = {name: result.get(name) for name in ("is_good", "reason", "size_bytes", "sha256")}
    cli.show({"model": found.id, "export": job.id, "form": form.value, **facts, "file": str(target or source)})
