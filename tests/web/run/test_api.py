"""The API over prompts, runs and answers, through HTTP."""

import io
import json
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from starlette.testclient import TestClient
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.web.conftest import Site

from goldsmith.data import queries as data
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.people import service as people
from goldsmith.run import spreadsheet
from goldsmith.run.tables import Answer
from goldsmith.storage import clock

ROWS = [{"question": f"question {number}", "expected": f"label {number}"} for number in range(1, 6)]


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.program()


@pytest.fixture
def version_id(site: Site) -> str:
    with site.database.transaction() as session:
        make_base_model(session, by=site.person)
        return make_dataset_version(session, ROWS, by=site.person, name="tickets").id


@pytest.fixture
def run_id(site: Site, version_id: str) -> str:
    """A run with five answers: the third failed, the fourth was cut off."""
    with site.database.transaction() as session:
        version = data.version(session, version_id)
        prompt = make_prompt_version(session, by=site.person)
        run = make_run(session, version, prompt, by=site.person)
        for row in data.rows(session, version_id):
            answer = make_answer(session, run, row, f"=answer {row.position}")
            answer.duration_ms, answer.answer_tokens = 10.0 * row.position, 6 - row.position
            if row.position == 3:
                answer.state, answer.text, answer.error = "failed", "", "The engine was gone."
            if row.position == 4:
                answer.finish_reason = "length"
        return run.id


def start(client: TestClient, **more: Any) -> dict[str, Any]:
    client.post("/v1/prompts", json={"name": "topics", "template": "Topic of: {{question}}"})
    body = {"model": "tiny", "prompt": "topics", "dataset": "tickets", **more}
    answer = client.post("/v1/runs", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_prompt_is_saved_once_and_changed_into_a_new_version(client: TestClient) -> None:
    first = client.post("/v1/prompts", json={"name": "topics", "template": "Topic of: {{question}}"})
    assert first.status_code == 201
    same = client.post("/v1/prompts", json={"name": "topics", "template": "Topic of: {{question}}"}).json()
    assert same["version"]["id"] == first.json()["version"]["id"]
    client.post("/v1/prompts", json={"name": "topics", "template": "{{question}}?", "system_text": "Be brief."})
    assert [one["number"] for one in client.get(first.headers["location"]).json()["versions"]] == [2, 1]
    assert client.get("/v1/prompts").json()["prompts"][0]["version"]["system_text"] == "Be brief."


def test_a_prompt_is_tried_on_real_rows(client: TestClient, version_id: str) -> None:
    body = {"template": "Topic of: {{question}}", "dataset_version": version_id, "limit": 2}
    said = client.post("/v1/prompts/preview", json=body).json()
    assert said["variables"] == ["question"]
    assert [one["messages"][0]["content"] for one in said["previews"]] == [
        "Topic of: question 1",
        "Topic of: question 2",
    ]
    unknown = client.post("/v1/prompts/preview", json={**body, "template": "{{colour}}"}).json()
    assert "colour" in unknown["previews"][0]["problem"]


def test_a_run_is_written_down_with_its_job(client: TestClient, version_id: str) -> None:
    run = start(client, max_rows=3, temperature=0.5)
    assert (run["num_rows"], run["options"]["temperature"], run["job"]["state"]) == (3, 0.5, "queued")
    assert run["dataset_version_id"] == version_id
    assert client.get(f"/v1/runs/{run['id']}").json() == run
    assert [one["id"] for one in client.get("/v1/runs").json()["runs"]] == [run["id"]]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"model": "nobody"}, "model-not-found"),
        ({"dataset": "nothing"}, "dataset-not-found"),
        ({"prompt": "none"}, "prompt-not-found"),
        ({"max_tokens": 0}, "run-options-not-usable"),
        ({"prompt": None}, "request-not-understood"),
        ({"model": "eng_1"}, "engine-not-found"),
    ],
)
def test_a_run_that_cannot_work_is_refused_with_a_hint(
    client: TestClient, version_id: str, more: dict[str, Any], problem: str
) -> None:
    client.post("/v1/prompts", json={"name": "topics", "template": "Topic of: {{question}}"})
    body = {"model": "tiny", "prompt": "topics", "dataset": "tickets", **more}
    answer = client.post("/v1/runs", json=body)
    assert answer.status_code in (404, 422)
    assert answer.json()["type"] == f"/problems/{problem}"
    assert answer.json()["hint"]
    assert client.get("/v1/runs").json()["runs"] == []


