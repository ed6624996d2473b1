"""The API over datasets: bring rows in, look at them, hide a dataset and get it back."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import orm

from goldsmith.data import previewing, queries, service
from goldsmith.data.errors import DatasetNotFound
from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.stars import importing
from goldsmith.web.answers import After, ApiAnswer, Before, Id, Limit, Name, made, not_yet
from goldsmith.web.data.incoming import BODY_SCHEMA, TheIncoming
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheState
from goldsmith.web.described import under_way
from goldsmith.web.waiting import wait_for_job

api = APIRouter(tags=["data"])


class VersionAnswer(ApiAnswer):
    """The rows of one import. They count once `is_complete`."""

    id: str
    number: int
    is_complete: bool
    columns: list[str]
    answer_column: str | None
    num_rows: int
    num_bad_rows: int
    content_hash: str | None
    source_name: str
    source_sha256: str
    created_at: datetime


class BadRowsAnswer(VersionAnswer):
    """A version with the first 200 rows that were not taken: row, column, reason."""

    bad_rows: list[Any]


class DatasetAnswer(ApiAnswer):
    """A dataset and its newest version, which may be under way."""

    id: str
    name: str
    created_by: str
    created_at: datetime
    version: VersionAnswer | None


class DatasetsAnswer(ApiAnswer):
    """Datasets, newest first; ask with `before` for more."""

    datasets: list[DatasetAnswer]
    before: str | None


class OneDatasetAnswer(ApiAnswer):
    """A dataset with all of its versions, newest first."""

    id: str
    name: str
    created_by: str
    created_at: datetime
    versions: list[BadRowsAnswer]


class ImportAnswer(ApiAnswer):
    """What became of rows that were sent; while `state` is not `succeeded`, the import is under way."""

    id: str
    """The dataset's."""
    name: str
    version: BadRowsAnswer
    state: JobState
    job_id: str
    stars_job_id: str | None
    """The job that gives stars to the good answers that came with the rows."""


class RowAnswer(ApiAnswer):
    """One row at its place, counted from 1."""

    id: str
    position: int
    content: dict[str, Any]


class RowsAnswer(ApiAnswer):
    """Rows in their order; ask with `after` for more."""

    version_id: str
    rows: list[RowAnswer]
    after: int


class PreviewAnswer(ApiAnswer):
    """The beginning of a file, as it would be imported; `upload` imports it without sending it again."""

    upload: str
    filename: str
    format: str
    encoding: dict[str, str] | None
    delimiter: str | None
    sheet: str | None
    sheets: list[str]
    columns: list[str]
    rows: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    roles: dict[str, str | None]
    is_whole_file: bool


class DeletedAnswer(ApiAnswer):
    """A dataset that is hidden. What was made from it stays."""

    id: str
    is_deleted: bool
    restore: str | None
    """Post here to get it back."""


@api.post("/v1/datasets", status_code=201, openapi_extra=BODY_SCHEMA, responses=under_way(ImportAnswer))
def add(state: TheState, person: CurrentPerson, incoming: TheIncoming, response: Response) -> ImportAnswer:
    """Bring rows in: a file, JSON rows, or pasted text. Bad rows are listed and never stop the good ones."""
    upload = incoming.keep(state.home)
    body, stars_job = incoming.body, None
    with state.database.transaction() as session:
        version, job = service.start_import(session, incoming.request(upload), by=person)
        if body.answer_column and body.star_answers:
            stars_job = importing.start(session, version.id, prompt_version_id=body.prompt_version, by=person)
    job = wait_for_job(state.database, job.id)
    made(response, f"/v1/datasets/{version.dataset_id}")
    if job.state != JobState.SUCCEEDED.value:
        not_yet(response, f"/v1/jobs/{job.id}")
    with state.database.reading() as session:
        return _imported(session, version.id, job, stars_job)


