"""`goldsmith models export` and `merge`: a fine-tuned model's weights written anew, checked against its adapter."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.saving import target_of
from goldsmith.cli.watching import follow, until_live
from goldsmith.models import queries
from goldsmith.models.exports import queries as exports
from goldsmith.models.exports import service
from goldsmith.serve import queries as serve
from goldsmith.serve.merged import service as merging
from goldsmith.storage.files import whole_file
from goldsmith.wire.export import ExportForm


def export_model(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A fine-tuned model's id or name.")],
    form: Annotated[
        ExportForm,
        typer.Option("--as", help="The trained weights alone, or a whole model: 16-bit safetensors, or one GGUF file."),
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


def merge_model(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A fine-tuned model's id or name.")],
    wait: Annotated[bool, typer.Option(help="Wait until it is merged, loaded and proved.")] = True,
) -> None:
    """Merge a fine-tuned model's adapter into its base's weights, and serve that on an engine of its own: faster."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = queries.tuned(session, model, domain=person.domain)
        job = merging.start(session, found, by=person, home=cli.parts.home)
    if wait:
        if job is not None:
            follow(cli, job.id)
        with cli.reading() as session:
            merged = merging.merged_of(session, found)
            is_deployed = merged is not None and serve.is_wanted(session, merged.id)
        if merged is not None and is_deployed:
            until_live(cli, merged.id)
    with cli.reading() as session:
        now = merging.look(session, found)
    facts = {
        "merged_model": now.model.id if now.model is not None else None,
        "name": now.model.name if now.model is not None else None,
        "state": now.job.state if now.job is not None else None,
        "speed": (now.speed or {}).get("sentence"),
    }
    cli.show({"model": found.id, **facts})
