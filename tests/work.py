"""What a worker hands to a stage of a job, for tests that do the work of a worker themselves."""

from collections.abc import Callable

from goldsmith.jobs import queries
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


def context_of(
    database: Database, home: Home, job_id: str, should_stop: Callable[[], bool] = lambda: False
) -> WorkContext:
    """The context of a job as it stands; transactions are not fenced, and reports go nowhere."""
    with database.reading() as session:
        job = queries.view(queries.one(session, job_id))
    folder = JobFolder.of(home, job_id)
    return WorkContext(job, database, home, folder, should_stop, database.transaction, lambda *_: None)
