"""Batches through OpenAI's own client alone, against a real server with supervisor, workers and engine.

Only the language model is pretended, as in `test_the_loop.py`.
"""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Batch
from tests.acceptance.test_the_loop import fake_program, import_base
from tests.web.gateway_site import serving

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.models.types import SMOLLM2
from goldsmith.people import service as people
from goldsmith.serve.keeper import EngineKeeper, EngineSettings
from goldsmith.settings import Settings
from goldsmith.testing import write_small_model

pytestmark = [pytest.mark.long, pytest.mark.enable_socket, pytest.mark.xdist_group("acceptance")]

PORT = 18350
WAIT_S = 60
CHATS = "/v1/chat/completions"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    folder = tmp_path_factory.mktemp("batches")
    parts = app.assemble(Settings(home=folder / "home", engine_port=PORT))
    app.prepare_database(parts)
    (folder / "answers.json").write_text("{}")
    program = fake_program(folder / "answers.json")
    keeper = EngineKeeper(parts.database, parts.home, EngineSettings(program, "cpu", first_port=PORT))
    keepers = [keeper, *app.make_keepers(parts)[1:]]
    stop = threading.Event()
    thread = threading.Thread(target=app.make_supervisor(parts).run, args=(stop, keepers), daemon=True)
    thread.start()
    try:
        cli = Cli(as_name="Ada", is_json=True)
        cli.__dict__["parts"] = parts
        import_base(cli, write_small_model(folder / "base", text="Hello there"))
        with parts.database.transaction() as session:
            _, key = people.add_key(session, "tests", by=people.known_by_name(session, "Ada"))
        with serving(app.make_asgi(parts)) as url, openai.OpenAI(base_url=f"{url}/v1", api_key=key) as made:
            yield made
    finally:
        stop.set()
        thread.join(timeout=10)
        keeper.stop_engines(within_s=2)
        parts.database.dispose()


def lines(bodies: list[dict[str, Any]], url: str = CHATS) -> bytes:
    requests = [
        {"custom_id": f"request-{number}", "method": "POST", "url": url, "body": {"model": SMOLLM2.name, **body}}
        for number, body in enumerate(bodies, start=1)
    ]
    return "".join(json.dumps(each) + "\n" for each in requests).encode()


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def start(client: openai.OpenAI, content: bytes, endpoint: Any = CHATS, **more: Any) -> Batch:
    file = client.files.create(file=("requests.jsonl", content), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more)


def wait(client: openai.OpenAI, batch: Batch) -> Batch:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        batch = client.batches.retrieve(batch.id)
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            return batch
        time.sleep(0.1)
    raise AssertionError(f"still {batch.status} after {WAIT_S} s: {batch.request_counts}")


def read(client: openai.OpenAI, file_id: str | None) -> dict[str, Any]:
    """The lines of a file by their custom_id."""
    assert file_id is not None
    found = [json.loads(line) for line in client.files.content(file_id).text.splitlines()]
    by_id = {line["custom_id"]: line for line in found}
    assert len(by_id) == len(found)
    return by_id


def test_a_batch_of_chats_comes_back_by_custom_id(client: openai.OpenAI) -> None:
    bodies = [chat(f"message {number}") for number in range(1, 21)]
    batch = start(client, lines(bodies), metadata={"team": "support"})
    assert (batch.status, batch.object, batch.endpoint) == ("validating", "batch", CHATS)
    done = wait(client, batch)
    assert (done.status, done.errors, done.error_file_id) == ("completed", None, None)
    assert done.request_counts is not None
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (20, 20, 0)
    assert done.metadata == {"team": "support"}
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens > 0
    answers = read(client, done.output_file_id)
    assert list(answers) == [f"request-{number}" for number in range(1, 21)]
    for number in range(1, 21):
        response = answers[f"request-{number}"]["response"]
        assert response["status_code"] == 200
        assert response["body"]["choices"][0]["message"]["content"] == f"You said: message {number}"
    file = client.files.retrieve(done.output_file_id or "")
    assert (file.purpose, file.filename) == ("batch_output", f"{done.id}_output.jsonl")
    assert done.id in [each.id for each in client.batches.list(limit=1)]


