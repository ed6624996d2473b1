"""`goldsmith batches`: a file of requests in, a file of answers out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from goldsmith.cli.console import Cli
from goldsmith.cli.saving import target_of
from goldsmith.cli.watching import follow
from goldsmith.data import service as data
from goldsmith.data import stored
from goldsmith.jobs import queries as jobs
from goldsmith.run.batches import files, previewing, queries, service
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import NewBatch, Side
from goldsmith.storage.files import whole_file

BatchId = Annotated[str, typer.Argument(help="A batch's id.")]
Wait = Annotated[bool, typer.Option(help="Wait until it is over.")]
commands = typer.Typer(help="Batches: a file of requests becomes a file of answers.", no_args_is_help=True)


@commands.command()
def start(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="One request a line, as OpenAI's batches have them.", exists=True, dir_okay=False)
    ],
    endpoint: Annotated[str, typer.Option(help="What every request asks for.")] = "/v1/chat/completions",
    window: Annotated[str, typer.Option(help="How long it may take: 90m, 24h, 7d.")] = "24h",
    wait: Wait = True,
) -> None:
    """Check the file, ask what it asks, and keep each answer as it comes."""
    cli: Cli = context.obj
    with file.open("rb") as stream:
        upload = data.save_upload(cli.parts.home, stream, file.name)
    with cli.transaction() as (session, person):
        kept = stored.keep(session, upload, purpose="batch", by=person)
        new = NewBatch(kept.id, kept.filename, kept.sha256, endpoint, window)
        batch = service.create(session, new, by=person).id
    if wait:
        _follow(cli, batch)
    _show(cli, batch)


@commands.command()
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="One request a line.", exists=True, dir_okay=False)],
    endpoint: Annotated[str | None, typer.Option(help="What every request asks for; default: as the first.")] = None,
) -> None:
    """Look at a file before it is sent: what it asks, whom, and what is wrong with it. Sends nothing."""
    cli: Cli = context.obj
    with cli.reading() as session:
        look = previewing.preview(session, file, domain=cli.domain, endpoint=endpoint)
    cli.show(
        {
            "file": file.name,
            "endpoint": look.endpoint,
            "requests": look.num_requests,
            "is_whole_file": look.is_whole,
            "models": {each.name or "(default)": list(each.model_ids) for each in look.models},
            "errors": [each.to_dict() for each in look.faults],
        }
    )


@commands.command("list")
def list_batches(context: typer.Context) -> None:
    """List the batches."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.page(session, domain=cli.domain)
        counts = queries.counts_of(session, found)
    rows = [
        {
            "id": batch.id,
            "file": batch.input_name,
            "status": batch.status.value,
            "done": f"{counts[batch.id].num_done} of {batch.num_requests}",
            "failed": counts[batch.id].num_failed,
        }
        for batch in found
    ]
    cli.table(rows, empty="No batches yet. Start one with: goldsmith batches start FILE")


@commands.command()
def show(context: typer.Context, batch: BatchId) -> None:
    """Show a batch: how far it is, and what is wrong with it."""
    _show(context.obj, batch)


@commands.command()
def cancel(context: typer.Context, batch: BatchId) -> None:
    """Stop for good; what was answered stays."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = service.cancel(session, batch, by=person)
    cli.show({"batch": found.id, "status": found.status.value}, f"{found.id} will stop.")


@commands.command()
def download(
    context: typer.Context,
    batch: BatchId,
    side: Annotated[Side, typer.Option("--side", help="The answers, or what failed.")] = Side.OUTPUT,
    to: Annotated[Path | None, typer.Option(help="Where to; default: BATCH_SIDE.jsonl, here.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write what is there by now to a file, whole or not at all."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.one(session, batch, domain=cli.domain)
    path = target_of(to or Path(f"{found.id}_{side.value}.jsonl"), is_overwritten=overwrite)
    ends = found.status if found.is_over else None
    num_bytes = _write(path, files.pieces(cli.parts.database, found.id, side, ends=ends))
    said = {"batch": found.id, "file": str(path), "size_bytes": num_bytes}
    cli.show(said, f"Wrote {path} ({num_bytes:,} bytes).")


def _write(path: Path, pieces: Iterator[bytes]) -> int:
    with whole_file(path) as file:
        return sum(file.write(piece) for piece in pieces)


def _follow(cli: Cli, batch_id: str) -> None:
    """Wait for one job of the batch after the other; one that failed is told with the batch."""
    while True:
        with cli.reading() as session:
            batch = queries.one(session, batch_id)
            job = jobs.one(session, batch.job_id or "")
        if batch.is_over:
            return
        follow(cli, job.id)


def _show(cli: Cli, batch_id: str) -> None:
    with cli.reading() as session:
        cli.show(_facts(session, queries.one(session, batch_id, domain=cli.domain)))


def _facts(session: Session, batch: Batch) -> dict[str, object]:
    counts = queries.counts(session, batch)
    done = {"requests": counts.num_requests, "answered": counts.num_answered, "failed": counts.num_failed}
    ends = {"output_file": batch.output_file_id, "error_file": batch.error_file_id, "errors": batch.faults}
    job = {"job": batch.job_id, "expires_at": batch.expires_at.isoformat()}
    return {"id": batch.id, "status": batch.status.value, "endpoint": batch.endpoint, **done, **ends, **job}
