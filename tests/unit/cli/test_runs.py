"""`goldsmith runs`: look before, see how far it is, stop, go on, ask again, take the answers away."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.unit.cli.conftest import Line

from goldsmith.data import queries as data
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.run.service import JOB_KIND


@dataclass(frozen=True)
class Made:
    """A run of two rows, one of them answered; its job runs."""

    run: str
    job: str
    dataset: str


@pytest.fixture
def made(line: Line) -> Made:
    with line.filling() as (session, ada):
        version = make_dataset_version(session, [{"question": "=one?"}, {"question": "two?"}], by=ada)
        run = make_run(session, version, make_prompt_version(session, by=ada), by=ada, model=make_base_model(session))
        first, second = data.rows(session, version.id)
        make_answer(session, run, first, text="@yes")
        failed = make_answer(session, run, second, text="")
        failed.state, failed.error = "failed", "it broke"
        job = queue.add(session, NewJob(JOB_KIND, "Run a run", {"run_id": run.id}, subject_id=run.id), by=ada)
        run.job_id = job.id
        for state in (JobState.STARTING, JobState.RUNNING):
            queue.move(session, job, state, "test")
        return Made(run.id, job.id, version.dataset_id)


def test_a_run_says_how_far_it_is_and_what_failed(line: Line, made: Made) -> None:
    said = line.json("runs", "show", made.run)
    assert (said["answered"], said["failed"], said["most_frequent_error"]) == (1, 1, "it broke")
    assert (said["job"], said["state"]) == (made.job, "running")


def test_the_first_questions_are_shown_before_anything_is_started(line: Line, made: Made) -> None:
    said = line.json("runs", "preview", made.dataset, "--template", "Say: {{question}}", "--system", "Be kind.")
    assert [one["row"] for one in said] == [1, 2]
    assert said[0]["messages"][0] == {"role": "system", "content": "Be kind."}
    assert said[0]["messages"][1]["content"] == "Say: =one?"
    assert line.json("runs", "preview", made.dataset, "--prompt", "a prompt", "--rows", "1")[0]["row"] == 1


def test_a_question_that_names_no_column_is_refused(line: Line, made: Made) -> None:
    code, problem = line.error("runs", "preview", made.dataset, "--template", "Say: {{answer}}")
    assert (code, problem["type"]) == (2, "prompt-variable-unknown")
    assert "question" in problem["detail"]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_what_runs_is_asked_to_stop(line: Line, made: Made, verb: str) -> None:
    assert line.json("runs", verb, made.run)["asked"] == verb
    with line.parts.database.reading() as session:
        assert session.get_one(Job, made.job).stop_requested == verb


def test_what_is_over_goes_on_or_asks_the_failed_rows_again(line: Line, made: Made) -> None:
    assert line.error("runs", "resume", made.run, "--no-wait")[0] == 5
    with line.filling() as (session, _):
        queue.move(session, session.get_one(Job, made.job), JobState.PAUSED, "test")
    assert line.json("runs", "resume", made.run, "--no-wait")["state"] == "queued"
    with line.filling() as (session, _):
        queue.move(session, session.get_one(Job, made.job), JobState.CANCELLED, "test")
    assert line.json("runs", "retry", made.run, "--no-wait")["state"] == "queued"
    with line.parts.database.reading() as session:
        assert "retry_before" in session.get_one(Job, made.job).params


@pytest.mark.parametrize(("file_format", "sign"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("jsonl", b"{")])
def test_the_answers_are_taken_away_as_a_file(line: Line, made: Made, file_format: str, sign: bytes) -> None:
    said = line.json("runs", "download", made.run, "--format", file_format)
    path = Path(said["file"])
    assert path.name == f"{made.run}.{file_format}"
    assert path.read_bytes().startswith(sign)
    assert path.stat().st_size == said["size_bytes"]


def test_a_file_that_is_there_is_only_replaced_when_asked(line: Line, made: Made, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("precious")
    argv = ("runs", "download", made.run, "--format", "jsonl", "--to", str(path))
    code, problem = line.error(*argv)
    assert (code, problem["type"]) == (5, "file-is-there")
    assert path.read_text() == "precious"
    line.json(*argv, "--overwrite")
    assert [json.loads(one)["answer"] for one in path.read_text().splitlines()] == ["@yes", ""]


def test_a_folder_that_is_not_there_is_said(line: Line, made: Made, tmp_path: Path) -> None:
    code, problem = line.error("runs", "download", made.run, "--to", str(tmp_path / "none" / "a.csv"))
    assert (code, problem["type"]) == (2, "no-such-folder")
