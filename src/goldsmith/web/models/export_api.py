"""The API over exports of fine-tuned models."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from starlette.responses import FileResponse

from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import queries
from goldsmith.models.exports import queries as exports
from goldsmith.models.exports import service
from goldsmith.storage.files import Home
from goldsmith.web.answers import ApiAnswer, ApiBody, Id, Limit, made, not_yet
from goldsmith.web.dependencies import CurrentPerson, ReadSession, TheHome, TheState
from goldsmith.web.described import files, under_way
from goldsmith.web.waiting import wait_for_job
from goldsmith.wire.export import ExportForm

api = APIRouter()


class ExportBody(ApiBody):
    """In which form the model is taken out."""

    form: ExportForm = ExportForm.MERGED
    """`adapter`: the trained weights alone; `merged`: a whole model in 16-bit safetensors; `gguf`: the same as one file
    for llama.cpp and Ollama."""


class ExportAnswer(ApiAnswer):
    """An export, and how it was judged against the adapter's own answers. What is not made yet is null."""

    id: str
    model_id: str
    form: ExportForm
    state: JobState
    progress: float
    message: str
    is_good: bool | None
    reason: str | None
    file: str | None
    """Null too once its file was removed."""
    size_bytes: int | None
    sha256: str | None
    check: dict[str, Any] | None
    """The rows that adapter and export were asked, with both answers and the largest difference in nats."""
    download: str | None
    created_at: datetime


class ExportsAnswer(ApiAnswer):
    """A model's exports, newest first."""

    exports: list[ExportAnswer]


@api.get("/v1/fine-tuning/models/{model_id}/exports")
def list_exports(
    session: ReadSession, person: CurrentPerson, home: TheHome, model_id: Id, limit: Limit = 50
) -> ExportsAnswer:
    """What was taken out of a fine-tuned model."""
    model = queries.tuned(session, model_id, domain=person.domain)
    return ExportsAnswer(exports=[_shown(home, job) for job in exports.page(session, model, limit=limit)])


@api.post("/v1/fine-tuning/models/{model_id}/exports", status_code=201, responses=under_way(ExportAnswer))
def start_export(
    state: TheState, person: CurrentPerson, model_id: Id, body: ExportBody, response: Response
) -> ExportAnswer:
    """Take a fine-tuned model out; 202 while a job is at it."""
    with state.database.transaction() as session:
        model = queries.tuned(session, model_id, domain=person.domain)
        job = service.start(session, model, body.form, by=person)
    address = f"/v1/fine-tuning/models/{model.id}/exports/{job.id}"
    job = wait_for_job(state.database, job.id)
    if job.state == JobState.SUCCEEDED.value:
        made(response, address)
    else:
        not_yet(response, address)
    return _shown(state.home, job)


@api.get("/v1/fine-tuning/models/{model_id}/exports/{export_id}")
def one_export(session: ReadSession, person: CurrentPerson, home: TheHome, model_id: Id, export_id: Id) -> ExportAnswer:
    """One export: how far it is, and how it was judged."""
    model = queries.tuned(session, model_id, domain=person.domain)
    return _shown(home, exports.one(session, model, export_id))


@api.get(
    "/v1/fine-tuning/models/{model_id}/exports/{export_id}/download",
    response_class=FileResponse,
    responses=files("application/zip"),
)
def download_export(
    session: ReadSession, person: CurrentPerson, home: TheHome, model_id: Id, export_id: Id
) -> FileResponse:
    """Its file; one that was broken off can be gone on with, by Range."""
    model = queries.tuned(session, model_id, domain=person.domain)
    path = exports.there(home, exports.one(session, model, export_id))
    return FileResponse(path, media_type="application/zip", filename=path.name)


@api.delete("/v1/fine-tuning/models/{model_id}/exports/{export_id}/file")
def remove_export_file(
    session: ReadSession, person: CurrentPerson, home: TheHome, model_id: Id, export_id: Id
) -> ExportAnswer:
    """Free the room that its file takes; how it was judged stays on record."""
    model = queries.tuned(session, model_id, domain=person.domain)
    job = exports.one(session, model, export_id)
    service.remove(home, job)
    return _shown(home, job)


def _shown(home: Home, job: Job) -> ExportAnswer:
    result = (job.result or {}) if job.state == JobState.SUCCEEDED.value else {}
    path = exports.file_of(home, job)
    address = f"/v1/fine-tuning/models/{job.subject_id}/exports/{job.id}/download"
    return ExportAnswer(
        id=job.id,
        model_id=str(job.subject_id),
        form=ExportForm(job.params["form"]),
        state=JobState(job.state),
        progress=job.progress,
        message=job.message,
        **{name: result.get(name) for name in ("is_good", "reason", "size_bytes", "sha256", "check")},
        file=path.name if path is not None else None,
        download=address if path is not None else None,
        created_at=job.created_at,
    )
