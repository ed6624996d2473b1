"""The three jobs of a batch and what ends the time of one that waits: see the package."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.costs import Cost, Rates
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import Stage
from goldsmith.run.batches import checking, ending, queries, service
from goldsmith.run.batches.asking import Asking
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import ASK_JOB, CHECK_JOB, END_JOB, Counts, Rules
from goldsmith.run.costs import cost_of
from goldsmith.run.types import SendLimits
from goldsmith.run.waiting import ENGINE_START_S
from goldsmith.storage.database import Database

NUM_AT_ONCE = {"cpu": 16, "cuda": 128}
"""Requests at once. An engine takes more at a time, so that a chat that comes meanwhile does not wait for a place."""
LOOK_EVERY_S = 5.0


def limits_on(device: str) -> SendLimits:
    """How patient a batch is, and how much it asks at once."""
    return SendLimits(concurrency=NUM_AT_ONCE[device], timeout_s=600.0)


class _OfBatch(LightKind):
    """What the three have in common: the end of one is the beginning of the next."""

    def mirror(self, session: Session, job: Job) -> None:
        """See `service.go_on_after`."""
        service.go_on_after(session, job)


class BatchCheckKind(_OfBatch):
    """Checks a batch's file and takes its requests into the database."""

    name: ClassVar[str] = CHECK_JOB
    stages: ClassVar[tuple[Stage, ...]] = (Stage("check"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Refuse the file or take it."""
        del stage
        checking.check(context, str(context.job.params["batch_id"]))
        return {}


class BatchKind(_OfBatch):
    """Asks what a batch asks."""

    name: ClassVar[str] = ASK_JOB
    stages: ClassVar[tuple[Stage, ...]] = (Stage("ask"),)

    def __init__(
        self,
        *,
        rules: Rules,
        limits: SendLimits,
        engine_start_s: float = ENGINE_START_S,
        rates: Rates = Rates(),
    ) -> None:
        self._rates = rates
        self._rules = rules
        self._limits = limits
        self._engine_start_s = engine_start_s

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Ask what is open. Raises JobFailed when an engine stays away or every request failed."""
        del stage
        batch, counts = _look(context)
        if batch.is_over:
            return {}
        began = time.monotonic()
        Asking(context, batch, self._rules, self._limits, self._engine_start_s, counts.num_done).ask_all()
        _, counts = _look(context)
        if counts.num_open == 0 and counts.num_failed and counts.num_answered == 0:
            raise JobFailed(f"All {counts.num_failed:,} requests failed.", hint="See why in the batch's error file.")
        cost = self._cost(context, batch, time.monotonic() - began)
        return {"num_answered": counts.num_answered, "num_failed": counts.num_failed, **cost.to_result()}

    def _cost(self, context: WorkContext, batch: Batch, seconds: float) -> Cost:
        with context.database.reading() as session:
            served = queries.tokens_served(session, batch.id)
            return cost_of(session, served, self._rates, job_queries.machine_s(session, batch.id) + seconds)


def _look(context: WorkContext) -> tuple[Batch, Counts]:
    with context.database.reading() as session:
        batch = queries.one(session, str(context.job.params["batch_id"]))
        return batch, queries.counts(session, batch)


class BatchEndKind(_OfBatch):
    """Writes a batch's files and says how it ended."""

    name: ClassVar[str] = END_JOB
    stages: ClassVar[tuple[Stage, ...]] = (Stage("end"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Write the files."""
        del stage
        ending.end(context, str(context.job.params["batch_id"]))
        return {}


class BatchKeeper:
    """Ends the time of batches whose jobs wait; a worker that is at one looks at the clock itself."""

    name: ClassVar[str] = "batches"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked_at: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Look every few seconds."""
        if self._looked_at is not None and 0 <= (now - self._looked_at).total_seconds() < LOOK_EVERY_S:
            return
        self._looked_at = now
        with self._database.reading() as session:
            if not queries.too_late(session, now):
                return
        with self._database.transaction() as session:
            for batch in queries.too_late(session, now):
                service.expire(session, batch)
