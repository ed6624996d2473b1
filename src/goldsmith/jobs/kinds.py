"""What a step offers to the supervisor: kinds of jobs, which have an end, and keepers, which have none.

`app.py` hands both mappings over; nothing here knows a concrete one.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy.orm import Session

from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobView, Launch, Stage
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire.events import Event


@dataclass(frozen=True)
class WorkContext:
    """What a light stage gets: its job, the database, and the means to be watched and stopped."""

    job: JobView
    database: Database
    home: Home
    folder: JobFolder
    should_stop: Callable[[], bool]
    """True once somebody asked; then return soon, with everything written, and raise nothing."""
    transaction: Callable[[], AbstractContextManager[Session]]
    """A transaction that fails with LeaseLost when a newer attempt has taken over. Write through this alone."""
    report: Callable[[float | None, str | None], None]
    """How far it is (0 to 1) and a sentence; both may be None. Cheap: writes at most twice a second."""


class JobKind(Protocol):
    """A kind of job: its stages in order, and what each does."""

    name: ClassVar[str]
    stages: ClassVar[tuple[Stage, ...]]

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Do a light stage, in a worker process of its own.

        Started again after any death: begin where the database says. The mapping is merged into the job's result. Raise
        JobFailed (or any GoldsmithError) to fail with a sentence.
        """
        ...

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        """What to start for a heavy stage. Pure."""
        ...

    def on_event(self, session: Session, job: Job, event: Event) -> None:
        """Apply what a heavy child reported, in the transaction that records it; called once for each event."""
        ...

    def mirror(self, session: Session, job: Job) -> None:
        """Keep a copy of the job's state in the step's own table, in the same transaction. Most do nothing."""
        ...


class LightKind:
    """A kind with light stages only: no launch, no events, no mirror. Subclasses have `name`, `stages` and `work`."""

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        """There is no heavy stage."""
        del folder
        raise NotImplementedError(f"{job.kind} has no heavy stage")

    def on_event(self, session: Session, job: Job, event: Event) -> None:
        """No child reports anything."""

    def mirror(self, session: Session, job: Job) -> None:
        """Nothing else keeps its state."""


class Keeper(Protocol):
    """Something that is never finished: compares what should be with what is, and acts."""

    name: ClassVar[str]

    def tick(self, now: datetime) -> None:
        """One look, at most 2 s, every 200 ms, in a thread of its own. Anything raised is logged, and it goes on."""
        ...
