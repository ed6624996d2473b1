"""`/v1/files`: OpenAI's files. They are kept under the hash of their bytes, beside the originals of datasets."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, UploadFile
from starlette.responses import FileResponse

from goldsmith.data import service, stored
from goldsmith.data.tables import StoredFile
from goldsmith.data.types import Upload
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome
from goldsmith.web.described import files as file_answers
from goldsmith.web.openai import found, shapes
from goldsmith.web.openai.errors import StoredBytesMissing

MAX_UPLOAD_BYTES = 512 * 1024 * 1024
"""As much as OpenAI takes in one file."""
openai = APIRouter(prefix="/v1/files", tags=["OpenAI"])
Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]


def _read(session: ReadSession, person: CurrentPerson, file_id: str) -> StoredFile:
    return found.file(session, file_id, domain=person.domain)


def _changing(session: Session, person: CurrentPerson, file_id: str) -> StoredFile:
    return found.file(session, file_id, domain=person.domain)


@openai.post("")
def create(
    session: Session, person: CurrentPerson, home: TheHome, file: UploadFile, purpose: Annotated[Purpose, Form()]
) -> dict[str, Any]:
    """Keep a file."""
    name = file.filename or "file"
    upload = service.save_upload(home, file.file, name, max_bytes=MAX_UPLOAD_BYTES)
    return shapes.file(stored.keep(session, upload, purpose=purpose, by=person))


@openai.get("")
def list_files(
    session: ReadSession,
    person: CurrentPerson,
    *,
    purpose: str | None = None,
    after: Annotated[str | None, Query(max_length=64, description="The last id of the page before.")] = None,
    order: Literal["asc", "desc"] = "desc",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
) -> dict[str, Any]:
    """Files."""
    files = found.files(
        session,
        domain=person.domain,
        purpose=purpose,
        after=after,
        is_newest_first=order == "desc",
        limit=limit + 1,
    )
    return shapes.page([shapes.file(each) for each in files], limit=limit)


@openai.get("/{file_id}")
def one_file(file: Annotated[StoredFile, Depends(_read)]) -> dict[str, Any]:
    """One file, without its bytes."""
    return shapes.file(file)


@openai.get("/{file_id}/content", response_class=FileResponse, responses=file_answers("application/octet-stream"))
def content(home: TheHome, file: Annotated[StoredFile, Depends(_read)]) -> FileResponse:
    """The bytes of a file, always as a download."""
    path = service.path_of(home, Upload(file.sha256, file.filename, file.size_bytes))
    if not path.is_file():
        raise StoredBytesMissing(f"The bytes of {file.filename} are not in the home folder any more.")
    return FileResponse(path, media_type="application/octet-stream", filename=file.filename)


@openai.delete("/{file_id}")
def delete(session: Session, file: Annotated[StoredFile, Depends(_changing)]) -> dict[str, Any]:
    """Forget a file."""
    stored.forget(session, file)
    return {"id": file.id, "object": "file", "deleted": True}
