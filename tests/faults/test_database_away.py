"""PostgreSQL goes away for ten seconds under all that is at work, and comes back: nothing lost, nothing twice."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgresql
from tests.factories import make_dataset_version, make_prompt_version
from tests.faults.processes import Client, running, wait_until
from tests.invariants import assert_hold
from tests.unit.cli.test_processes import free_port

from goldsmith import app
from goldsmith.jobs import queries as jobs
from goldsmith.people import service as people
from goldsmith.run import queries as runs
from goldsmith.run import service as run_service
from goldsmith.run.tables import Run
from goldsmith.run.types import RunOptions, RunRequest
from goldsmith.serve import outside
from goldsmith.settings import Settings
from goldsmith.testing import FakeEngine

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket]

NUM_ROWS = 400
AWAY_S = 10.0


@pytest.fixture
def server(postgresql_server: str) -> Iterator[postgresql.Server]:
    """A server that may be taken away, because nobody else uses it."""
    del postgresql_server  # skips where there is none
    with postgresql.running() as found:
        postgresql.run_sql(found.url, "CREATE DATABASE goldsmith")
        yield found


def start_run(parts: app.Parts, engine: FakeEngine) -> tuple[Run, str]:
    """A run over many rows, asked of an engine that takes its time; and a key."""
    with parts.database.transaction() as session:
        ada = people.known_by_name(session, "Ada")
        provider = outside.add_provider(session, engine.url, model=engine.base_model, by=ada)
        contents = [{"question": f"question {number}"} for number in range(NUM_ROWS)]
        version = make_dataset_version(session, contents, by=ada)
        wording = make_prompt_version(session, by=ada)
        asked = RunRequest(version.id, wording.id, provider.id, options=RunOptions(concurrency=8))
        run = run_service.start(session, asked, by=ada)
        return run, people.add_key(session, "client", by=ada)[1]


def test_ten_seconds_without_a_database_lose_nothing_and_end_nothing(server: postgresql.Server, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", database_url=f"{server.url}/goldsmith", port=free_port())
    parts = app.assemble(settings)
    app.prepare_database(parts)

    def num_answers() -> int:
        with parts.database.reading() as session:
            return runs.progress(session, run.id).num_answered

    with (
        FakeEngine("model", delay_s=0.4) as engine,
        running("web", settings, tmp_path / "web.log") as web,
        running("supervise", settings, tmp_path / "supervise.log") as supervisor,
    ):
        run, key = start_run(parts, engine)
        client = Client(settings.port, key)
        wait_until(lambda: num_answers() >= 16, within_s=30)
        assert client.save_prompt("before") == 201
        with parts.database.reading() as session:
            before = jobs.one(session, run.job_id or "")

        server.stop()
        end, said = time.monotonic() + AWAY_S, Counter[tuple[str, int]]()
        while time.monotonic() < end:
            said["/healthz", client.status("/healthz")] += 1
            said["/readyz", client.status("/readyz")] += 1
            said["/", client.status("/", accept="text/html")] += 1
            said["POST", client.save_prompt("meanwhile")] += 1
            time.sleep(0.5)
        server.start()

        assert said.keys() == {("/healthz", 200), ("/readyz", 503), ("/", 503), ("POST", 503)}
        wait_until(lambda: client.status("/readyz") == 200, within_s=30)
        assert client.save_prompt("afterwards") == 201
        wait_until(lambda: num_answers() == NUM_ROWS, within_s=60)
        job = jobs.wait(parts.database, run.job_id or "", timeout_s=30)
        assert (job.state, job.attempt) == ("succeeded", before.attempt)
        assert web.poll() is None
        assert supervisor.poll() is None
    asked = Counter(json.dumps(body["messages"]) for body in engine.requests)
    assert (len(asked), set(asked.values())) == (NUM_ROWS, {1})
    told = [each for each in client.told if each.status == 503]
    assert all("The database is not answering" in each.text for each in told if "json" in each.content_type)
    assert_hold(parts.database, parts.home, acknowledged=client.acknowledged, told=client.told)
    for log in ("web.log", "supervise.log"):
        assert "Traceback" not in (tmp_path / log).read_text(), log
    parts.database.dispose()
