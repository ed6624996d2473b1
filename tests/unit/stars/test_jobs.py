from collections.abc import Callable

import pytest

from goldsmith.data.tables import DatasetVersion
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.people.types import Person
from goldsmith.stars import importing, queries
from goldsmith.stars.jobs import ImportedAnswersKind
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

MakeContext = Callable[..., WorkContext]


@pytest.fixture
def context_for(database: Database, home: Home) -> MakeContext:
    def make(job_id: str, should_stop: Callable[[], bool] = lambda: False) -> WorkContext:
        with database.reading() as session:
            view = job_queries.view(job_queries.one(session, job_id))
        folder = JobFolder.of(home, job_id)
        return WorkContext(view, database, home, folder, should_stop, database.transaction, lambda *_: None)

    return make


def test_stopped_in_the_middle_it_goes_on_where_it_was(
    database: Database, ana: Person, make_version: Callable[..., DatasetVersion], context_for: MakeContext
) -> None:
    version = make_version([{"question": f"q{n}", "answer": "a"} for n in range(1100)], "answer")
    with database.transaction() as session:
        job = importing.start(session, version.id, by=ana)
    looks = iter([False, False, True])
    run_id = ImportedAnswersKind().work("star", context_for(job.id, lambda: next(looks)))["run_id"]
    with database.reading() as session:
        assert queries.counts(session, run_id).starred == importing.ROWS_AT_ONCE
    assert ImportedAnswersKind().work("star", context_for(job.id))["run_id"] == run_id
    with database.reading() as session:
        assert queries.counts(session, run_id).starred == 1100


def test_an_import_that_did_not_succeed_is_not_waited_for(
    database: Database, ana: Person, make_version: Callable[..., DatasetVersion], context_for: MakeContext
) -> None:
    version = make_version([{"question": "q", "answer": "a"}], "answer")
    with database.transaction() as session:
        session.get_one(DatasetVersion, version.id).is_complete = False
        job = importing.start(session, version.id, by=ana)
    with pytest.raises(JobFailed, match="did not succeed"):
        ImportedAnswersKind().work("star", context_for(job.id))
