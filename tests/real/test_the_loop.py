"""The whole loop, with real training and a real engine: what the walk must have left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import openai
import pytest
from tests.real.homes import free_port
from tests.real.walk import NUM_ROWS, Walk

from goldsmith import app
from goldsmith.compare import queries as compare
from goldsmith.demo import story
from goldsmith.models import queries as models
from goldsmith.models.types import SMOLLM2
from goldsmith.people import service as people
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.run import queries as runs
from goldsmith.serve import queries as serve
from goldsmith.serve.types import DeploymentState, Proof
from goldsmith.train import queries as train

pytestmark = pytest.mark.real


def test_every_row_was_answered_by_the_real_engine_with_the_json_that_was_asked_for(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        run = next(run for run in runs.page(session, domain=DEFAULT_DOMAIN) if run.kind == "model")
        progress = runs.progress(session, run.id)
    assert (progress.num_answered, progress.num_failed, progress.num_invalid) == (NUM_ROWS, 0, 0)


def test_the_training_lowered_the_loss_and_kept_its_curve(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        training = train.page(session, domain=DEFAULT_DOMAIN)[0]
        losses = [point.loss for point in train.series(session, training.id) if point.loss is not None]
    assert training.status == "succeeded"
    assert len(losses) == training.total_steps
    assert losses[-1] < losses[0] / 2


def test_the_adapter_was_loaded_in_under_a_second_and_proved_through_the_engine(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        deployment = serve.deployment_of(session, walk.model_id)
        receipt = serve.receipt(session, walk.model_id)
    assert (deployment.state, deployment.proof) == (DeploymentState.LOADED.value, Proof.PROVED.value)
    assert deployment.load_s is not None
    assert deployment.load_s < 1
    assert receipt.is_green, receipt.lines
    assert all(line["is_ok"] for line in receipt.lines)


def test_metrics_are_measured_or_null(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        model = models.tuned(session, walk.model_id, domain=DEFAULT_DOMAIN)
    assert model.latency_ms is not None
    assert model.latency_ms > 0
    assert model.tokens_per_second is not None
    assert model.vram_usage_gb is None
    assert model.win_rate is not None
    assert {"win_rate", "latency_ms"} <= model.measured_at.keys()


def test_the_comparison_asked_three_arms_the_same_rows_and_says_a_sentence(walk: Walk) -> None:
    with walk.parts.database.reading() as session:
        comparison = compare.one(session, walk.comparison_id, domain=DEFAULT_DOMAIN)
        arms = compare.arms(session, walk.comparison_id)
        answers = compare.answers(session, [arm.run_id for arm in arms])
    assert comparison.status == "succeeded"
    assert [arm.name for arm in arms] == ["base", "examples", "tuned"]
    assert len(answers) == 3 * comparison.test_count
    assert comparison.verdict is not None
    assert str(comparison.test_count) in comparison.verdict["sentence"]


@pytest.fixture(scope="module")
def client(walk: Walk) -> Iterator[openai.OpenAI]:
    """The official client, with its base_url changed alone."""
    parts = walk.parts
    with parts.database.transaction() as session:
        _, key = people.add_key(session, "tests", by=people.known_by_name(session, "tests"))
    port = free_port()
    argv = [sys.executable, "-m", "goldsmith", "web", "--port", str(port)]
    with subprocess.Popen(argv, env=app.child_environment(parts.settings)) as web:
        base_url = f"http://127.0.0.1:{port}"
        wait_for(f"{base_url}/healthz")
        with openai.OpenAI(base_url=f"{base_url}/v1", api_key=key) as found:
            yield found
        web.terminate()


def wait_for(url: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    raise TimeoutError(url)


def test_the_official_client_gets_the_tuned_model_when_it_asks_for_the_default(
    walk: Walk, client: openai.OpenAI
) -> None:
    asked = [{"role": "system", "content": story.SYSTEM_TEXT}, {"role": "user", "content": "My parcel is late."}]
    raw = client.chat.completions.with_raw_response.create(model="default", messages=asked, max_tokens=20)  # type: ignore[arg-type]
    answer = raw.parse().choices[0].message.content
    assert raw.headers["x-goldsmith-model"] == walk.model_id
    assert answer


def test_streaming_arrives_in_pieces_that_make_up_the_same_answer(walk: Walk, client: openai.OpenAI) -> None:
    asked = [{"role": "user", "content": "Say hello."}]
    options = {"model": SMOLLM2.name, "messages": asked, "max_tokens": 8, "temperature": 0.0}
    whole = client.chat.completions.create(**options).choices[0].message.content  # type: ignore[call-overload]
    pieces = [
        chunk.choices[0].delta.content or ""
        for chunk in client.chat.completions.create(**options, stream=True)  # type: ignore[call-overload]
        if chunk.choices
    ]
    assert len(pieces) > 2
    assert "".join(pieces) == whole


def test_after_kill_9_of_the_engine_the_adapter_comes_back_by_itself_and_is_proved_again(walk: Walk) -> None:
    database = walk.parts.database
    with database.reading() as session:
        before = serve.deployment_of(session, walk.model_id)
        engine = serve.one(session, before.engine_id)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    end = time.monotonic() + 300
    while time.monotonic() < end:
        with database.reading() as session:
            after = serve.deployment_of(session, walk.model_id)
        if after.generation > before.generation and after.proof == Proof.PROVED.value:
            break
        time.sleep(0.5)
    assert (after.state, after.proof) == (DeploymentState.LOADED.value, Proof.PROVED.value), after.message
    assert after.generation == before.generation + 1
    assert after.receipt_id != before.receipt_id
