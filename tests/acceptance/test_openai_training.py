"""Training through OpenAI's own client alone, against a real server with supervisor, workers, trainer and engine.

Only the learning and the language model are pretended, as in `test_the_loop.py`.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob
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

PORT = 18300
WAIT_S = 60
QUESTIONS = [f"Which topic has message number {n}?" for n in range(20)]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    folder = tmp_path_factory.mktemp("openai")
    parts = app.assemble(Settings(home=folder / "home", engine_port=PORT))
    app.prepare_database(parts)
    (folder / "answers.json").write_text(json.dumps({"tuned": dict.fromkeys(QUESTIONS, "cards")}))
    program = fake_program(folder / "answers.json")
    keeper = EngineKeeper(parts.database, parts.home, EngineSettings(program, "cpu", first_port=PORT))
    stop = threading.Event()
    thread = threading.Thread(target=app.make_supervisor(parts).run, args=(stop, [keeper]), daemon=True)
    thread.start()
    try:
        cli = Cli(as_name="Ada", is_json=True)
        cli.__dict__["parts"] = parts
        import_base(cli, write_small_model(folder / "base", text=" ".join(QUESTIONS)))
        with parts.database.transaction() as session:
            _, key = people.add_key(session, "tests", by=people.known_by_name(session, "Ada"))
        with serving(app.make_asgi(parts)) as url, openai.OpenAI(base_url=f"{url}/v1", api_key=key) as made:
            yield made
    finally:
        stop.set()
        thread.join(timeout=10)
        keeper.stop_engines(within_s=2)
        parts.database.dispose()


def chats(questions: list[str]) -> bytes:
    turns = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": "cards"}] for question in questions
    ]
    return "".join(json.dumps({"messages": one}) + "\n" for one in turns).encode()


def upload(client: openai.OpenAI, content: bytes, name: str = "chats.jsonl") -> str:
    return client.files.create(file=(name, content), purpose="fine-tune").id


def start(client: openai.OpenAI, content: bytes, **more: Any) -> FineTuningJob:
    return client.fine_tuning.jobs.create(
        model=SMOLLM2.name, training_file=upload(client, content), extra_body={"backend": "fake"}, **more
    )


def wait(client: openai.OpenAI, job_id: str, is_there: Callable[[FineTuningJob], bool]) -> FineTuningJob:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        job = client.fine_tuning.jobs.retrieve(job_id)
        if is_there(job):
            return job
        time.sleep(0.1)
    raise AssertionError(f"still {job.status} after {WAIT_S} s: {job.metadata}")


def is_over(job: FineTuningJob) -> bool:
    return job.status in ("succeeded", "failed", "cancelled")


def test_a_file_becomes_a_model_that_answers_under_its_name(client: openai.OpenAI) -> None:
    exam = upload(client, chats([f"Exam question {n}?" for n in range(5)]), "exam.jsonl")
    job = start(
        client,
        chats(QUESTIONS),
        validation_file=exam,
        hyperparameters={"n_epochs": 3},
        suffix="cards",
        metadata={"team": "support"},
    )
    assert (job.status, job.validation_file, job.fine_tuned_model) == ("validating_files", exam, None)
    done = wait(client, job.id, is_over)
    assert (done.status, done.training_file, done.error) == ("succeeded", job.training_file, None)
    assert done.hyperparameters.n_epochs == 3
    assert done.metadata is not None
    assert done.metadata["team"] == "support"
    assert job.id in [one.id for one in client.fine_tuning.jobs.list()]
    assert any(event.type == "metrics" for event in client.fine_tuning.jobs.list_events(job.id))
    assert list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert done.fine_tuned_model is not None
    for name in (done.fine_tuned_model, "cards"):
        assert ask(client, name, QUESTIONS[0]) == "cards"


def ask(client: openai.OpenAI, model: str, question: str) -> str | None:
    """The answer, as soon as the model is loaded: until then the gateway says that it is not ready."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            said = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
        except (openai.NotFoundError, openai.InternalServerError):
            assert time.monotonic() < end, f"{model} does not answer"
            time.sleep(0.2)
        else:
            return said.choices[0].message.content


def preferences(questions: list[str]) -> bytes:
    def said(text: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": text}]

    lines = [
        {
            "input": {"messages": [{"role": "user", "content": f"{question} Really?"}]},
            "preferred_output": said("cards"),
            "non_preferred_output": said("I do not know"),
        }
        for question in questions
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.mark.parametrize("name", ["dpo", "kto"])
def test_a_file_of_preferences_is_learned_as_pairs_or_as_single_marks(client: openai.OpenAI, name: str) -> None:
    method: Any = {"type": name, name: {"hyperparameters": {"n_epochs": 2}}}
    done = wait(client, start(client, preferences(QUESTIONS), method=method).id, is_over)
    assert (done.status, done.error) == ("succeeded", None)
    assert done.method is not None
    assert (done.method.type, done.hyperparameters.n_epochs) == (name, 2)


def test_a_file_without_a_bad_answer_cannot_be_learned_as_pairs(client: openai.OpenAI) -> None:
    content = chats([f"{question} Now?" for question in QUESTIONS])
    done = wait(client, start(client, content, method={"type": "dpo"}).id, is_over)
    assert done.status == "failed"
    assert done.error is not None
    assert "no bad answer" in done.error.message


def test_a_broken_line_fails_the_job_and_is_named(client: openai.OpenAI) -> None:
    good = chats(QUESTIONS).splitlines(keepends=True)
    job = start(client, b"".join([*good[:6], b'{"messages": [{"role": "user"\n', *good[6:]]))
    done = wait(client, job.id, is_over)
    assert (done.status, done.fine_tuned_model) == ("failed", None)
    assert done.error is not None
    assert (done.error.code, done.error.param) == ("invalid_training_file", "training_file")
    assert "line 7" in done.error.message
    newest = next(iter(client.fine_tuning.jobs.list_events(job.id)))
    assert newest.level == "error"


def test_a_training_is_paused_resumed_and_cancelled(client: openai.OpenAI) -> None:
    job = start(client, chats(QUESTIONS), hyperparameters={"n_epochs": 40, "batch_size": 1})
    wait(client, job.id, lambda one: any(e.type == "metrics" for e in client.fine_tuning.jobs.list_events(one.id)))
    client.fine_tuning.jobs.pause(job.id)
    wait(client, job.id, lambda one: (one.metadata or {})["goldsmith_state"] == "paused")
    client.fine_tuning.jobs.resume(job.id)
    wait(client, job.id, lambda one: one.status == "running")
    client.fine_tuning.jobs.cancel(job.id)
    assert wait(client, job.id, is_over).status == "cancelled"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"training_file": "file-none"}, "There is no file file-none"),
        ({"validation_file": "file-none"}, "There is no file file-none"),
    ],
)
def test_a_file_that_is_not_there_is_refused_at_once(
    client: openai.OpenAI, files: dict[str, str], words: str, tmp_path: Path
) -> None:
    named = {"training_file": upload(client, chats(QUESTIONS)), **files}
    with pytest.raises(openai.NotFoundError, match=words):
        client.fine_tuning.jobs.create(model=SMOLLM2.name, extra_body={"backend": "fake", **named}, **named)  # type: ignore[arg-type]


def test_a_file_for_another_purpose_is_refused_at_once(client: openai.OpenAI) -> None:
    other = client.files.create(file=("notes.jsonl", chats(QUESTIONS)), purpose="user_data").id
    with pytest.raises(openai.BadRequestError, match="purpose user_data"):
        client.fine_tuning.jobs.create(model=SMOLLM2.name, training_file=other)
