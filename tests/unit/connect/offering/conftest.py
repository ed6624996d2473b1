"""A source with tasks that a stand-in keeps, and runs over its rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.factories import make_answer, make_job, make_prompt_version, make_run
from tests.label_studio_stand_in import PROJECT, TOKEN, Studio, serving
from tests.syncing import Syncs
from tests.work import context_of

from goldsmith.connect.offering import queries, service
from goldsmith.connect.offering.jobs import OfferKind
from goldsmith.connect.offering.tables import SourceOffer
from goldsmith.data import queries as data
from goldsmith.data.tables import DatasetVersion
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.people.types import Person
from goldsmith.run import queries as runs
from goldsmith.run.tables import Answer
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


@dataclass
class Offers:
    """Labels a project, reads it, and offers answers to it."""

    syncs: Syncs
    studio: Studio

    def connect(self, num: int = 3, **options: Any) -> str:
        """A project with that many tasks, read once."""
        for number in range(1, num + 1):
            self.studio.put(number, question=f"{number}?")
        place = {"address": self.studio.url, "project": PROJECT, "token": TOKEN}
        connection = self.syncs.connect("label_studio", {**place, **options}, question_column="question")
        self.syncs.sync(connection.id)
        return connection.id

    def run(self, connection_id: str, texts: Mapping[int, str] | None = None, **changed: Any) -> str:
        """A run that has ended, with an answer to each row, or to some."""
        version_id = self.syncs.rows(connection_id)[0].dataset_version_id
        with self.syncs.database.transaction() as session:
            run = make_run(session, session.get_one(DatasetVersion, version_id), make_prompt_version(session))
            for row in data.rows(session, version_id, limit=1000):
                if texts is None or row.position in texts:
                    make_answer(session, run, row, texts[row.position] if texts else f"answer {row.position}")
            job = make_job(session, kind="run")
            run.job_id = job.id
            self.succeed(session, job)
            for name, value in changed.items():
                setattr(run, name, value)
            return run.id

    def answers(self, run_id: str) -> list[Answer]:
        with self.syncs.database.reading() as session:
            return [each.answer for each in runs.answers(session, run_id)]

    def offer(self, connection_id: str, run_id: str) -> SourceOffer:
        """Queue it and do its work."""
        with self.syncs.database.transaction() as session:
            job_id = service.offer(session, connection_id, run_id, by=self.syncs.person)[1].id
        return self.work(job_id)

    def work(self, job_id: str, should_stop: Any = lambda: False) -> SourceOffer:
        context = context_of(self.syncs.database, self.syncs.home, job_id, should_stop)
        OfferKind(self.syncs.surroundings).work("offer", context)
        with self.syncs.database.transaction() as session:
            if not should_stop():
                self.succeed(session, jobs.one(session, job_id))
            return queries.offer_of(session, job_id)

    def succeed(self, session: Any, job: Any) -> None:
        for state in (JobState.STARTING, JobState.RUNNING):
            queue.move(session, job, state, "at work")
        queue.finish(session, job)


@pytest.fixture
def offers(database: Database, home: Home, person: Person, tmp_path: Path) -> Iterator[Offers]:
    with serving() as studio:
        yield Offers(Syncs(database, home, person, tmp_path / "source"), studio)
