"""The pages of batches, through HTTP, over a real database."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests import factories
from tests.web.conftest import Site, make_site

from goldsmith.data.tables import StoredFile
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.people.types import Person
from goldsmith.run.batches import queries, service
from goldsmith.run.batches.tables import BatchedRequest
from goldsmith.run.batches.types import BatchStatus, NewBatch
from goldsmith.storage import clock
from goldsmith.web.batches import handlers
from goldsmith.web.factory import Routers
from goldsmith.web.jobs import handlers as jobs_handlers
from goldsmith.web.openai import batches as api
from goldsmith.web.openai import files as files_api

LINE = {
    "custom_id": "r1",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "tiny-2", "messages": [{"role": "user", "content": "Where is it?"}]},
}


@pytest.fixture
def batch_site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    routers = Routers([handlers.pages, jobs_handlers.pages], openai=[api.openai, files_api.openai])
    site = make_site(tmp_path, routers, database_url=database_url)
    with site.database.transaction() as session:
        factories.make_base_model(session, by=site.person, name="tiny-2")
    yield site
    site.database.dispose()


def look_at(client: TestClient, content: bytes, name: str = "ask.jsonl") -> tuple[str, dict[str, str]]:
    """The look at a file, and the form on it."""
    answer = client.post("/batches/preview", files={"file": (name, content)})
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    text = client.get(address).text
    sha256 = address.split("/")[-1].split("?")[0]
    return text, {"upload": sha256, "filename": name, "endpoint": "/v1/chat/completions", "window": "7d"}


def make_batch(site: Site, *, answered: int = 0, failed: int = 0, waiting: int = 0) -> str:
    """A batch at work."""
    with site.database.transaction() as session:
        new = NewBatch("file-1", "ask.jsonl", "0" * 64, "/v1/chat/completions")
        batch = service.create(session, new, by=site.person)
        service.begin_asking(session, batch, ["bm_1"], by=site.person)
        batch.num_requests = answered + failed + waiting
        states = ["answered"] * answered + ["failed"] * failed + ["waiting"] * waiting
        for line, state in enumerate(states, start=1):
            row = BatchedRequest(id=f"batch_req_{line}", batch_id=batch.id, line=line, custom_id=f"r{line}")
            row.model_id, row.start_byte, row.num_bytes, row.state = "bm_1", 0, 1, state
            row.response, row.status_code = ('{"x":1}', 200) if state == "answered" else (None, None)
            row.error = "It took too long." if state == "failed" else None
            session.add(row)
        return batch.id


def test_with_nothing_the_page_says_what_to_do(batch_site: Site) -> None:
    text = batch_site.browser().get("/batches").text
    assert "No batch was sent yet" in text
    assert 'href="/batches/new"' in text
    assert "tiny-2" in batch_site.browser().get("/batches/new").text


def test_a_file_is_looked_at_and_then_sent(batch_site: Site) -> None:
    client = batch_site.browser()
    text, form = look_at(client, json.dumps(LINE).encode())
    assert "Where is it?" in text
    assert "tiny-2" in text
    with batch_site.database.reading() as session:
        assert queries.page(session, domain="local") == []
    answer = client.post("/batches", data=form)
    assert answer.status_code == 303
    with batch_site.database.reading() as session:
        batch = queries.page(session, domain="local")[0]
        assert (batch.completion_window, batch.input_name) == ("7d", "ask.jsonl")
        assert session.get_one(StoredFile, batch.input_file_id).purpose == "batch"
    page = client.get(answer.headers["location"]).text
    assert "Check the file" in page
    assert "ask.jsonl" in client.get("/batches").text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file has no requests."),
        (b"\x00\x01", "Line 1: This line is not parseable as valid JSON."),
        (json.dumps(LINE).replace("tiny-2", "gpt-9").encode(), "does not exist here"),
        ((json.dumps(LINE) + "\n").encode() * 2, "is a duplicate"),
        (json.dumps({**LINE, "custom_id": "<script>"}).encode() + b"\n{}", "Missing required parameter"),
    ],
)
def test_a_file_with_a_fault_cannot_be_started_and_its_lines_are_named(
    batch_site: Site, content: bytes, said: str
) -> None:
    text, _ = look_at(batch_site.browser(), content)
    assert said in text
    assert "The file has faults." in text
    assert "<script>" not in text


def test_a_form_that_nobody_made_is_refused_and_nothing_is_queued(batch_site: Site) -> None:
    client = batch_site.browser()
    good = {"upload": "0" * 64, "filename": "x", "endpoint": "/v1/chat/completions", "window": "24h"}
    for changes in ({"upload": "../x"}, {"window": "100d"}, {"endpoint": "/admin"}, {"filename": ""}, {}):
        assert client.post("/batches", data=good | changes).status_code in (404, 422), changes
    assert client.get(f"/batches/preview/{'0' * 64}").status_code == 404
    with batch_site.database.reading() as session:
        assert queries.page(session, domain="local") == []


def test_what_is_there_is_taken_while_it_goes_on(batch_site: Site) -> None:
    batch_id = make_batch(batch_site, answered=3, failed=1, waiting=5)
    client = batch_site.browser()
    text = client.get(f"/batches/{batch_id}").text
    assert "The answers so far" in text
    assert "It took too long." in text
    answer = client.get(f"/batches/{batch_id}/output.jsonl")
    assert [json.loads(line)["custom_id"] for line in answer.text.splitlines()] == ["r1", "r2", "r3"]
    assert "attachment" in answer.headers["content-disposition"]
    assert len(client.get(f"/batches/{batch_id}/errors.jsonl").text.splitlines()) == 1
    assert client.get(f"/batches/{batch_id}/secrets.jsonl").status_code in (404, 422)


def test_it_is_cancelled_by_a_button_and_then_cannot_be_again(batch_site: Site) -> None:
    batch_id = make_batch(batch_site, answered=1, waiting=1)
    client = batch_site.browser()
    assert "/cancel" in client.get(f"/batches/{batch_id}").text
    assert client.post(f"/batches/{batch_id}/cancel").status_code == 303
    text = client.get(f"/batches/{batch_id}").text
    assert "stopping" in text
    assert f'"/batches/{batch_id}/cancel"' not in text


def test_one_that_failed_in_the_middle_goes_on_by_a_button(batch_site: Site) -> None:
    batch_id = make_batch(batch_site, answered=1, waiting=2)
    with batch_site.database.transaction() as session:
        job = jobs.newest_of(session, batch_id, "batch")
        assert job is not None
        for state in (JobState.STARTING, JobState.RUNNING):
            queue.move(session, job, state, "begun")
        queue.fail(session, job, JobFailure("engine", "The engine stayed away.", "Start it.", ""))
        batch = queries.one(session, batch_id)
        service.end(session, batch, BatchStatus.FAILED)
        batch.faults = [{"code": "engine", "message": "The engine stayed away.", "line": None, "param": None}]
    client = batch_site.browser()
    text = client.get(f"/batches/{batch_id}").text
    assert "The engine stayed away." in text
    assert "Go on with the rest" in text
    assert client.post(f"/batches/{batch_id}/resume").status_code == 303
    with batch_site.database.reading() as session:
        assert jobs.newest_of(session, batch_id, "batch").state == "queued"  # type: ignore[union-attr]


def test_what_is_over_does_not_go_on(batch_site: Site) -> None:
    batch_id = make_batch(batch_site, answered=2)
    with batch_site.database.transaction() as session:
        batch = queries.one(session, batch_id)
        batch.expires_at = clock.now()
        service.end(session, batch, BatchStatus.EXPIRED)
    client = batch_site.browser()
    assert "Its time is over" in client.get(f"/batches/{batch_id}").text
    assert client.post(f"/batches/{batch_id}/resume").status_code == 409


def test_its_jobs_lead_to_it_and_it_to_them(batch_site: Site) -> None:
    batch_id = make_batch(batch_site, waiting=1)
    client = batch_site.browser()
    with batch_site.database.reading() as session:
        found = jobs.all_of(session, batch_id)
    assert len(found) == 2
    for job in found:
        assert f"/activity/{job.id}" in client.get(f"/batches/{batch_id}").text
        assert f"/batches/{batch_id}" in client.get(f"/activity/{job.id}").text


def test_nobody_sees_the_batches_of_another_organisation(batch_site: Site) -> None:
    with batch_site.database.transaction() as session:
        other = Person("per_other", "Eve", "elsewhere")
        foreign = service.create(session, NewBatch("f", "x", "0" * 64, "/v1/completions"), by=other).id
    client = batch_site.browser()
    assert foreign not in client.get("/batches").text
    for address in (f"/batches/{foreign}", f"/batches/{foreign}/output.jsonl"):
        assert client.get(address).status_code == 404
    assert client.post(f"/batches/{foreign}/cancel").status_code == 404


def test_programs_look_at_a_file_too(batch_site: Site) -> None:
    program = batch_site.program()
    sent = program.post("/v1/files", data={"purpose": "batch"}, files={"file": ("a.jsonl", json.dumps(LINE).encode())})
    found = program.post("/v1/batches/preview", json={"input_file_id": sent.json()["id"]}).json()
    assert found["request_counts"] == {"total": 1}
    assert found["errors"] is None
    assert found["models"][0]["model"] == "tiny-2"
