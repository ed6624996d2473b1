"""A model comes from a hub through the real supervisor and its workers; killed in the middle, it goes on."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldsmith import app
from goldsmith.app import Parts
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.tables import Job
from goldsmith.models import queries, service
from goldsmith.models.types import FromHub
from goldsmith.people import service as people
from goldsmith.settings import Settings
from goldsmith.testing import FakeHub, write_small_model

HUB_ID = "Org/Small"
WAIT_S = 60
NUM_BYTES = 4_000_000


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    folder = write_small_model(tmp_path / "source")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    # A word list of megabytes: a file that takes long and is no weight.
    files["vocab.json"] = b'{"words": "' + b"a" * NUM_BYTES + b'"}'
    with FakeHub() as fake:
        fake.add(HUB_ID, files)
        yield fake


@pytest.fixture
def parts(tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """A home of its own, whose workers get the stand-in's address and may ask it."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "GOLDSMITH_DATABASE_URL", "GOLDSMITH_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    made = app.assemble(Settings(home=tmp_path / "home", database_url=None))
    app.prepare_database(made)
    stop = threading.Event()
    thread = threading.Thread(target=app.make_supervisor(made).run, args=(stop, []), daemon=True)
    thread.start()
    yield made
    stop.set()
    thread.join(timeout=10)
    made.database.dispose()


def ask(parts: Parts) -> Job:
    with parts.database.transaction() as session:
        by = people.known_by_name(session, "Ada")
        job = service.start_hub(session, FromHub(HUB_ID), by=by, home=parts.home)
    assert job is not None
    return job


def test_a_fetch_that_is_killed_goes_on_where_it_was(parts: Parts, hub: FakeHub) -> None:
    hub.faults.pause_s = 0.1
    job = ask(parts)
    part = JobFolder.of(parts.home, job.id).data / "model" / "vocab.json.part"
    end = time.monotonic() + WAIT_S
    while not (part.exists() and part.stat().st_size > 300_000):
        assert time.monotonic() < end, "the fetch did not begin"
        time.sleep(0.02)
    with parts.database.reading() as session:
        pid = jobs.one(session, job.id).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    hub.faults.pause_s = 0.0
    done = jobs.wait(parts.database, job.id, timeout_s=WAIT_S)
    assert done.state == "succeeded", done.failure
    assert done.attempt == 2
    pieces = [one.range for one in hub.asked_for("vocab.json") if one.path.startswith("/second-address")]
    assert pieces[0] is None
    assert len(pieces) == 2
    assert int(str(pieces[1]).removeprefix("bytes=").rstrip("-")) > 300_000
    with parts.database.reading() as session:
        model = queries.base(session, HUB_ID, domain="local")
    assert model.hub_commit == hub.models[HUB_ID].commit
    assert (queries.folder_of(parts.home, model) / "vocab.json").stat().st_size == NUM_BYTES + 13
    assert not (part.parent).exists()


def test_the_hubs_refusal_is_what_a_person_reads(parts: Parts, hub: FakeHub) -> None:
    commit = hub.models[HUB_ID].commit
    hub.add(HUB_ID, hub.models[HUB_ID].commits[commit], is_gated=True)
    job = jobs.wait(parts.database, ask(parts).id, timeout_s=WAIT_S)
    assert job.state == "failed"
    assert job.failure is not None
    assert job.failure["summary"].startswith(f"{HUB_ID} is gated")
    assert "goldsmith models token" in job.failure["hint"]
