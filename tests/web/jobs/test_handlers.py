"""The activity pages and the API over jobs, through HTTP, over a real database."""

import io
import zipfile
from datetime import timedelta

import pytest
from tests.web.conftest import Site

from goldsmith.jobs import queries, queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.people import service
from goldsmith.people.types import Person
from goldsmith.serve import history
from goldsmith.serve.types import HistoryAction
from goldsmith.storage import clock


def add_job(site: Site, title: str = "Train support-1", *, is_running: bool = False) -> str:
    with site.database.transaction() as session:
        job_id = queue.add(session, NewJob("training", title, {}), by=site.person).id
        if is_running:
            queue.claim(session, machine="m", slot=None)
            queue.move(session, queries.one(session, job_id), JobState.RUNNING, "its program was started")
            queue.report(session, queries.one(session, job_id), progress=0.4, message="step 18 of 45")
    return job_id


def fail_job(site: Site, job_id: str) -> None:
    with site.database.transaction() as session:
        failure = JobFailure("oom", "It ran out of memory.", "Use 4 rows a step.", "can't allocate")
        queue.fail(session, queries.one(session, job_id), failure)


def test_an_empty_house_says_what_will_be_here(site: Site) -> None:
    assert "Nothing here yet" in site.browser().get("/activity").text


def test_running_jobs_come_first_with_their_progress(site: Site) -> None:
    add_job(site, "Compare")
    running = add_job(site, "Train <b>", is_running=False)
    with site.database.transaction() as session:
        queue.claim(session, machine="m", slot=None)
    text = site.browser().get("/activity").text
    assert text.index("Running now") < text.index("All activity")
    assert f"/activity/{running}" in text
    assert "Train &lt;b&gt;" in text
    assert "1 running" in text


def test_an_engine_that_died_by_itself_is_told(site: Site) -> None:
    with site.database.transaction() as session:
        by = Person("goldsmith", "Goldsmith", site.person.domain)
        history.record(session, HistoryAction.CRASH, "base_1", by=by, config={"why": "Killed"})
    text = site.browser().get("/activity").text
    assert "The engine of base_1 died" in text
    assert "Killed" in text
    assert "What is live" not in site.browser().get("/activity?state=failed").text


def test_the_fragment_for_htmx_has_no_page_around_it(site: Site) -> None:
    job_id = add_job(site, is_running=True)
    text = site.browser().get(f"/activity/{job_id}", headers={"hx-request": "true"}).text
    assert "<title>" not in text
    assert "step 18 of 45" in text


def test_a_failed_job_says_why_what_to_do_and_shows_its_log(site: Site) -> None:
    job_id = add_job(site, is_running=True)
    fail_job(site, job_id)
    log = JobFolder.of(site.home, job_id).log(1)
    log.parent.mkdir(parents=True)
    log.write_bytes(b"step 17\nred \x1b[31malert\x00 <i>\n")
    text = site.browser().get(f"/activity/{job_id}").text
    assert "It ran out of memory." in text
    assert "It ran out of memory" in site.browser().get("/activity").text
    assert "Use 4 rows a step." in text
    assert "red \\x1b[31malert\\x00 &lt;i&gt;" in text
    assert "Try again" in text


def test_a_failed_job_offers_a_bundle_for_whoever_helps(site: Site) -> None:
    job_id = add_job(site, "Train Ada's project", is_running=True)
    fail_job(site, job_id)
    assert f'href="/activity/{job_id}/bundle"' in site.browser().get(f"/activity/{job_id}").text
    for answer in (
        site.browser().get(f"/activity/{job_id}/bundle"),
        site.program().get(f"/v1/jobs/{job_id}/bundle"),
    ):
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"] == f'attachment; filename="goldsmith-{job_id}.zip"'
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            assert "It ran out of memory." in bundle.read("job.json").decode()
            assert "Ada" not in "".join(bundle.read(name).decode() for name in bundle.namelist())
    assert site.program().get("/v1/jobs/job_none/bundle").status_code == 404


