"""Gathers from the queries of several steps what one page of datasets shows."""

from fastapi import Request
from sqlalchemy import orm

from goldsmith.data import queries
from goldsmith.data.errors import DatasetNotFound
from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.people.types import Person
from goldsmith.run import queries as runs
from goldsmith.stars import importing
from goldsmith.storage.ids import Prefix
from goldsmith.web.data.views import (
    DatasetPage,
    DatasetsPage,
    dataset_line,
    heads_of,
    jobs_shown,
    shown,
    version_line,
)
from goldsmith.web.format import number
from goldsmith.web.job_lines import job_line
from goldsmith.web.listing import Head, Pager, with_query
from goldsmith.web.origins import addresses_of

PAGE_SIZE = 50
ROWS_A_PAGE = 20
_HEADS = (Head("Dataset"), Head("State"), Head("Rows", is_number=True), Head("Good answers in"), Head("Brought in"))


def datasets_page(request: Request, session: orm.Session, person: Person, before: str | None) -> DatasetsPage:
    """The list."""
    found = queries.page(session, domain=person.domain, before=before, limit=PAGE_SIZE + 1)
    some = found[:PAGE_SIZE]
    newest = queries.newest_versions(session, [dataset.id for dataset in some])
    more = with_query(request, before=some[-1].id) if len(found) > PAGE_SIZE else None
    back = with_query(request, before=None) if before else None
    lines = [
        dataset_line(dataset, newest.get(dataset.id), import_of(session, newest.get(dataset.id))) for dataset in some
    ]
    return DatasetsPage(
        title="Data",
        datasets=tuple(lines),
        deleted=tuple((each.id, each.name, each.deleted_at) for each in queries.deleted(session, domain=person.domain)),
        heads=_HEADS,
        pager=Pager(f"{len(lines)} shown, newest first", back, more),
        address=with_query(request),
    )


def dataset_of(session: orm.Session, name: str, person: Person) -> Dataset:
    """The dataset with this id, or the one of the version with this id. Raises DatasetNotFound."""
    if name.startswith(f"{Prefix.DATASET_VERSION.value}_"):
        name = queries.version(session, name, must_be_complete=False).dataset_id
    return queries.one(session, name, domain=person.domain)


def dataset_page(
    request: Request, session: orm.Session, dataset: Dataset, version_id: str | None, after: int
) -> DatasetPage:
    """One dataset with some rows of one of its versions."""
    versions = queries.versions(session, dataset.id)
    version = _shown_version(versions, version_id)
    rows = queries.rows(session, version.id, after=after, limit=ROWS_A_PAGE) if version else []
    columns = [str(column) for column in version.columns] if version else []
    origins = {row_id: address for row_id, (address, _) in addresses_of(session, [row.id for row in rows]).items()}
    jobs = [job for job in (_jobs(session, versions[0]) if versions else []) if job is not None]
    failed = next((job for job in jobs if job.failure and job.state == JobState.FAILED.value), None)
    return DatasetPage(
        title=dataset.name,
        id=dataset.id,
        version=version,
        versions=tuple(version_line(each, import_of(session, each), version) for each in versions),
        jobs=jobs_shown([job for job in jobs if job is not failed]),
        failure=JobFailure(**failed.failure) if failed is not None and failed.failure else None,
        failed_job=job_line(failed) if failed is not None else None,
        bad_rows=tuple(version.bad_rows[:PAGE_SIZE]) if version else (),
        failed_rows=tuple(versions[0].bad_rows[:PAGE_SIZE]) if failed is not None else (),
        heads=heads_of(columns),
        rows=tuple(
            (row.position, tuple(shown(row.content.get(name, "")) for name in columns), origins.get(row.id, ""))
            for row in rows
        ),
        pager=_pager(request, version, after, len(rows)),
        live=" ".join(job.id for job in jobs if not JobState(job.state).is_over),
        address=with_query(request),
        num_stars=_num_stars(jobs, version),
        num_runs=runs.num_of_dataset(session, dataset.id),
    )


def import_of(session: orm.Session, version: DatasetVersion | None) -> Job | None:
    """The import that fills a version; not asked for one that is complete."""
    if version is None or version.is_complete:
        return None
    return job_queries.newest_of(session, version.id, "import")


def _jobs(session: orm.Session, version: DatasetVersion) -> list[Job | None]:
    return [import_of(session, version), job_queries.newest_of(session, version.id, importing.JOB_KIND)]


def _num_stars(jobs: list[Job], version: DatasetVersion | None) -> int:
    is_starred = any(job.kind == importing.JOB_KIND and job.state == JobState.SUCCEEDED.value for job in jobs)
    return version.num_rows if version is not None and is_starred else 0


def _shown_version(versions: list[DatasetVersion], version_id: str | None) -> DatasetVersion | None:
    complete = [version for version in versions if version.is_complete]
    if version_id is None:
        return complete[0] if complete else None
    for version in complete:
        if version.id == version_id:
            return version
    raise DatasetNotFound(f"This dataset has no complete version {version_id}.")


def _pager(request: Request, version: DatasetVersion | None, after: int, num_shown: int) -> Pager:
    total = version.num_rows if version else 0
    sentence = f"{number(after + 1)} to {number(after + num_shown)} of {number(total)}" if num_shown else "No rows here"
    back = with_query(request, after=max(0, after - ROWS_A_PAGE) or None) + "#rows" if after else None
    more = with_query(request, after=after + ROWS_A_PAGE) + "#rows" if after + num_shown < total else None
    return Pager(sentence, back, more)
