"""The pages of batches: send a file, look at it first, see how far it is, take what is there."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse

from goldsmith.data import service as data
from goldsmith.data import stored
from goldsmith.run.batches import files, queries, service
from goldsmith.run.batches.types import Side
from goldsmith.web.answers import Before
from goldsmith.web.batches.forms import SHA256, BatchForm
from goldsmith.web.batches.found import batch_page, batches_page, new_page, preview_page, resumed
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheState
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.job_access import go_on
from goldsmith.web.pages import redirect, render

MAX_UPLOAD_BYTES = 512 * 1024 * 1024
JSONL = "application/x-ndjson"
pages = APIRouter()
Form = Annotated[Filled[BatchForm], Depends(form_of(BatchForm))]
FileName = Annotated[str, Query(max_length=255, min_length=1)]


@pages.get("/batches")
def batches(request: Request, session: ReadSession, person: CurrentPerson, before: Before = None) -> HTMLResponse:
    """Every batch, newest first."""
    return render(request, batches_page(request, session, person, before), fragment="batches/_batches.html")


@pages.get("/batches/new")
def new(request: Request, session: ReadSession) -> HTMLResponse:
    """Choose a file."""
    return render(request, new_page(session))


@pages.post("/batches/preview")
def keep(request: Request, home: TheHome, file: UploadFile) -> RedirectResponse:
    """Keep the file under its hash, and look at it. Nothing is asked."""
    upload = data.save_upload(home, file.file, file.filename or "requests.jsonl", max_bytes=MAX_UPLOAD_BYTES)
    return redirect(request, f"/batches/preview/{upload.sha256}?{urlencode({'filename': upload.filename})}")


@pages.get("/batches/preview/{sha256}")
def preview(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    home: TheHome,
    sha256: Annotated[str, Path(pattern=SHA256)],
    filename: FileName = "requests.jsonl",
) -> HTMLResponse:
    """What the file would ask, whom, and what is wrong with it."""
    return render(request, preview_page(session, home, person, sha256=sha256, filename=filename))


@pages.post("/batches")
def start(request: Request, session: Session, person: CurrentPerson, home: TheHome, form: Form) -> RedirectResponse:
    """Start it: its file is checked, then its requests are asked."""
    asked = form.usable
    upload = data.kept_upload(home, asked.upload, asked.filename)
    file = stored.keep(session, upload, purpose="batch", by=person)
    batch = service.create(session, asked.to_new(file.id), by=person)
    return redirect(request, f"/batches/{batch.id}")


@pages.get("/batches/{batch_id}")
def one_batch(request: Request, session: ReadSession, person: CurrentPerson, batch_id: str) -> HTMLResponse:
    """One batch."""
    batch = queries.one(session, batch_id, domain=person.domain)
    return render(request, batch_page(session, batch), fragment="batches/_batch.html")


@pages.get("/batches/{batch_id}/{side}.jsonl", response_class=StreamingResponse)
def download(
    state: TheState, session: ReadSession, person: CurrentPerson, batch_id: str, side: Side
) -> StreamingResponse:
    """What is there by now as a file: the answers, or what failed."""
    batch = queries.one(session, batch_id, domain=person.domain)
    pieces = files.pieces(state.database, batch.id, side, ends=batch.status if batch.is_over else None)
    headers = {"content-disposition": f'attachment; filename="{batch.id}_{side.value}.jsonl"'}
    return StreamingResponse(pieces, media_type=JSONL, headers=headers)


@pages.post("/batches/{batch_id}/cancel")
def cancel(request: Request, session: Session, person: CurrentPerson, batch_id: str) -> RedirectResponse:
    """Stop it for good; what was answered stays."""
    service.cancel(session, batch_id, by=person)
    return redirect(request, f"/batches/{batch_id}", toast="Asked to stop; the answers that are there stay.")


@pages.post("/batches/{batch_id}/resume")
def resume(request: Request, session: Session, person: CurrentPerson, batch_id: str) -> RedirectResponse:
    """Go on with the requests that have no end yet."""
    batch = queries.one(session, batch_id, domain=person.domain)
    go_on(session, resumed(session, batch), person)
    return redirect(request, f"/batches/{batch.id}", toast="Queued again; it goes on where it was.")
