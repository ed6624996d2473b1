"""A batch of chats in the database whose file lies among the uploads, and an engine that has its model."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.factories import MakeDatabase

from goldsmith.data import service as data
from goldsmith.gateway.batches import BatchRules
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.kinds import JobKind
from goldsmith.jobs.types import JobFailure
from goldsmith.jobs.worker import Worker
from goldsmith.people.types import Person
from goldsmith.run.batches import queries, service
from goldsmith.run.batches.jobs import BatchCheckKind, BatchEndKind, BatchKind
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import NewBatch
from goldsmith.run.types import SendLimits
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

CHATS = "/v1/chat/completions"
QUICK = SendLimits(concurrency=4, backoff_s=0.01, engine_wait_s=0.2)


def kinds() -> dict[str, JobKind]:
    """What `app.py` makes."""
    found: Sequence[JobKind] = (BatchCheckKind(), BatchKind(rules=BatchRules(), limits=QUICK), BatchEndKind())
    return {kind.name: kind for kind in found}


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    """As `app.py` opens it: the kinds hear of every move of their jobs."""
    return make_database(mirrors={name: kind.mirror for name, kind in kinds().items()})


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": [{"role": "user", "content": text}], **more}


def lines(*bodies: dict[str, Any], url: str = CHATS) -> bytes:
    requests = [
        {"custom_id": f"r{number}", "method": "POST", "url": url, "body": body}
        for number, body in enumerate(bodies, start=1)
    ]
    return "".join(json.dumps(each) + "\n" for each in requests).encode()


MakeBatch = Callable[..., Batch]


@pytest.fixture
def make_batch(database: Database, home: Home, ana: Person) -> MakeBatch:
    """Write a batch, as a request does."""

    def make(content: bytes, endpoint: str = CHATS, **more: Any) -> Batch:
        import io

        upload = data.save_upload(home, io.BytesIO(content), "requests.jsonl")
        new = NewBatch("file-1", "requests.jsonl", upload.sha256, endpoint, **more)
        with database.transaction() as session:
            return service.create(session, new, by=ana)

    return make


@pytest.fixture
def work_off(database: Database, home: Home) -> Callable[..., list[str]]:
    """Do every job that waits, as supervisor and workers do; returns their kinds. Ends before a job of `until`."""

    def work(until: str | None = None) -> list[str]:
        done: list[str] = []
        while True:
            with database.transaction() as session:
                waiting = [job for job in jobs.page(session, domain="local") if job.state == "queued"]
                if not waiting or waiting[-1].kind == until:
                    return done
                job = queue.claim(session, machine="here", slot=None) or queue.claim(
                    session, machine="here", slot="cpu"
                )
                assert job is not None
                queue.begin_stage(session, job, kinds()[job.kind].stages[0].name)
                queue.to_running(session, job)
            Worker(database, home, kinds()).work(job.id, job.stage or "", job.lease_number)
            with database.transaction() as session:
                found = jobs.one(session, job.id)
                if found.stage_outcome == "failed":
                    queue.fail(session, found, JobFailure(**(found.failure or {})))
                else:
                    queue.finish(session, found)
            done.append(job.kind)

    return work


@pytest.fixture
def look(database: Database) -> Callable[[Batch], Batch]:
    """The batch as it stands now."""

    def read(batch: Batch) -> Batch:
        with database.reading() as session:
            return queries.one(session, batch.id)

    return read
