"""`goldsmith jobs`: what has ended is listed until it was seen."""

import zipfile
from datetime import timedelta
from pathlib import Path

from tests.factories import make_job
from tests.unit.cli.conftest import Line

from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.storage import clock


def test_a_bundle_is_written_and_replaces_nothing_unasked(line: Line, tmp_path: Path) -> None:
    with line.filling() as (session, person):
        job_id = make_job(session, by=person, kind="training").id
    target = tmp_path / "bundle.zip"
    assert line.json("jobs", "bundle", job_id, "--to", str(target))["file"] == str(target)
    assert zipfile.is_zipfile(target)
    code, problem = line.error("jobs", "bundle", job_id, "--to", str(target))
    assert (code, problem["type"]) == (5, "file-is-there")


def test_what_has_ended_is_listed_until_it_is_dismissed(line: Line) -> None:
    with line.filling() as (session, person):
        job = make_job(session, by=person, kind="training")
        queue.claim(session, machine="m", slot=None)
        queue.move(session, job, JobState.RUNNING, "its program was started")
        job.started_at = clock.now() - timedelta(minutes=1)
        queue.finish(session, job)
        job_id = job.id
    assert [one["id"] for one in line.json("jobs", "ended")] == [job_id]
    assert [one["state"] for one in line.json("jobs", "ended", "--dismiss")] == ["succeeded"]
    assert line.json("jobs", "ended") == []
