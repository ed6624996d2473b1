"""`goldsmith work JOB_ID --stage NAME`: one light stage of one job, in a process of its own, with the database.

Everything it writes goes through a transaction that first proves its lease, so a worker that slept while another
attempt took over writes nothing. The last transaction says how the stage ended; the supervisor only reads that.
"""

import logging
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from goldsmith.errors import GoldsmithError
from goldsmith.jobs import queries, queue
from goldsmith.jobs.errors import JobFailed, JobKindUnknown, LeaseLost
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import JobKind, WorkContext
from goldsmith.jobs.types import JobFailure, JobView, StageOutcome
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.storage.patience import AWAY, until_it_answers

REPORT_EVERY_S = 0.5
log = logging.getLogger(__name__)


class Worker:
    """Does one stage and says how it ended."""

    def __init__(self, database: Database, home: Home, kinds: Mapping[str, JobKind]) -> None:
        self._database = database
        self._home = home
        self._kinds = kinds
        self._is_asked_to_stop = False
        self._last_report = 0.0

    def listen_for_stop(self) -> None:
        """SIGTERM means: save and end."""
        signal.signal(signal.SIGTERM, lambda *_: self.ask_to_stop())

    def ask_to_stop(self) -> None:
        """The stage returns soon, with everything written."""
        self._is_asked_to_stop = True

    def work(self, job_id: str, stage: str, lease_number: int) -> int:
        """Do the stage. Returns the exit code: 0 when it said how it ended, 3 when the lease was lost."""
        try:
            # Nothing is done yet, so a database that is away is waited for: who ended here would be started again.
            job = until_it_answers(lambda: self._begin(job_id, lease_number))
            outcome, result = self._do(job, stage, lease_number)
            self._say(job_id, lease_number, outcome, result)
        except LeaseLost as error:
            log.warning("%s", error)
            return 3
        return 0

    def _begin(self, job_id: str, lease_number: int) -> JobView:
        with self._fenced(job_id, lease_number)() as session:
            return queries.view(queries.one(session, job_id))

    def _do(self, job: JobView, stage: str, lease_number: int) -> tuple[StageOutcome, Mapping[str, Any]]:
        try:
            result = self._kind(job.kind).work(stage, self._context(job, lease_number))
        except (LeaseLost, *AWAY):
            raise  # the database is away: to end without a word means to be started again once it is back
        except JobFailed as error:
            return StageOutcome.FAILED, JobFailure(error.kind, error.message, error.hint).to_dict()
        except GoldsmithError as error:
            return StageOutcome.FAILED, JobFailure(error.slug(), error.message, error.hint).to_dict()
        except Exception as error:
            log.exception("stage %s of job %s", stage, job.id)
            return StageOutcome.FAILED, _unexpected(error)
        return (StageOutcome.STOPPED if self._is_asked_to_stop else StageOutcome.DONE), result

    def _say(self, job_id: str, lease_number: int, outcome: StageOutcome, result: Mapping[str, Any]) -> None:
        """Write down how the stage ended; a database that is away is waited for, because the work is done."""

        def say() -> None:
            with self._fenced(job_id, lease_number)() as session:
                queue.end_stage(session, queries.one(session, job_id), outcome, result)

        until_it_answers(say)

    def _kind(self, name: str) -> JobKind:
        if name not in self._kinds:
            raise JobKindUnknown(f"There is no kind of job called {name}.")
        return self._kinds[name]

    def _context(self, job: JobView, lease_number: int) -> WorkContext:
        return WorkContext(
            job=job,
            database=self._database,
            home=self._home,
            folder=JobFolder.of(self._home, job.id),
            should_stop=lambda: self._is_asked_to_stop,
            transaction=self._fenced(job.id, lease_number),
            report=self._reporter(job.id, lease_number),
        )

    def _fenced(self, job_id: str, lease_number: int) -> Callable[[], Any]:
        @contextmanager
        def transaction() -> Iterator[Session]:
            with self._database.transaction() as session:
                queue.keep_lease(session, job_id, lease_number)
                yield session

        return transaction

    def _reporter(self, job_id: str, lease_number: int) -> Callable[[float | None, str | None], None]:
        def report(progress: float | None, message: str | None) -> None:
            if time.monotonic() - self._last_report < REPORT_EVERY_S:
                return
            self._last_report = time.monotonic()
            with self._fenced(job_id, lease_number)() as session:
                queue.report(session, queries.one(session, job_id), progress=progress, message=message)

        return report


def _unexpected(error: Exception) -> dict[str, Any]:
    tail = "".join(traceback.format_exception(error))[-4000:]
    summary = f"The program met something it did not expect: {type(error).__name__}: {error}"[:500]
    return JobFailure("unexpected", summary, "Its log has the details. Resume the job to try again.", tail).to_dict()
