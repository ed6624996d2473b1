"""A model is taken out from the command line; the file goes where it was asked for, or nothing is begun."""

import threading
import zipfile
from pathlib import Path

import pytest
from tests.exporting import StandInExport, make_kept_model
from tests.unit.cli.conftest import Line

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.worker import Worker
from goldsmith.models.exports import queries as exports


@pytest.fixture
def model_id(line: Line) -> str:
    with line.filling() as (session, person):
        return make_kept_model(session, line.home, by=person).id


def work_once(line: Line, is_over: threading.Event) -> None:
    """Do the export as soon as it is asked for."""
    kinds = {exports.KIND: StandInExport()}
    while not is_over.wait(0.02):
        with line.parts.database.transaction() as session:
            job = queue.claim(session, machine="here", slot="cpu")
        if job is None:
            continue
        for stage in kinds[exports.KIND].stages:
            with line.parts.database.transaction() as session:
                queue.begin_stage(session, jobs.one(session, job.id), stage.name)
                queue.to_running(session, jobs.one(session, job.id))
            Worker(line.parts.database, line.home, kinds).work(job.id, stage.name, job.lease_number)
        with line.parts.database.transaction() as session:
            queue.move(session, jobs.one(session, job.id), JobState.SUCCEEDED, "finished")


def test_the_file_lies_where_it_was_asked_for(line: Line, model_id: str, tmp_path: Path) -> None:
    is_over = threading.Event()
    thread = threading.Thread(target=work_once, args=(line, is_over))
    thread.start()
    try:
        said = line.json("models", "export", model_id, "--as", "adapter", "--to", str(tmp_path / "out.zip"))
    finally:
        is_over.set()
        thread.join()
    assert said["is_good"]
    assert said["file"] == str(tmp_path / "out.zip")
    assert zipfile.is_zipfile(tmp_path / "out.zip")


def test_a_file_that_is_there_is_not_replaced_and_nothing_is_begun(line: Line, model_id: str, tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_text("mine")
    code, _, err = line.run("models", "export", model_id, "--to", str(tmp_path / "out.zip"))
    assert code != 0
    assert "is there already" in err
    assert line.json("jobs", "list") == []


def test_without_waiting_only_the_job_is_said(line: Line, model_id: str) -> None:
    said = line.json("models", "export", "Support triage", "--no-wait")
    assert (said["model"], said["state"]) == (model_id, "queued")
    code, _, err = line.run("models", "export", model_id, "--no-wait", "--to", "x.zip")
    assert code != 0
    assert "--to waits" in err


def test_a_model_is_merged_from_the_command_line(line: Line, model_id: str) -> None:
    said = line.json("models", "merge", model_id, "--no-wait")
    assert (said["model"], said["merged_model"], said["state"], said["speed"]) == (model_id, None, "queued", None)
    assert len(line.json("jobs", "list")) == 1
