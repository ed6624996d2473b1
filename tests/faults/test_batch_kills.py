"""A batch whose worker is killed -9 again and again: every request is answered, none is written twice."""

import io
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.faults.processes import wait_until
from tests.postgresql import run_sql
from tests.unit.run.conftest import BASE_ID

from goldsmith import app
from goldsmith.data import service as data
from goldsmith.data.tables import StoredFile
from goldsmith.jobs import child
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.types import ChildId
from goldsmith.models.tables import BaseModel
from goldsmith.people import service as people
from goldsmith.run.batches import queries, service
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import ASK_JOB, NewBatch
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.settings import Settings
from goldsmith.testing import FakeEngine

pytestmark = [pytest.mark.long, pytest.mark.enable_socket, pytest.mark.xdist_group("kills")]

NUM_REQUESTS = 240
NUM_KILLS = 4
WITHIN_S = 120.0


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[app.Parts]:
    """A home with a migrated database, as worker processes want it."""
    url: str | None = None
    if request.param == "postgresql":
        server, name = request.getfixturevalue("postgresql_server"), f"goldsmith_batch_kills_{uuid4().hex[:12]}"
        run_sql(server, f"CREATE DATABASE {name}")
        url = f"{server}/{name}"
    found = app.assemble(Settings(home=tmp_path / "home", database_url=url))
    app.prepare_database(found)
    yield found
    found.database.dispose()
    if url is not None:
        run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def supervised(parts: app.Parts) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=app.make_supervisor(parts).run, args=(stop, []), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(timeout=10)


def attach(parts: app.Parts, url: str) -> None:
    """A base model that an engine has."""
    with parts.database.transaction() as session:
        by = people.known_by_name(session, "Ada")
        owned: dict[str, Any] = {"domain": by.domain, "created_by": by.id}
        files: dict[str, Any] = {"source": "builtin", "folder": "models/tiny", "content_hash": "0" * 64}
        facts: dict[str, Any] = {"size_bytes": 1, "num_parameters": 1, "context_length": 2048, "end_marker": "<end>"}
        session.add(BaseModel(id=BASE_ID, name="tiny", template_hash="0" * 64, **files, **facts, **owned))
        session.flush()
        engine = Engine(id="eng_1", name="theirs", kind="attached", base_model_id=BASE_ID, url=url, **owned)
        engine.state, engine.is_wanted = "ready", True
        session.add(engine)
        session.flush()
        deployment = Deployment(id="dep_1", model_id=BASE_ID, engine_id="eng_1", **owned)
        deployment.state, deployment.generation, deployment.is_wanted = "loaded", engine.generation, True
        session.add(deployment)


def start(parts: app.Parts) -> Batch:
    requests = [
        {
            "custom_id": f"r{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "tiny", "messages": [{"role": "user", "content": f"m{number}"}]},
        }
        for number in range(NUM_REQUESTS)
    ]
    content = "".join(json.dumps(each) + "\n" for each in requests).encode()
    upload = data.save_upload(parts.home, io.BytesIO(content), "requests.jsonl")
    with parts.database.transaction() as session:
        new = NewBatch("file-1", "requests.jsonl", upload.sha256, "/v1/chat/completions")
        return service.create(session, new, by=people.known_by_name(session, "Ada"))


def num_done(parts: app.Parts, batch: Batch) -> int:
    with parts.database.reading() as session:
        return queries.counts(session, queries.one(session, batch.id)).num_done


def until_more_than(before: int, parts: app.Parts, batch: Batch) -> None:
    wait_until(lambda: num_done(parts, batch) > before, within_s=WITHIN_S, what="the next answers")


def kill_worker(parts: app.Parts, batch: Batch) -> None:
    """The worker that asks, as soon as it is recorded."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        with parts.database.reading() as session:
            job = jobs.newest_of(session, batch.id, ASK_JOB)
        if job is not None and job.pid is not None and job.pid_started_at and job.pid_booted_at:
            process = ChildId(job.pid, job.pid_started_at, job.pid_booted_at)
            if child.is_alive(process):
                os.kill(job.pid, signal.SIGKILL)
                return
        time.sleep(0.01)
    raise AssertionError("no worker came to be killed")


def test_whoever_kills_the_worker_every_request_is_answered_once(parts: app.Parts, supervised: None) -> None:
    with FakeEngine(BASE_ID, delay_s=0.15) as engine:
        attach(parts, engine.url)
        batch = start(parts)
        before = 0
        for _ in range(NUM_KILLS):
            until_more_than(before, parts, batch)
            kill_worker(parts, batch)
            before = num_done(parts, batch)
        assert before < NUM_REQUESTS, "it was over before the last kill: this shows nothing"
        wait_until(lambda: status(parts, batch) == "completed", within_s=WITHIN_S, what=lambda: status(parts, batch))
        asked = Counter(body["messages"][0]["content"] for body in engine.requests)
    with parts.database.reading() as session:
        done = queries.one(session, batch.id)
        assert (done.num_answered, done.num_failed, done.error_file_id) == (NUM_REQUESTS, 0, None)
        job = jobs.newest_of(session, batch.id, ASK_JOB)
        assert job is not None
        assert job.attempt == NUM_KILLS + 1
        file = session.get_one(StoredFile, done.output_file_id)
    found = [json.loads(line) for line in (parts.home.uploads / file.sha256).read_text().splitlines()]
    assert [line["custom_id"] for line in found] == [f"r{number}" for number in range(NUM_REQUESTS)]
    assert all(line["response"]["body"]["choices"] for line in found)
    # Only what was on its way in the moment of a kill may have been asked again.
    assert sum(asked.values()) - NUM_REQUESTS <= NUM_KILLS * 2 * 16


def status(parts: app.Parts, batch: Batch) -> str:
    with parts.database.reading() as session:
        return queries.one(session, batch.id).status.value