def test_what_cannot_be_passed_on_fails_alone_and_is_told_in_the_error_file(client: openai.OpenAI) -> None:
    bodies = [chat("one"), chat("two", chat_template="{{ evil }}"), chat("three", stream=True)]
    done = wait(client, start(client, lines(bodies)))
    assert done.status == "completed"
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 2)
    assert list(read(client, done.output_file_id)) == ["request-1"]
    errors = read(client, done.error_file_id)
    assert {name: line["response"]["status_code"] for name, line in errors.items()} == {
        "request-2": 400,
        "request-3": 400,
    }
    assert errors["request-2"]["response"]["body"]["error"]["param"] == "chat_template"


def test_a_batch_whose_every_request_failed_is_not_completed(client: openai.OpenAI) -> None:
    done = wait(client, start(client, lines([chat("one", stream=True), chat("two", n=99)])))
    assert (done.status, done.output_file_id) == ("failed", None)
    assert done.errors is not None
    assert done.errors.data is not None
    assert done.errors.data[0].code == "every_request_failed"
    assert len(read(client, done.error_file_id)) == 2


def test_a_file_with_faults_is_refused_as_a_whole_with_their_lines(client: openai.OpenAI) -> None:
    good = lines([chat(f"message {number}") for number in range(1, 11)]).splitlines(keepends=True)
    strange = lines([chat("x")], url="/v1/images").replace(b"request-1", b"strange")
    unknown = lines([chat("x", model="no-such")]).replace(b"request-1", b"unknown")
    faulty = b"".join([*good[:6], b'{"custom_id": \n', good[7], good[7], strange, unknown, *good[8:]])
    done = wait(client, start(client, faulty))
    assert (done.status, done.output_file_id, done.error_file_id) == ("failed", None, None)
    assert done.errors is not None
    assert [(each.line, each.code) for each in done.errors.data or []] == [
        (7, "invalid_json_line"),
        (9, "duplicate_custom_id"),
        (10, "mismatched_url"),
        (11, "model_not_found"),
    ]


def test_a_batch_that_cannot_be_is_refused_at_once(client: openai.OpenAI) -> None:
    file = client.files.create(file=("notes.jsonl", lines([chat("x")])), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="purpose user_data"):
        client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(openai.BadRequestError, match="cannot ask /v1/images"):
        start(client, lines([chat("x")]), endpoint="/v1/images")
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_none")


def test_an_empty_file_is_refused(client: openai.OpenAI) -> None:
    done = wait(client, start(client, b"\n\n"))
    assert done.status == "failed"
    assert done.errors is not None
    assert [each.code for each in done.errors.data or []] == ["empty_file"]


def test_completions_and_embeddings_come_back_too(client: openai.OpenAI) -> None:
    prompts = lines([{"prompt": "Once", "max_tokens": 4}, {"prompt": "Twice", "max_tokens": 4}], "/v1/completions")
    done = wait(client, start(client, prompts, "/v1/completions"))
    assert (done.status, done.endpoint) == ("completed", "/v1/completions")
    found = read(client, done.output_file_id)
    assert all(line["response"]["body"]["choices"][0]["text"] for line in found.values())
    texts = lines([{"input": "abc"}, {"input": ["d", "ef"]}], "/v1/embeddings")
    done = wait(client, start(client, texts, "/v1/embeddings"))
    assert done.status == "completed"
    found = read(client, done.output_file_id)
    assert [len(found[f"request-{number}"]["response"]["body"]["data"]) for number in (1, 2)] == [1, 2]


def test_a_file_sent_in_parts_is_a_batch_s_file(client: openai.OpenAI, tmp_path: Path) -> None:
    content = lines([chat(f"message {number}") for number in range(1, 31)])
    path = tmp_path / "requests.jsonl"
    path.write_bytes(content)
    upload = client.uploads.upload_file_chunked(
        file=path, mime_type="application/jsonl", purpose="batch", part_size=1000
    )
    assert upload.file is not None
    assert (upload.status, upload.file.bytes, upload.file.purpose) == ("completed", len(content), "batch")
    batch = client.batches.create(
        input_file_id=upload.file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    done = wait(client, batch)
    assert done.request_counts is not None
    assert (done.status, done.request_counts.completed) == ("completed", 30)


def test_a_batch_that_is_cancelled_ends_with_what_it_has(client: openai.OpenAI) -> None:
    batch = start(client, lines([chat(f"message {number}") for number in range(1, 400)]))
    cancelled = client.batches.cancel(batch.id)
    assert cancelled.status == "cancelling"
    done = wait(client, batch)
    assert (done.status, done.cancelled_at is not None) == ("cancelled", True)
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)