def test_a_run_is_paused_resumed_and_cancelled(site: Site, client: TestClient, version_id: str) -> None:
    run = start(client)
    address = f"/v1/runs/{run['id']}"
    assert client.post(f"{address}/pause").status_code == 409
    with site.database.transaction() as session:
        queue.claim(session, machine="here", slot="cpu")
        queue.to_running(session, jobs.one(session, run["job"]["id"]))
    assert client.post(f"{address}/resume").status_code == 409
    assert client.post(f"{address}/retry-failed").status_code == 409
    assert client.post(f"{address}/pause").json()["job"]["stop_requested"] == "pause"
    with site.database.transaction() as session:
        queue.move(session, jobs.one(session, run["job"]["id"]), JobState.PAUSED, "paused")
    resumed = client.post(f"{address}/resume").json()["job"]
    assert (resumed["state"], resumed["attempt"]) == ("queued", 2)
    assert client.post(f"{address}/cancel").json()["job"]["state"] == "cancelled"


def test_what_failed_can_be_asked_again(site: Site, client: TestClient, version_id: str) -> None:
    run = start(client)
    address = f"/v1/runs/{run['id']}"
    with site.database.transaction() as session:
        queue.claim(session, machine="here", slot="cpu")
        queue.to_running(session, jobs.one(session, run["job"]["id"]))
        queue.finish(session, jobs.one(session, run["job"]["id"]))
    assert client.post(f"{address}/retry-failed").json()["type"] == "/problems/nothing-to-retry"
    with site.database.transaction() as session:
        row = data.rows(session, version_id)[0]
        values = {"run_id": run["id"], "row_id": row.id, "position": 1, "state": "failed", "text": ""}
        session.add(Answer(id="ans_1", at=clock.now(), **values))
    again = client.post(f"{address}/retry-failed").json()
    assert (again["job"]["state"], again["progress"]["num_failed"]) == ("queued", 1)


def test_answers_are_filtered_searched_sorted_and_paged(client: TestClient, run_id: str) -> None:
    address = f"/v1/runs/{run_id}/answers"

    def positions(**query: Any) -> list[int]:
        return [one["position"] for one in client.get(address, params=query).json()["answers"]]

    assert positions() == [1, 2, 3, 4, 5]
    assert positions(filter="failed") == [3]
    assert positions(filter="cut_off") == [4]
    assert positions(search="question 2") == [2]
    assert positions(sort="slowest") == [5, 4, 3, 2, 1]
    assert positions(sort="longest", limit=2) == [1, 2]
    first = client.get(address, params={"limit": 2, "sort": "slowest"}).json()
    assert positions(sort="slowest", after=first["next_after"]) == [3, 2, 1]
    one = client.get(address).json()["answers"][0]
    assert (one["row"], one["text"], one["mark"]) == (ROWS[0], "=answer 1", None)


def test_answers_are_taken_away_as_files(client: TestClient, run_id: str) -> None:
    table = client.get(f"/v1/runs/{run_id}/download", params={"format": "csv"})
    assert table.headers["content-disposition"] == f'attachment; filename="{run_id}.csv"'
    assert table.headers["x-content-type-options"] == "nosniff"
    assert "'=answer 1" in table.text
    lines = client.get(f"/v1/runs/{run_id}/download", params={"format": "jsonl"}).text.splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["=answer 1", "=answer 2", "", "=answer 4", "=answer 5"]
    book = client.get(f"/v1/runs/{run_id}/download", params={"format": "xlsx"})
    assert book.headers["content-type"] == spreadsheet.MEDIA_TYPE
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert [row[3] for row in sheet] == ["answer", "'=answer 1", "'=answer 2", "", "'=answer 4", "'=answer 5"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/runs/run_x",
        "/v1/runs/run_x/answers",
        "/v1/runs/run_x/download?format=csv",
        "/v1/prompts/pr_x",
        "/v1/runs/x%00y",
        "/v1/runs/run_x/answers?after=1e999",
        "/v1/runs/run_x/answers?sort=colour",
        "/v1/runs/run_x/download?format=exe",
    ],
)
def test_what_is_not_there_is_a_problem_with_a_hint(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]


def test_another_organisations_runs_are_not_there(site: Site, client: TestClient) -> None:
    with site.database.transaction() as session:
        eve = people.known_by_name(session, "Eve", domain="elsewhere")
        version = make_dataset_version(session, ROWS, by=eve)
        prompt = make_prompt_version(session, by=eve)
        run = make_run(session, version, prompt, by=eve)
        make_base_model(session, by=site.person)
        wording = prompt.id
    paths = (f"/v1/runs/{run.id}", f"/v1/runs/{run.id}/answers", f"/v1/runs/{run.id}/download?format=csv")
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]
    body = {"model": "tiny", "prompt_version": wording, "dataset_version": version.id}
    assert client.post("/v1/runs", json=body).status_code == 404
    assert (
        client.post("/v1/prompts/preview", json={"template": "{{q}}", "dataset_version": version.id}).status_code == 404
    )