def test_cancel_pause_and_go_on_work_without_javascript(site: Site) -> None:
    client = site.browser()
    waiting = add_job(site)
    answer = client.post(f"/activity/{waiting}/cancel")
    assert answer.headers["location"] == f"/activity/{waiting}"
    page = client.get(f"/activity/{waiting}").text
    assert "Asked to stop." in page
    assert "Asked to stop." not in client.get(f"/activity/{waiting}").text
    assert client.post(f"/activity/{waiting}/resume").status_code == 303
    assert client.post(f"/activity/{waiting}/pause").status_code == 409


def test_the_api_lists_shows_and_stops_jobs(site: Site) -> None:
    client = site.program()
    job_id = add_job(site, is_running=True)
    assert [job["id"] for job in client.get("/v1/jobs?state=running").json()["jobs"]] == [job_id]
    assert client.get(f"/v1/jobs/{job_id}").json()["progress"] == 0.4
    assert client.post(f"/v1/jobs/{job_id}/pause").json()["stop_requested"] == "pause"
    assert client.post(f"/v1/jobs/{job_id}/resume").status_code == 409
    assert client.get("/v1/jobs/job_x").json()["type"] == "/problems/job-not-found"


def test_jobs_are_paged_by_their_ids(site: Site) -> None:
    ids = [add_job(site, f"Job {n}") for n in range(5)]
    client = site.program()
    first = client.get("/v1/jobs?limit=3").json()
    second = client.get(f"/v1/jobs?limit=3&before={first['before']}").json()
    assert {job["id"] for job in first["jobs"] + second["jobs"]} == set(ids)
    assert second["before"] is None


def test_events_are_a_list_that_goes_on_behind_an_id(site: Site) -> None:
    client = site.program()
    job_id = add_job(site, is_running=True)
    events = client.get(f"/v1/jobs/{job_id}/events").json()
    assert [event["kind"] for event in events["events"]] == ["queued", "starting", "running"]
    assert client.get(f"/v1/jobs/{job_id}/events?after={events['after']}").json()["events"] == []


@pytest.mark.parametrize("path", ["/activity/{}", "/v1/jobs/{}", "/v1/jobs/{}/events"])
def test_another_organisations_job_does_not_exist(site: Site, path: str) -> None:
    with site.database.transaction() as session:
        stranger = service.known_by_name(session, "Eve", domain="elsewhere")
        job_id = queue.add(session, NewJob("training", "Secret", {}), by=stranger).id
    assert site.program().get(path.format(job_id)).status_code == 404
    assert "Secret" not in site.browser().get("/activity").text


def end_job(site: Site, title: str) -> str:
    job_id = add_job(site, title, is_running=True)
    with site.database.transaction() as session:
        job = queries.one(session, job_id)
        job.started_at = clock.now() - timedelta(minutes=3)
        queue.finish(session, job)
    return job_id


def test_what_ended_is_told_on_every_page_until_it_is_dismissed(site: Site) -> None:
    first, second = end_job(site, "Train <b>"), end_job(site, "Train more")
    browser = site.browser()
    page = browser.get("/activity").text
    assert "Ended since you last looked" in page
    assert page.index("Train more") < page.index("Train &lt;b&gt;")
    assert 'href="/training/' not in page
    assert "2 notices" in page
    assert "2 notices" in browser.get("/design").text
    assert browser.post(f"/activity/{first}/dismiss").headers["location"] == "/activity#notices"
    assert "1 notice" in browser.get("/activity").text
    assert "1 notice" in browser.get("/activity/bell").text
    browser.post("/activity/dismiss")
    page = browser.get("/activity").text
    assert "Ended since" not in page
    assert "No notices" in page
    assert second in page


def test_a_program_reads_and_dismisses_notices(site: Site) -> None:
    job_id = end_job(site, "Train more")
    program = site.program()
    assert [job["id"] for job in program.get("/v1/notices").json()["notices"]] == [job_id]
    assert program.post("/v1/notices/dismiss", json={"job_ids": ["job_other"]}).json() == {"num_dismissed": 0}
    assert program.post("/v1/notices/dismiss", json={}).json() == {"num_dismissed": 1}
    assert program.get("/v1/notices").json() == {"notices": []}
