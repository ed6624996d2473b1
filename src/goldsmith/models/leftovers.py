"""Removes what cancelled fetches of base models left in their job folders, which may be gigabytes, and says so.

A paused or failed one keeps everything: it goes on where it broke off. A cancelled one that is resumed after all begins
anew. The supervisor ticks it, so a home that was full of leftovers before is tidied too.
"""

import time
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select

from goldsmith.jobs import queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models.service import KIND_GGUF, KIND_HUB
from goldsmith.storage import amounts
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home, folder_size_bytes, remove_folder

LOOK_EVERY_S = 5.0
REMOVED = ".removed"


class LeftoverKeeper:
    """Looks at cancelled fetches now and then."""

    name: ClassVar[str] = "leftovers of fetched models"

    def __init__(self, database: Database, home: Home, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._database = database
        self._home = home
        self._look_every_s = look_every_s
        self._next_look = 0.0

    def tick(self, now: datetime) -> None:
        """Remove what is left of fetches that are cancelled by now."""
        del now
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + self._look_every_s
        cancelled = (Job.kind.in_((KIND_HUB, KIND_GGUF)), Job.state == JobState.CANCELLED.value)
        with self._database.reading() as session:
            ids = list(session.scalars(select(Job.id).where(*cancelled)))
        for job_id in ids:
            self._tidy(job_id)

    def _tidy(self, job_id: str) -> None:
        folder = JobFolder.of(self._home, job_id)
        aside = folder.root / REMOVED
        left = [place for place in (folder.data, folder.result) if place.exists()]
        if left:
            num_bytes = sum(map(folder_size_bytes, left))
            with self._database.transaction() as session:
                job = session.get_one(Job, job_id, with_for_update=True)
                if job.state != JobState.CANCELLED.value:  # somebody resumes it in this very moment
                    return
                aside.mkdir(mode=0o700, exist_ok=True)
                for place in left:
                    remove_folder(aside / place.name)
                    place.rename(aside / place.name)
                queue.report(
                    session, job, message=f"cancelled; what was fetched ({amounts.size(num_bytes)}) is removed"
                )
        remove_folder(aside)
