"""`/v1/uploads`: OpenAI's files that come in parts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, UploadFile
from pydantic import Field

from goldsmith.data import parts
from goldsmith.data.tables import PartialUpload
from goldsmith.web.dependencies import CurrentPerson, Session, TheState
from goldsmith.web.openai import shapes
from goldsmith.web.openai.bodies import Body
from goldsmith.web.openai.files import Purpose

openai = APIRouter(prefix="/v1/uploads", tags=["OpenAI"])


class NewUpload(Body):
    """A file that is announced."""

    filename: Annotated[str, Field(min_length=1, max_length=255)]
    purpose: Purpose
    bytes: Annotated[int, Field(ge=1, le=parts.MAX_UPLOAD_BYTES)]
    """As many as all parts together have."""
    mime_type: Annotated[str, Field(min_length=1, max_length=255)]
    expires_after: dict[str, Any] | None = None
    """Taken, and goes no further: files stay until they are deleted."""


class Completion(Body):
    """The parts, in the order of the file."""

    part_ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=10_000)]
    md5: Annotated[str, Field(max_length=64)] | None = None
    """Of the whole file; checked when it is there."""


def _changing(session: Session, person: CurrentPerson, upload_id: str) -> PartialUpload:
    return parts.one(session, upload_id, domain=person.domain)


ChangingUpload = Annotated[PartialUpload, Depends(_changing)]


@openai.post("")
def create(session: Session, person: CurrentPerson, body: NewUpload) -> dict[str, Any]:
    """Announce a file."""
    upload = parts.begin(
        session, body.filename, purpose=body.purpose, size_bytes=body.bytes, mime_type=body.mime_type, by=person
    )
    return shapes.upload(upload, None)


@openai.post("/{upload_id}/parts")
def add_part(state: TheState, person: CurrentPerson, upload_id: str, data: UploadFile) -> dict[str, Any]:
    """Send a part."""
    return shapes.part(parts.add_part(state.database, state.home, upload_id, data.file, by=person))


@openai.post("/{upload_id}/complete")
def complete(state: TheState, person: CurrentPerson, upload_id: str, body: Completion) -> dict[str, Any]:
    """Put the parts together."""
    md5 = body.md5 or None
    return shapes.upload(*parts.complete(state.database, state.home, upload_id, body.part_ids, md5=md5, by=person))


@openai.post("/{upload_id}/cancel")
def cancel(session: Session, upload: ChangingUpload) -> dict[str, Any]:
    """Give it up."""
    return shapes.upload(parts.cancel(session, upload), None)
