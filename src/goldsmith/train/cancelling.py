"""Brings a cancel to the provider that nobody there has heard yet, so that nothing goes on and costs unseen.

A training that is cancelled while its program runs is cancelled there by the program. This is for the rest: one that
was paused or waited, whose program died, or whose provider did not answer in time. The same program is started once
more, told only to cancel what it has begun; again and again, until the provider says so.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from goldsmith.jobs import child
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobView, Launch
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import queries

LOOK_EVERY = timedelta(seconds=2)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)
ATTEMPT = 0
"""Its events are nobody's news: the training is over."""
ONLY_CANCEL = "GOLDSMITH_ONLY_CANCEL"
"""Tells the program to begin nothing, whatever becomes of the job meanwhile."""
_STAGE = "cancel"
log = logging.getLogger(__name__)


@dataclass
class _Try:
    """When a cancel is brought next, and how long after that."""

    at: datetime
    pause: timedelta = FIRST_PAUSE


class CancelKeeper:
    """Looks after trainings that are cancelled here and not yet at their provider."""

    name: ClassVar[str] = "cancels at providers"

    def __init__(self, database: Database, home: Home, *, launch: Callable[[JobView, JobFolder], Launch]) -> None:
        self._database = database
        self._home = home
        self._launch = launch
        self._settled: set[tuple[str, int]] = set()
        self._tries: dict[str, _Try] = {}
        self._looked_at: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Start what brings the next cancel, and note what has been heard."""
        if self._looked_at is not None and now < self._looked_at + LOOK_EVERY:
            return
        self._looked_at = now
        with self._database.reading() as session:
            found = [jobs.view(job) for job in queries.cancelled_at_provider(session)]
        for job in found:
            if (job.id, job.attempt) not in self._settled:
                self._look(job, now)

    def _look(self, job: JobView, now: datetime) -> None:
        folder = JobFolder.of(self._home, job.id)
        if child.find_by_pid_file(folder.pid_file(ATTEMPT, _STAGE)) is not None:
            return
        begun = _begun(folder)
        is_heard = bool(begun.get("is_over"))
        if is_heard or not (begun.get("is_begun") or begun.get("job")):
            self._settle(job, is_heard=is_heard)
            return
        planned = self._tries.setdefault(job.id, _Try(now))
        if now < planned.at:
            return
        self._tries[job.id] = _Try(now + planned.pause, min(2 * planned.pause, LONGEST_PAUSE))
        if planned.pause > FIRST_PAUSE:
            self._say(job, "The provider has not said yet that it stopped. It is asked again; look there, too.")
        self._start(job, folder)

    def _start(self, job: JobView, folder: JobFolder) -> None:
        launch = self._launch(replace(job, attempt=ATTEMPT), folder)
        launch = replace(launch, env={**launch.env, ONLY_CANCEL: "1"})
        pid_file = folder.pid_file(ATTEMPT, _STAGE)
        child.start(launch, log=folder.log(ATTEMPT), pid_file=pid_file)
        child.wait_for_pid_file(pid_file)  # so that the next look finds it

    def _settle(self, job: JobView, *, is_heard: bool) -> None:
        self._settled.add((job.id, job.attempt))
        self._tries.pop(job.id, None)
        if is_heard:
            self._say(job, "It is cancelled at the provider, too.")

    def _say(self, job: JobView, words: str) -> None:
        with self._database.transaction() as session:
            row = jobs.one(session, job.id)
            if row.state == JobState.CANCELLED.value:
                row.message = words


def _begun(folder: JobFolder) -> dict[str, Any]:
    """What the program wrote down; nothing where it never got so far."""
    try:
        return dict(json.loads(folder.provider.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except ValueError:
        log.exception("%s cannot be read", folder.provider)
        return {}
