"""`goldsmith jobs`: what has ended is listed until it was seen."""

from datetime import timedelta

from tests.factories import make_job
from tests.unit.cli.conftest import Line

from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.storage import clock


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
