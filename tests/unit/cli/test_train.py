"""`goldsmith train`: stop a training, go on with it, see what happened."""

import io

import pytest
from tests.factories import make_base_model
from tests.unit.cli.conftest import Line

from goldsmith import app
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.serve import outside
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.storage import clock
from goldsmith.testing import write_small_model
from goldsmith.train import service
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.wire.events import Event, EventKind


@pytest.fixture
def training(line: Line) -> str:
    with line.filling() as (session, ada):
        write_small_model(line.home.root / make_base_model(session, by=ada).folder)
        made = TrainingSet(
            id="set_1", name="stars", format="chatml", folder="training-sets/set_1", num_learn=12, num_exam=3,
            num_dropped=0, manifest={}, content_hash="0", domain=ada.domain, created_by=ada.id,
        )  # fmt: skip
        session.add(made)
        session.flush()
        messages = [{"role": "user", "content": "where is it"}, {"role": "assistant", "content": "on its way"}]
        row = TrainingSetRow(
            training_set_id="set_1", side="learn", position=1, row_id="row_1", answer_id="", mark_id=0, stratum="",
            messages=messages, expected="on its way",
        )  # fmt: skip
        session.add(row)
        session.flush()
        request = TrainRequest("tiny", "fake")
        job_id = service.start(session, request, workshop=app.make_workshop(line.parts), by=ada).id
        for state in (JobState.STARTING, JobState.RUNNING):
            queue.move(session, session.get_one(Job, job_id), state, "test")
        step = Event(1, 1e9, EventKind.STEP, {"step": 1, "total_steps": 4, "loss": 0.5})
        queue.record(session, session.get_one(Job, job_id), step, source="train")
        return job_id


def test_a_plan_tells_what_the_dial_resolves_to_and_starts_nothing(line: Line, training: str) -> None:
    words = ("train", "start", "--base-model", "tiny", "--backend", "fake", "--dry-run")
    plan = line.json(*words, "--dial", "thorough", "--set", "num_epochs=4")
    assert (plan["dial"]["num_epochs"], plan["settings"]["num_epochs"], plan["settings"]["lora_rank"]) == (12, 4, 16)
    assert [one["id"] for one in line.json("train", "list")] == [training]


def test_a_rehearsal_is_queued_as_the_training_would_be(line: Line, training: str) -> None:
    argv = ("train", "rehearse", "--base-model", "tiny", "--backend", "fake", "--engines-rest", "never", "--no-wait")
    queued = line.json(*argv)["rehearsal"]
    with line.filling() as (session, _):
        job = session.get_one(Job, queued)
        assert (job.kind, job.params["engines_rest"]) == ("rehearsal", "never")
    code, _, err = line.run(*argv, "--gpu", "7")
    assert (code != 0, "There is no GPU 7" in err) == (True, True)


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_what_runs_is_asked_to_stop(line: Line, training: str, verb: str) -> None:
    assert line.json("train", verb, training)["asked"] == verb
    with line.parts.database.reading() as session:
        assert session.get_one(Job, training).stop_requested == verb


def test_what_was_not_prepared_cannot_be_repeated(line: Line, training: str) -> None:
    assert line.error("train", "again", training)[1]["type"] == "not-repeatable"


def test_what_has_done_a_step_is_ended_with_its_best(line: Line, training: str) -> None:
    assert line.error("train", "keep", training)[1]["type"] == "nothing-to-keep"
    with line.filling() as (session, _):
        session.get_one(TrainingJob, training).current_step = 1
        session.add(TrainingMetric(job_id=training, attempt=1, step=4, exam_loss=0.5, at=clock.now()))
    assert line.json("train", "keep", training)["asked"] == "keep"
    shown = line.json("train", "show", training)
    assert (shown["best"], shown["alarms"], shown["samples"]) == ({"step": 4, "exam_loss": 0.5}, [], [])


def test_what_is_paused_goes_on(line: Line, training: str) -> None:
    code, problem = line.error("train", "resume", training, "--no-wait")
    assert (code, problem["type"]) == (5, "move-not-allowed")
    with line.filling() as (session, _):
        queue.move(session, session.get_one(Job, training), JobState.PAUSED, "test")
    assert line.json("train", "resume", training, "--no-wait")["state"] == "queued"


def test_events_are_listed_oldest_first(line: Line, training: str) -> None:
    said = line.json("train", "events", training)
    assert [event["kind"] for event in said] == ["queued", "starting", "running", "step"]
    assert said[-1]["what"]["loss"] == 0.5
    _, out, _ = line.run("train", "events", training, "--limit", "1")
    assert "loss 0.5" in out


@pytest.mark.parametrize("verb", ["pause", "cancel", "keep", "resume", "events", "show"])
def test_a_job_that_is_no_training_is_not_found(line: Line, verb: str) -> None:
    assert line.error("train", verb, "job_none")[0] == 4


def test_before_rows_leave_it_says_which_and_where_to_and_asks(line: Line, training: str) -> None:
    with line.filling() as (session, ada):
        engine = outside.add_provider(session, "https://api.example.com", model="small-1", by=ada, name="far")
    argv = ("train", "start", "--backend", "openai", "--base-model", "far", "--no-wait")
    line.monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, _, said = line.run(*argv)
    assert code != 0
    assert "1 row to learn and 0 exam rows" in said
    assert "go to https://api.example.com, where small-1 learns from them. Start?" in said
    started = line.json(*argv, "--yes")["training"]
    with line.parts.database.reading() as session:
        assert session.get_one(Job, started).params["provider"] == engine.id
        assert session.get_one(Job, started).id != training


def test_one_looks_before_anything_starts(line: Line, training: str) -> None:
    said = line.json("train", "look", "--base-model", "tiny", "--training-set", "stars")
    assert said["sentence"] == "The one row is learned whole, end marker included."
    assert said["rows"] == [{"row": 1, "left_out": "", "learned": "on its way<|im_end|>"}]
