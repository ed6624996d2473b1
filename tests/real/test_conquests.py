"""A conquest on the model that the walk trained, and on its base, through a real web process, worker, engine and
PostgreSQL: what the model said stands in Aristotle's tables, with what was measured."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from tests import postgresql
from tests.real.homes import free_port
from tests.real.walk import BUILTIN, Walk

from goldsmith import app
from goldsmith.connect.aristotle import migrating
from goldsmith.connect.aristotle.connection import Place
from goldsmith.people import service as people
from goldsmith.testing.aristotle import SyntheticAristotle

pytestmark = pytest.mark.real
ADA = {"philosopher": "ada@acme.example", "domain": "acme.example"}


@dataclass(frozen=True)
class Connected:
    """A home whose engine is live, connected to a database of Aristotle's, and somebody with a key."""

    url: str
    key: str
    synthetic: SyntheticAristotle

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        """Status and text of an answer."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read().decode()

    def finished(self, status: int, said: str) -> dict[str, Any]:
        """What was asked for, once it is over."""
        found: dict[str, Any] = json.loads(said)
        end = time.monotonic() + 300
        while found["stage"] != "over" and time.monotonic() < end:
            assert status == 202
            time.sleep(0.5)
            found = json.loads(self.ask(f"/api/conquests/executions/{found['id']}")[1])
        return found

    def conquest(self, conquest_id: str) -> Any:
        """As it stands in Aristotle."""
        query = (
            'SELECT c.*, p.data AS prompt, a.data AS answer FROM "Conquest" c JOIN conquest_prompt p ON'
            " p.conquest_analysis_id = c.id JOIN conquest_response a ON a.conquest_analysis_id = c.id WHERE c.id = :id"
        )
        with self.synthetic.engine.begin() as connection:
            return connection.execute(text(query), {"id": conquest_id}).mappings().one()


@pytest.fixture(scope="module")
def connected(walk: Walk) -> Iterator[Connected]:
    """The walk's home, with Aristotle; workers and the web process find it in the environment."""
    with walk.parts.database.transaction() as session:
        _, key = people.add_key(session, "aristotle", by=people.known_by_name(session, "tests"))
    port = free_port()
    with postgresql.running() as server, pytest.MonkeyPatch.context() as patch:
        postgresql.run_sql(server.url, "CREATE DATABASE aristotle_real")
        synthetic = SyntheticAristotle(f"{server.url}/aristotle_real", "V2")
        synthetic.make_tables()
        synthetic.make_subjects()
        place = synthetic.url.render_as_string(hide_password=False)
        migrating.migrate(Place.of(place))
        patch.setitem(os.environ, "ARISTOTLE_DATABASE_URL", place)
        argv = [sys.executable, "-m", "goldsmith", "web", "--port", str(port)]
        with subprocess.Popen(argv, env=app.child_environment(walk.parts.settings)) as web:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/healthz")
            yield Connected(url, key, synthetic)
            web.terminate()


def _wait_for(url: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    raise TimeoutError(url)


def test_a_conquest_runs_on_the_trained_model_and_stands_in_aristotle(walk: Walk, connected: Connected) -> None:
    eidos = connected.synthetic.add_eidos(1, **ADA)
    connected.synthetic.add_candidate(1, **ADA)
    body = {"eidosId": eidos, "candidateId": "candidate_1", "modelId": walk.model_id, "maxTokens": 24}
    found = connected.finished(*connected.ask("/api/conquests/execute", body))
    assert (found["state"], found["was_live"], found["num_stored"], found["notes"]) == ("succeeded", True, 1, [])
    result = found["result"]
    conquest = connected.conquest(result["conquest_id"])
    assert conquest["answer"]["response"] == result["text"] != ""
    assert conquest["fine_tuned_model_id"] == walk.model_id
    assert (conquest["status"], conquest["result"]) == ("COMPLETED", "PENDING")
    assert 0 < result["answer_tokens"] <= 24
    assert conquest["executionTimeMs"] == round(result["duration_ms"]) > 0
    print(f"tuned: {result['prompt_tokens']} + {result['answer_tokens']} tokens in {result['duration_ms']:.0f} ms")


def test_a_stream_on_the_base_model_with_examples_ends_with_the_answer(connected: Connected) -> None:
    connected.synthetic.fill(4, philosopher=ADA["philosopher"], domain=ADA["domain"])
    eidos = connected.synthetic.add_eidos(2, **ADA)
    for number in (2, 3):
        connected.synthetic.add_candidate(number, **ADA)
    body = {"eidosId": eidos, "candidateId": "candidate_2", "modelId": BUILTIN, "maxTokens": 24, "stream": True}
    status, said = connected.ask("/api/conquests/execute", body)
    last = said.strip().split("\n\n")[-1].splitlines()
    assert (status, last[0]) == (200, "event: done")
    told = json.loads(last[1].removeprefix("data: "))
    texts = [block.partition("data: ")[2] for block in said.split("\n\n") if block.startswith("event: text")]
    assert len(texts) > 3  # it was heard while it was written, not at its end
    assert "".join(json.loads(each)["delta"] for each in texts) == told["result"]["text"]
    conquest = connected.conquest(told["result"]["conquest_id"])
    assert len(conquest["prompt"]["examples"]) == 3
    assert conquest["answer"]["model"] == told["model_id"]
    assert conquest["fine_tuned_model_id"] is None
    many = {"eidosId": eidos, "candidateIds": ["candidate_2", "candidate_3"], "modelId": BUILTIN, "maxTokens": 8}
    done = connected.finished(*connected.ask("/api/conquests/execute", many))
    assert (done["state"], done["num_stored"], done["num_failed"]) == ("succeeded", 2, 0)
    print(f"base: {done['tokens']} tokens in {done['seconds']:.1f} s")
