"""The work of starring answers that came with a file: waits for the file's import, then goes batch by batch."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

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
        if not _wait_for_import(context, str(params["dataset_version_id"])):
            return {}
        with context.transaction() as session:
            by = people.one(session, context.job.created_by) or Person(context.job.created_by, "", context.job.domain)
            run = importing.begin(session, str(params["dataset_version_id"]), params.get("prompt_version_id"), by=by)
            after: int | None = importing.last_position(session, run.id)
        num_rows = max(1, run.num_rows)
        while after is not None and not context.should_stop():
            context.report(min(1.0, after / num_rows), f"{after:,} of {num_rows:,} rows")
            with context.transaction() as session:
                after = importing.add_batch(session, run, after=after, by=by)
        return {"run_id": run.id}


def _wait_for_import(context: WorkContext, version_id: str) -> bool:
    """True once the version is complete; False when asked to stop."""
    while not context.should_stop():
        with context.database.reading() as session:
            version = data_queries.version(session, version_id, must_be_complete=False)
            if version.is_complete:
                return True
            job = job_queries.newest_of(session, version_id, "import")
        if job is None or JobState(job.state).is_over:
            raise JobFailed("The import of the file did not succeed.", kind="import_failed")
        context.report(None, "waiting for the import of the file")
        time.sleep(LOOK_EVERY_S)
    return False
