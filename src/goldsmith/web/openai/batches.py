"""`/v1/batches`: OpenAI's batches, and what of their files is there already."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import StreamingResponse

from goldsmith.data import service as data
from goldsmith.run.batches import files, previewing, queries, service
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import Side
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheState
from goldsmith.web.described import files as file_answers
from goldsmith.web.openai import batch_shapes as shapes
from goldsmith.web.openai import found
from goldsmith.web.openai.shapes import page

openai = APIRouter(prefix="/v1/batches", tags=["OpenAI"])
JSONL = "application/x-ndjson"


def _read(session: ReadSession, person: CurrentPerson, batch_id: str) -> Batch:
    return queries.one(session, batch_id, domain=person.domain)


ReadBatch = Annotated[Batch, Depends(_read)]


@openai.post("")
def create(session: Session, person: CurrentPerson, body: shapes.NewBatchBody) -> dict[str, Any]:
    """Queue a batch."""
    file = found.file(session, body.input_file_id, domain=person.domain)
    batch = service.create(session, body.to_new(file), by=person)
    return shapes.batch(batch, queries.counts(session, batch))


@openai.post("/preview")
def preview(session: ReadSession, home: TheHome, person: CurrentPerson, body: shapes.PreviewBody) -> dict[str, Any]:
    """What the beginning of a file asks, and what is wrong with it. Nothing is queued."""
    file = found.file(session, body.input_file_id, domain=person.domain)
    upload = data.kept_upload(home, file.sha256, file.filename)
    look = previewing.preview(session, data.path_of(home, upload), domain=person.domain, endpoint=body.endpoint)
    return shapes.look(look)


@openai.get("")
def list_batches(
    session: ReadSession,
    person: CurrentPerson,
    after: Annotated[str | None, Query(max_length=64, description="The last id of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """Batches, newest first."""
    batches = queries.page(session, domain=person.domain, before=after, limit=limit + 1)
    counts = queries.counts_of(session, batches)
    return page([shapes.batch(batch, counts[batch.id]) for batch in batches], limit=limit)


@openai.get("/{batch_id}")
def one_batch(session: ReadSession, batch: ReadBatch) -> dict[str, Any]:
    """One batch."""
    return shapes.batch(batch, queries.counts(session, batch))


@openai.post("/{batch_id}/cancel")
def cancel(session: Session, person: CurrentPerson, batch_id: str) -> dict[str, Any]:
    """Stop a batch; what was answered stays."""
    batch = service.cancel(session, batch_id, by=person)
    return shapes.batch(batch, queries.counts(session, batch))


@openai.get("/{batch_id}/output", response_class=StreamingResponse, responses=file_answers(JSONL))
def output(state: TheState, batch: ReadBatch) -> StreamingResponse:
    """The answers that are there by now, in the form of the output file."""
    return _download(files.pieces(state.database, batch.id, Side.OUTPUT), f"{batch.id}_output.jsonl")


@openai.get("/{batch_id}/errors", response_class=StreamingResponse, responses=file_answers(JSONL))
def errors(state: TheState, batch: ReadBatch) -> StreamingResponse:
    """What has failed by now, in the form of the error file."""
    return _download(files.pieces(state.database, batch.id, Side.ERRORS), f"{batch.id}_error.jsonl")


def _download(pieces: Iterator[bytes], name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type=JSONL, headers=headers)
