"""The work of starring answers that came with a file: waits for the file's import, then goes batch by batch."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.data import queries as data_queries
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import Stage
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.stars import importing

LOOK_EVERY_S = 0.2


class ImportedAnswersKind(LightKind):
    """Makes a run of a dataset version's good answers, all starred."""

    name: ClassVar[str] = importing.JOB_KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("star"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Raises JobFailed when the import failed, NoAnswerColumn when it is not clear what asks."""
        del stage
        params = context.job.params
        version_id = str(params["dataset_version_id"])
        if not wait_for_import(context, version_id):
            return {}
        return {"run_id": star_answers(context, version_id, params.get("prompt_version_id"))}


def star_answers(context: WorkContext, version_id: str, prompt_version_id: str | None = None) -> str:
    """The run of a version's good answers, batch by batch; it is not whole when the job was asked to stop."""
    with context.transaction() as session:
        by = author_of(session, context)
        run = importing.begin(session, version_id, prompt_version_id, by=by)
        after: int | None = importing.last_position(session, run.id)
    num_rows = max(1, run.num_rows)
    while after is not None and not context.should_stop():
        context.report(min(1.0, after / num_rows), f"{after:,} of {num_rows:,} rows")
        with context.transaction() as session:
            after = importing.add_batch(session, run, after=after, by=by)
    return run.id


def author_of(session: Session, context: WorkContext) -> Person:
    """Who asked for the job."""
    return people.one(session, context.job.created_by) or Person(context.job.created_by, "", context.job.domain)


def wait_for_import(context: WorkContext, version_id: str) -> bool:
    """True once the version is complete; False when asked to stop. Raises JobFailed, with the reason of the import."""
    while not context.should_stop():
        with context.database.reading() as session:
            version = data_queries.version(session, version_id, must_be_complete=False)
            if version.is_complete:
                return True
            job = job_queries.newest_of(session, version_id, "import")
        if job is None or JobState(job.state).is_over:
            failure = (job.failure if job is not None else None) or {}
            reason = failure.get("summary", f"It was {job.state}." if job is not None else "")
            message = f"The import of the file did not succeed. {reason}".strip()
            raise JobFailed(message, hint=failure.get("hint"), kind="import_failed")
        context.report(None, "waiting for the import of the file")
        time.sleep(LOOK_EVERY_S)
    return False
