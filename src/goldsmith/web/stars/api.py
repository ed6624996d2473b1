"""The API over gold stars: mark answers, one or many, and export what is starred as a training set."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import FileResponse

from goldsmith.connect import queries as origins
from goldsmith.connect.syncing import queries as synced
from goldsmith.run import queries as run_queries
from goldsmith.stars import cures, queries, service
from goldsmith.stars.errors import TrainingSetNotFound
from goldsmith.stars.types import Side
from goldsmith.web.answers import After, Before, Id, Limit, made
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheSources
from goldsmith.web.described import files
from goldsmith.web.marks import MarkAnswer
from goldsmith.web.stars import exporting
from goldsmith.web.stars.answers import (
    BulkAnswer,
    BulkBody,
    CountsAnswer,
    ExampleAnswer,
    ExamplesAnswer,
    ExampleSource,
    ExportBody,
    MarkBody,
    MarksAnswer,
    OneTrainingSetAnswer,
    TrainingSetAnswer,
    TrainingSetsAnswer,
    UndoneAnswer,
    Verb,
    WithoutBody,
)

api = APIRouter(tags=["gold stars"])
NOTHING = MarkBody()
TheSide = Annotated[Side, Query(description="Rows to learn from, or rows of the exam.")]


class SetFile(StrEnum):
    """The files of a training set."""

    LEARN = "learn.jsonl"
    EXAM = "exam.jsonl"
    MANIFEST = "manifest.json"


@api.post("/v1/answers/{answer_id}/{verb}")
def mark(
    session: Session, person: CurrentPerson, answer_id: Id, verb: Verb, body: MarkBody | None = None
) -> MarkAnswer:
    """Star an answer, mark it bad, correct it, take either back; saying it twice changes nothing."""
    request = (body or NOTHING).request(verb)
    return MarkAnswer.model_validate(service.mark(session, answer_id, request, by=person, via="api"))


@api.get("/v1/answers/{answer_id}/marks")
def marks(session: ReadSession, person: CurrentPerson, answer_id: Id) -> MarksAnswer:
    """Everything that was ever said about an answer."""
    answer = run_queries.answer(session, answer_id, domain=person.domain)
    return MarksAnswer(marks=[MarkAnswer.model_validate(each) for each in queries.history(session, answer.id)])


@api.post("/v1/training-sets/{set_id}/without", status_code=201)
def leave_out(
    session: Session, person: CurrentPerson, home: TheHome, set_id: Id, body: WithoutBody, response: Response
) -> TrainingSetAnswer:
    """A set of the same stars without the rows that these checks have found; the old one stays as it is."""
    found = cures.without(session, home, set_id, body.checks, name=body.name, by=person)
    made(response, f"/v1/training-sets/{found.id}")
    return TrainingSetAnswer.of(found)


@api.post("/v1/runs/{run_id}/stars/preview")
def preview_bulk(session: ReadSession, person: CurrentPerson, run_id: Id, body: BulkBody) -> BulkAnswer:
    """What a rule would touch; marks nothing."""
    return BulkAnswer.model_validate(service.bulk_preview(session, body.request(run_id), by=person))


@api.post("/v1/runs/{run_id}/stars/apply")
def apply_bulk(session: Session, person: CurrentPerson, run_id: Id, body: BulkBody) -> BulkAnswer:
    """Apply a rule to many answers. What a person has marked already is never touched."""
    return BulkAnswer.model_validate(service.bulk_apply(session, body.request(run_id), by=person))


@api.post("/v1/runs/{run_id}/stars/undo")
def undo_bulk(session: Session, person: CurrentPerson, run_id: Id) -> UndoneAnswer:
    """Take back what your last rule over the run marked; what somebody has marked since then stays."""
    return UndoneAnswer(num_undone=service.undo_bulk(session, run_id, by=person))


@api.get("/v1/runs/{run_id}/stars/counts")
def counts(session: ReadSession, person: CurrentPerson, run_id: Id) -> CountsAnswer:
    """How many answers are starred, bad, failed …"""
    run = run_queries.one(session, run_id, domain=person.domain)
    return CountsAnswer.model_validate(queries.counts(session, run.id))


@api.post("/v1/fine-tuning/datasets/export", status_code=201)
def export_stars(
    session: Session, person: CurrentPerson, home: TheHome, sources: TheSources, body: ExportBody, response: Response
) -> TrainingSetAnswer:
    """Make a training set of the gold stars, given here or in Aristotle; the same stars give the same set."""
    answer = exporting.export(session, home, body, sources=sources, by=person)
    made(response, f"/v1/training-sets/{answer.id}")
    return answer


@api.get("/v1/training-sets")
def list_sets(
    session: ReadSession, person: CurrentPerson, before: Before = None, limit: Limit = 50
) -> TrainingSetsAnswer:
    """Training sets, newest first."""
    found = queries.training_sets(session, domain=person.domain, before=before, limit=limit)
    shown = [TrainingSetAnswer.of(each) for each in found]
    return TrainingSetsAnswer(training_sets=shown, before=found[-1].id if len(found) == limit else None)


@api.get("/v1/training-sets/{set_id}")
def one_set(session: ReadSession, person: CurrentPerson, set_id: Id) -> OneTrainingSetAnswer:
    """A training set with its manifest."""
    found = queries.training_set(session, set_id, domain=person.domain)
    files = [f"/v1/training-sets/{found.id}/files/{name.value}" for name in SetFile]
    shown = TrainingSetAnswer.of(found).model_dump()
    return OneTrainingSetAnswer(**shown, files=files, manifest=found.manifest)


@api.get("/v1/training-sets/{set_id}/rows")
def set_rows(
    session: ReadSession,
    person: CurrentPerson,
    set_id: Id,
    side: TheSide = Side.learn,
    after: After = 0,
    limit: Limit = 50,
) -> ExamplesAnswer:
    """The examples of one side, in their order."""
    found = queries.training_set(session, set_id, domain=person.domain)
    rows = queries.training_set_rows(session, found.id, side.value, after=after, limit=limit)
    row_ids = [row.row_id for row in rows]
    conquests = origins.external_ids(session, row_ids)
    sources = {key: ExampleSource.model_validate(each) for key, (each, _) in synced.origins(session, row_ids).items()}
    shown = [ExampleAnswer.of(row, conquests.get(row.row_id), sources.get(row.row_id)) for row in rows]
    return ExamplesAnswer(rows=shown, after=shown[-1].position if shown else after)


@api.get(
    "/v1/training-sets/{set_id}/files/{name}",
    response_class=FileResponse,
    responses=files("application/octet-stream"),
)
def set_file(session: ReadSession, person: CurrentPerson, home: TheHome, set_id: Id, name: SetFile) -> FileResponse:
    """One of a training set's files, as it was exported."""
    found = queries.training_set(session, set_id, domain=person.domain)
    path = home.root / found.folder / name.value
    if not path.is_file():
        raise TrainingSetNotFound(f"The file {name.value} of {found.name} is gone.", hint="Export the stars again.")
    return FileResponse(path, media_type="application/octet-stream", filename=f"{found.id}-{name.value}")
