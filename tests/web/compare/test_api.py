"""The API over comparisons, through HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.web.conftest import Site
from tests.web.models.factories import make_tuned_model
from tests.web.workers import work_off

from goldsmith.compare import queries
from goldsmith.compare.jobs import ComparisonKind
from goldsmith.compare.outcome import record_outcome
from goldsmith.data import queries as data
from goldsmith.run import queries as runs
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.stars import export
from goldsmith.stars import service as stars
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest
from goldsmith.testing import FakeEngine
from goldsmith.testing.fake_answers import Adapter

NUM_ROWS, NUM_EXAM = 20, 10
NUM_RIGHT = {"base": 2, "examples": 3, "tuned": 9}


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.program()


@pytest.fixture
def model_id(site: Site) -> str:
    """A tuned model whose training set has an exam of ten rows."""
    with site.database.transaction() as session:
        rows = [{"question": f"question {number}"} for number in range(NUM_ROWS)]
        version = make_dataset_version(session, rows, by=site.person)
        run = make_run(session, version, make_prompt_version(session, by=site.person), by=site.person)
        for row in data.rows(session, version.id):
            answer = make_answer(session, run, row, f"label {row.position}")
            stars.mark(session, answer.id, MarkRequest(MarkKind.star), by=site.person)
        training_set = export.export(session, site.home, ExportRequest("stars", exam_share=0.5), by=site.person)
        model = make_tuned_model(session, make_base_model(session, by=site.person), by=site.person)
        model.training_set_id = training_set.id
        return model.id


def start(client: TestClient, model_id: str, **more: Any) -> Any:
    answer = client.post("/v1/fine-tuning/ab-test", json={"models": [model_id], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def answer_all(site: Site, comparison_id: str) -> None:
    """What the worker would write: the first rows of every arm are right."""
    with site.database.transaction() as session:
        comparison = queries.one(session, comparison_id, domain=site.person.domain)
        rows = queries.exam_rows(session, comparison.training_set_id or "")
        for arm in queries.arms(session, comparison_id):
            run = runs.one(session, arm.run_id)
            for place, row in enumerate(rows):
                text = row.expected if place < NUM_RIGHT[arm.name] else "other"
                make_answer(session, run, data.row(session, row.row_id), text)
        record_outcome(session, comparison_id, by="job_1")


def test_a_comparison_puts_the_base_beside_the_model(client: TestClient, model_id: str) -> None:
    made = start(client, model_id)
    assert (made["test_count"], made["state"], made["fine_tuned_model_id"]) == (NUM_EXAM, "queued", model_id)
    shown = client.get(f"/v1/fine-tuning/comparisons/{made['id']}").json()
    assert [arm["name"] for arm in shown["arms"]] == ["base", "examples", "tuned"]
    assert shown["rows"][0]["answers"] == {"base": None, "examples": None, "tuned": None}
    assert client.get("/v1/fine-tuning/comparisons", params={"model_id": model_id}).json()["comparisons"] == [made]
    model = client.get(f"/v1/fine-tuning/models/{model_id}").json()
    assert model["lineage"]["comparisons"] == [f"/v1/fine-tuning/comparisons/{made['id']}"]


def test_the_verdict_stands_beside_figures_and_rows(site: Site, client: TestClient, model_id: str) -> None:
    made = start(client, "support-1", exam="stars", name="First look")
    answer_all(site, made["id"])
    shown = client.get(f"/v1/fine-tuning/comparisons/{made['id']}").json()
    assert shown["verdict"]["kind"] == "better"
    assert (shown["fine_tuned_wins"], shown["base_model_wins"], shown["ties"]) == (7, 0, 3)
    figures = {arm["name"]: arm["figures"] for arm in shown["arms"]}
    assert {name: one["num_right"] for name, one in figures.items()} == NUM_RIGHT
    row = shown["rows"][2]
    assert {name: cell["is_right"] for name, cell in row["answers"].items()} == {
        "base": False,
        "examples": True,
        "tuned": True,
    }
    assert row["asked"][-1]["role"] == "user"


def test_rows_side_by_side_are_paged(client: TestClient, model_id: str) -> None:
    address = f"/v1/fine-tuning/comparisons/{start(client, model_id, max_rows=8)['id']}"
    first = client.get(address, params={"limit": 5}).json()
    rest = client.get(address, params={"after": first["after"]}).json()
    positions = [row["position"] for row in first["rows"] + rest["rows"]]
    assert positions == sorted(positions)
    assert (len(first["rows"]), len(rest["rows"])) == (5, 3)


def test_rows_of_a_dataset_are_asked_but_for_those_that_were_learned(
    site: Site, client: TestClient, model_id: str
) -> None:
    add_dataset(site, "tests", answer_column="label")
    made = start(client, model_id, dataset="tests")
    assert made["training_set_id"] is None
    learned = [row["messages"][0]["content"] for row in side(client, "learn")]
    shown = client.get(f"/v1/fine-tuning/comparisons/{made['id']}").json()
    asked = [row["asked"][0]["content"] for row in shown["rows"]]
    assert asked == [f"question {number}" for number in range(NUM_ROWS + 6) if f"question {number}" not in learned]
    assert made["test_count"] == len(asked) == NUM_EXAM + 6
    assert shown["rows"][-1]["expected"] == f"label {NUM_ROWS + 5}"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"dataset": "tests"}, "dataset-without-answers"),
        ({"dataset": "nothing"}, "dataset-not-found"),
        ({"dataset": "tests", "exam": "stars"}, "request-not-understood"),
    ],
)
def test_a_dataset_that_cannot_be_asked_is_refused(
    site: Site, client: TestClient, model_id: str, body: dict[str, Any], problem: str
) -> None:
    add_dataset(site, "tests", answer_column=None)
    answer = client.post("/v1/fine-tuning/ab-test", json={"models": [model_id], **body})
    assert answer.json()["type"] == f"/problems/{problem}"
    assert answer.json()["hint"]


def add_dataset(site: Site, name: str, *, answer_column: str | None) -> None:
    """The learned and exam questions, and six new ones, each with its right answer; one more has none."""
    rows = [{"question": f"question {number}", "label": f"label {number}"} for number in range(NUM_ROWS + 6)]
    with site.database.transaction() as session:
        version = make_dataset_version(session, [*rows, {"question": "new", "label": " "}], by=site.person, name=name)
        version.answer_column = answer_column


def side(client: TestClient, name: str) -> list[dict[str, Any]]:
    """One side of the training set."""
    set_id = client.get("/v1/training-sets").json()["training_sets"][0]["id"]
    rows: list[dict[str, Any]] = client.get(f"/v1/training-sets/{set_id}/rows", params={"side": name}).json()["rows"]
    return rows


@pytest.mark.enable_socket
def test_every_arm_may_write_as_much_as_was_said(site: Site, client: TestClient, model_id: str) -> None:
    made = start(client, model_id, max_tokens=24)
    with FakeEngine(made["base_model_id"]) as engine:
        engine.adapters[model_id] = Adapter(model_id, site.home.models, has_effect=False)
        point_engine(site, engine.url)
        work_off(site, ComparisonKind())
        assert [body["max_tokens"] for body in engine.requests] == [24] * (4 * NUM_EXAM)
    shown = client.get(f"/v1/fine-tuning/comparisons/{made['id']}").json()
    assert (shown["state"], shown["verdict"]["num_rows"]) == ("succeeded", NUM_EXAM)


def point_engine(site: Site, url: str) -> None:
    """Say in the database that both models are live at a URL."""
    with site.database.transaction() as session:
        engine = session.query(Engine).one()
        engine.kind, engine.url, engine.state, engine.is_wanted = "attached", url, "ready", True
        for deployment in session.query(Deployment):
            deployment.state, deployment.generation, deployment.is_wanted = "loaded", engine.generation, True


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"models": []}, "request-not-understood"),
        ({"models": ["nobody"]}, "model-not-found"),
        ({"models": ["tiny"]}, "models-not-comparable"),
        ({"models": ["support-1"], "exam": "none"}, "training-set-not-found"),
        ({"models": ["support-1"], "judge": {"model": "x"}}, "request-not-understood"),
        ({"models": ["support-1"], "max_rows": 2}, "no-exam"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_hint(
    client: TestClient, model_id: str, body: dict[str, Any], problem: str
) -> None:
    answer = client.post("/v1/fine-tuning/ab-test", json=body)
    assert answer.status_code in (404, 422)
    assert answer.json()["type"] == f"/problems/{problem}"
    assert answer.json()["hint"]
    assert client.get("/v1/fine-tuning/comparisons").json()["comparisons"] == []


def test_a_comparison_that_is_not_there_is_a_problem(client: TestClient) -> None:
    answer = client.get("/v1/fine-tuning/comparisons/cmp_x")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/comparison-not-found")
