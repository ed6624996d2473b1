"""OpenAI's fine-tuning API as its official client sees it, over trainings in the database."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from sqlalchemy import orm
from starlette.testclient import TestClient

from goldsmith import app
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.models.tables import BaseModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.settings import Settings
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.storage.database import Database
from goldsmith.testing import write_small_model
from goldsmith.train.tables import TrainingJob
from goldsmith.web.factory import Routers
from goldsmith.web.openai import fine_tuning, shapes
from goldsmith.wire.events import Event, EventKind

ORIGIN = "http://127.0.0.1:8001"


@pytest.fixture
def parts(tmp_path: Path, database_url: str) -> Iterator[app.Parts]:
    made = app.assemble(Settings(home=tmp_path / "home", database_url=database_url))
    yield made
    made.database.dispose()


@pytest.fixture
def database(parts: app.Parts) -> Database:
    return parts.database


@pytest.fixture
def client(parts: app.Parts) -> Iterator[openai.OpenAI]:
    with parts.database.transaction() as session:
        by = people.known_by_name(session, "Ada")
        _, key = people.add_key(session, "tests", by=by)
        add_base_and_set(session, by)
    write_small_model(parts.home.root / "models/base")
    web = app.make_asgi(parts, Routers(openai=[fine_tuning.openai]))
    with (
        TestClient(web, base_url=ORIGIN) as http,
        openai.OpenAI(base_url=f"{ORIGIN}/v1", api_key=key, http_client=http, max_retries=0) as made,
    ):
        yield made


def add_base_and_set(session: orm.Session, by: Person) -> None:
    owned = {"domain": by.domain, "created_by": by.id, "content_hash": "0"}
    base = BaseModel(
        id="bm_1", name="smollm2", source="folder", hub_id="HuggingFaceTB/SmolLM2", folder="models/base", size_bytes=1,
        num_parameters=1, context_length=2048, end_marker="<end>", template_hash="t", **owned,
    )  # fmt: skip
    good = TrainingSet(
        id="set_1", name="stars", format="chatml", folder="training-sets/set_1", num_learn=12, num_exam=3,
        num_dropped=0, manifest={}, **owned,
    )  # fmt: skip
    session.add_all([base, good])
    session.flush()
    messages = [{"role": "user", "content": "where is it"}, {"role": "assistant", "content": "on its way"}]
    row = TrainingSetRow(
        training_set_id="set_1", side="learn", position=1, row_id="row_1", answer_id="", mark_id=0, stratum="",
        messages=messages, expected="on its way",
    )  # fmt: skip
    session.add(row)


def start(client: openai.OpenAI) -> str:
    job = client.fine_tuning.jobs.create(
        model="smollm2",
        training_file="set_1",
        suffix="first",
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "batch_size": "auto"}}},
        extra_body={"backend": "fake"},
    )
    return job.id


def move(database: Database, job_id: str, *states: JobState) -> None:
    with database.transaction() as session:
        for state in states:
            queue.move(session, session.get_one(Job, job_id), state, f"now {state.value}")


def test_a_training_is_started_and_found_again(client: openai.OpenAI) -> None:
    job_id = start(client)
    job = client.fine_tuning.jobs.retrieve(job_id)
    assert (job.status, job.model, job.training_file) == ("queued", "HuggingFaceTB/SmolLM2", "set_1")
    assert (job.hyperparameters.n_epochs, job.fine_tuned_model, job.error) == (3, None, None)
    assert job.metadata is not None
    assert job.metadata["name"] == "first"


def test_the_list_is_read_page_by_page_newest_first(client: openai.OpenAI) -> None:
    made = [start(client) for _ in range(3)]
    listed = [job.id for job in client.fine_tuning.jobs.list(limit=2)]
    assert sorted(listed) == sorted(made)
    assert listed == sorted(listed, reverse=True)


@pytest.mark.parametrize("state", JobState)
def test_every_state_is_told_in_openai_s_words(state: JobState) -> None:
    assert shapes.STATUS[state] in ("validating_files", "queued", "running", "succeeded", "failed", "cancelled")


def test_what_is_paused_is_neither_running_nor_over_and_goes_on(client: openai.OpenAI, database: Database) -> None:
    job_id = start(client)
    move(database, job_id, JobState.STARTING, JobState.RUNNING, JobState.PAUSED)
    job = client.fine_tuning.jobs.retrieve(job_id)
    assert (job.status, job.finished_at) == ("queued", None)
    assert job.metadata is not None
    assert job.metadata["goldsmith_state"] == "paused"
    resumed = client.fine_tuning.jobs.resume(job_id)
    assert resumed.metadata is not None
    assert resumed.metadata["goldsmith_state"] == "queued"


def test_what_runs_is_asked_to_stop(client: openai.OpenAI, database: Database) -> None:
    job_id = start(client)
    move(database, job_id, JobState.STARTING, JobState.RUNNING)
    assert client.fine_tuning.jobs.pause(job_id).status == "running"
    with database.reading() as session:
        assert session.get_one(Job, job_id).stop_requested == "pause"
    assert client.fine_tuning.jobs.cancel(job_id).status == "running"


def test_what_waits_is_cancelled_at_once(client: openai.OpenAI) -> None:
    assert client.fine_tuning.jobs.cancel(start(client)).status == "cancelled"


def test_a_failure_says_why_and_what_to_do(client: openai.OpenAI, database: Database) -> None:
    job_id = start(client)
    move(database, job_id, JobState.STARTING, JobState.RUNNING)
    with database.transaction() as session:
        failure = JobFailure("loss_is_nan", "The loss is not a number.", "Lower the learning rate.")
        queue.fail(session, session.get_one(Job, job_id), failure)
    job = client.fine_tuning.jobs.retrieve(job_id)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error.code, job.error.message) == ("loss_is_nan", "The loss is not a number. Lower the learning rate.")
    newest = next(iter(client.fine_tuning.jobs.list_events(job_id)))
    assert (newest.level, newest.message) == ("error", "The loss is not a number.")


def test_events_and_checkpoints_are_read_page_by_page(client: openai.OpenAI, database: Database) -> None:
    job_id = start(client)
    move(database, job_id, JobState.STARTING, JobState.RUNNING)
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        for step in range(1, 5):
            told = {"step": step, "total_steps": 4, "loss": 1 / step}
            queue.record(session, job, Event(2 * step, 1e9, EventKind.STEP, told), source="train")
            queue.record(session, job, Event(2 * step + 1, 1e9, EventKind.SAVED, {"step": step}), source="train")
    events = list(client.fine_tuning.jobs.list_events(job_id, limit=3))
    metrics = [event for event in events if event.type == "metrics"]
    assert metrics[0].message == "Step 4/4, training loss=0.2500"
    assert len(events) == len({event.id for event in events}) == 8 + 3
    saved = list(client.fine_tuning.jobs.checkpoints.list(job_id, limit=3))
    assert [one.step_number for one in saved] == [4, 3, 2, 1]


def test_another_organisation_s_training_is_not_there(client: openai.OpenAI, database: Database) -> None:
    job_id = start(client)
    with database.transaction() as session:
        session.get_one(TrainingJob, job_id).domain = "elsewhere"
    for ask in (client.fine_tuning.jobs.retrieve, client.fine_tuning.jobs.cancel):
        with pytest.raises(openai.NotFoundError):
            ask(job_id)
    assert list(client.fine_tuning.jobs.list()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"validation_file": "file-abc"}, "exam is held back"),
        ({"integrations": [{"type": "wandb"}]}, "outside services"),
        ({"method": {"type": "reinforcement"}}, "supervised"),
        ({"method": {"type": "dpo"}}, "no bad answer"),
        ({"method": {"type": "kto"}}, "not one bad one to tell them apart from"),
        ({"hyperparameters": {"n_epochs": 1000}}, "n_epochs"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_a_training_does_not_take_is_refused_in_openai_s_shape(
    client: openai.OpenAI, more: dict[str, object], words: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=words) as caught:
        client.fine_tuning.jobs.create(model="smollm2", training_file="set_1", extra_body={"backend": "fake", **more})
    assert caught.value.type == "invalid_request_error"
