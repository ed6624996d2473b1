"""The API over what was kept at OpenAI: look at uploaded files, and bring in what can be brought."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from goldsmith.connect.openai import moving
from goldsmith.connect.openai.types import FileKind, PartKind, Plan
from goldsmith.data.types import Upload
from goldsmith.web.answers import ApiAnswer, ApiBody, not_yet
from goldsmith.web.dependencies import CurrentPerson, Session, TheHome
from goldsmith.web.described import under_way
from goldsmith.web.moving.found import planned
from goldsmith.web.openai import found as openai_files

api = APIRouter(tags=["openai"])


class MoveBody(ApiBody):
    """Files that were uploaded to `/v1/files`, whatever their purpose."""

    files: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=200)]
    dry_run: bool = False
    """Say what would become of them, and make nothing."""
    star_answers: bool = False
    """Star the answers of batches and stored completions, too: nobody has looked at them yet."""


class MovedFileAnswer(ApiAnswer):
    """One file, as it was recognised."""

    filename: str
    holds: FileKind
    used_for: str
    """The name of the part that it belongs to; empty: nothing is made of it."""


class MovePartAnswer(ApiAnswer):
    """One thing that is made of the files."""

    name: str
    kind: PartKind
    becomes: str
    notes: list[str]
    """What has no counterpart here."""


class MoveAnswer(ApiAnswer):
    """What becomes of the files. With a `job_id` it is being made; the job's result says what came of it."""

    files: list[MovedFileAnswer]
    parts: list[MovePartAnswer]
    notes: list[str]
    job_id: str | None

    @classmethod
    def of(cls, plan: Plan, job_id: str | None = None) -> "MoveAnswer":
        """A plan as the API shows it."""
        files = [
            MovedFileAnswer(filename=seen.upload.filename, holds=seen.kind, used_for=seen.used_for)
            for seen in plan.files
        ]
        parts = [MovePartAnswer.model_validate(part) for part in plan.parts]
        return cls(files=files, parts=parts, notes=list(plan.notes), job_id=job_id)


@api.post("/v1/openai-imports", responses=under_way(MoveAnswer))
def bring(session: Session, person: CurrentPerson, home: TheHome, body: MoveBody, response: Response) -> MoveAnswer:
    """Make datasets, prompts, stars, exams and training sets of files of OpenAI's; 202 while it is under way."""
    stored = [openai_files.file(session, file_id, domain=person.domain) for file_id in dict.fromkeys(body.files)]
    plan = planned(home, [Upload(each.sha256, each.filename, each.size_bytes) for each in stored])
    if body.dry_run:
        return MoveAnswer.of(plan)
    job = moving.start(session, plan.starring_all() if body.star_answers else plan, by=person)
    not_yet(response, f"/v1/jobs/{job.id}")
    return MoveAnswer.of(plan, job.id)