@api.get("/v1/datasets")
def list_datasets(
    session: ReadSession, person: CurrentPerson, before: Before = None, limit: Limit = 50
) -> DatasetsAnswer:
    """Datasets, newest first."""
    found = queries.page(session, domain=person.domain, before=before, limit=limit)
    more = found[-1].id if len(found) == limit else None
    return DatasetsAnswer(datasets=[_dataset(session, dataset) for dataset in found], before=more)


@api.post("/v1/datasets/preview", openapi_extra=BODY_SCHEMA)
def preview(home: TheHome, incoming: TheIncoming, num_rows: Annotated[int, Query(ge=1, le=200)] = 20) -> PreviewAnswer:
    """What a file holds and how it would be read; imports nothing."""
    upload = incoming.keep(home)
    path = service.path_of(home, upload)
    found = previewing.preview(path, filename=upload.filename, num_rows=num_rows, options=incoming.options)
    return PreviewAnswer.model_validate({**asdict(found), "upload": upload.sha256, "filename": upload.filename})


@api.get("/v1/datasets/{dataset_id}")
def one(session: ReadSession, person: CurrentPerson, dataset_id: Id) -> OneDatasetAnswer:
    """A dataset with its versions."""
    dataset = queries.one(session, dataset_id, domain=person.domain)
    versions = [BadRowsAnswer.model_validate(version) for version in queries.versions(session, dataset.id)]
    return OneDatasetAnswer(**_shown(dataset), versions=versions)


@api.get("/v1/datasets/{dataset_id}/rows")
def rows(
    session: ReadSession,
    person: CurrentPerson,
    dataset_id: Id,
    version: Name | None = None,
    after: After = 0,
    limit: Limit = 50,
) -> RowsAnswer:
    """Rows of the newest complete version, or of the one that is named."""
    dataset = queries.one(session, dataset_id, domain=person.domain)
    found = _version(session, dataset, version)
    some = queries.rows(session, found.id, after=after, limit=limit)
    shown = [RowAnswer.model_validate(row) for row in some]
    return RowsAnswer(version_id=found.id, rows=shown, after=shown[-1].position if shown else after)


@api.delete("/v1/datasets/{dataset_id}")
def remove(session: Session, person: CurrentPerson, dataset_id: Id) -> DeletedAnswer:
    """Hide a dataset; what was made from it stays."""
    dataset = queries.one(session, dataset_id, domain=person.domain)
    service.delete(session, dataset.id, by=person)
    return DeletedAnswer(id=dataset.id, is_deleted=True, restore=f"/v1/datasets/{dataset.id}/restore")


@api.post("/v1/datasets/{dataset_id}/restore")
def restore(session: Session, person: CurrentPerson, dataset_id: Id) -> DeletedAnswer:
    """Show a hidden dataset again."""
    service.restore(session, dataset_id, by=person)
    return DeletedAnswer(id=dataset_id, is_deleted=False, restore=None)


def _shown(dataset: Dataset) -> dict[str, Any]:
    return {name: getattr(dataset, name) for name in ("id", "name", "created_by", "created_at")}


def _dataset(session: orm.Session, dataset: Dataset) -> DatasetAnswer:
    newest = next(iter(queries.versions(session, dataset.id)), None)
    version = VersionAnswer.model_validate(newest) if newest is not None else None
    return DatasetAnswer(**_shown(dataset), version=version)


def _version(session: orm.Session, dataset: Dataset, version_id: str | None) -> DatasetVersion:
    if version_id is None:
        return queries.newest_version(session, dataset.id)
    found = queries.version(session, version_id)
    if found.dataset_id != dataset.id:
        raise DatasetNotFound(f"{dataset.name} has no version {version_id}.")
    return found


def _imported(session: orm.Session, version_id: str, job: Job, stars_job: Job | None) -> ImportAnswer:
    version = queries.version(session, version_id, must_be_complete=False)
    dataset = session.get_one(Dataset, version.dataset_id)
    return ImportAnswer(
        id=dataset.id,
        name=dataset.name,
        version=BadRowsAnswer.model_validate(version),
        state=JobState(job.state),
        job_id=job.id,
        stars_job_id=stars_job.id if stars_job is not None else None,
    )
