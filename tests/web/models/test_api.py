"""The API over models and environments, through HTTP."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.factories import make_base_model
from tests.web.conftest import Site
from tests.web.models.factories import make_tuned_model
from tests.web.workers import work_off

from goldsmith.models.hub_access import HubAccess
from goldsmith.models.jobs import FolderKind, HubKind
from goldsmith.testing import FakeHub, write_small_model
from goldsmith.web import waiting


@pytest.fixture
def client(site: Site, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    return site.program()


@pytest.fixture
def model_id(site: Site) -> str:
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person)
        return make_tuned_model(session, base, by=site.person).id


def test_a_tuned_model_has_dated_figures_and_a_lineage(client: TestClient, model_id: str) -> None:
    assert [one["id"] for one in client.get("/v1/fine-tuning/models").json()["models"]] == [model_id]
    model = client.get("/v1/fine-tuning/models/support-1").json()
    assert model["id"] == model_id
    assert model["metrics"]["win_rate"] == {"value": 0.8, "measured": {"by": "job_1", "at": "2026-01-02"}}
    assert model["metrics"]["latency_ms"] == {"value": None, "measured": None}
    assert model["lineage"]["training_job"] == "/v1/fine-tuning/jobs/job_1"
    assert client.get(model["lineage"]["base_model"]).json()["name"] == "tiny"


def test_callers_see_what_they_may_choose(client: TestClient, model_id: str) -> None:
    base, tuned = client.get("/api/models/available").json()["models"]
    assert set(base) == {"id", "name", "type", "status", "size_gb"}
    assert (base["type"], base["status"]) == ("base", "available")
    wanted = {"id", "name", "type", "status", "base_model", "version", "win_rate", "deployed_at"}
    assert set(tuned) == wanted
    assert (tuned["type"], tuned["status"], tuned["win_rate"]) == ("fine_tuned", "trained", 0.8)


def test_a_builtin_model_is_fetched_by_a_job(site: Site, client: TestClient) -> None:
    name = client.get("/v1/base-models").json()["builtins"][0]["name"]
    answer = client.post("/v1/base-models", json={"builtin": name})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert client.get(answer.headers["location"]).json()["subject_id"] == name
    with site.database.transaction() as session:
        make_base_model(session, by=site.person, name=name)
    there = client.post("/v1/base-models", json={"builtin": name})
    assert (there.status_code, there.json()["model"]["name"]) == (200, name)
    assert client.get("/v1/base-models").json()["builtins"][0]["is_there"]


def test_a_folder_is_imported_only_from_where_it_may_be(site: Site, client: TestClient, tmp_path: Path) -> None:
    elsewhere = client.post("/v1/base-models", json={"path": "/etc", "name": "x"})
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (403, "/problems/path-not-allowed")
    folder = tmp_path / "imports" / "pickled"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({}))
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02")
    answer = client.post("/v1/base-models", json={"path": str(folder), "name": "pickled"})
    if answer.status_code == 202:
        work_off(site, FolderKind())
        job = client.get(answer.headers["location"]).json()
        assert (job["state"], job["failure"]["kind"]) == ("failed", "model-refused")
    else:
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/model-refused")


def test_a_hubs_model_is_brought_by_a_job(site: Site, client: TestClient, tmp_path: Path) -> None:
    with FakeHub() as hub:
        hub.add("Org/Small", {path.name: path.read_bytes() for path in write_small_model(tmp_path / "m").iterdir()})
        answer = client.post("/v1/base-models", json={"hub_id": "org/small"})
        assert (answer.status_code, answer.json()["state"]) == (202, "queued")
        work_off(site, HubKind(access=lambda home: HubAccess(hub.url)))
        job = client.get(answer.headers["location"]).json()
        assert job["state"] == "succeeded", job["failure"]
        there = client.post("/v1/base-models", json={"hub_id": "Org/Small"})
        commit = hub.models["Org/Small"].commit
    assert there.status_code == 200
    model = there.json()["model"]
    assert (model["name"], model["source"], model["hub_id"], model["hub_commit"]) == (
        "Org/Small",
        "hub",
        "Org/Small",
        commit,
    )
    other = client.post("/v1/base-models", json={"hub_id": "Org/Small", "revision": "0" * 40})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/model-name-taken")


def test_an_environment_is_installed_by_one_job(client: TestClient) -> None:
    environments = {one["name"]: one for one in client.get("/v1/environments").json()["environments"]}
    assert environments["trl"]["status"] == "missing"
    first = client.post("/v1/environments/trl/install")
    again = client.post("/v1/environments/trl/install")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["location"] == again.headers["location"] == f"/v1/jobs/{first.json()['job_id']}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/fine-tuning/models/ftm_x", None),
        ("GET", "/v1/base-models/bm_x", None),
        ("POST", "/v1/base-models", {"builtin": "none"}),
        ("POST", "/v1/base-models", {}),
        ("POST", "/v1/base-models", {"builtin": "none", "hub_id": "org/m"}),
        ("POST", "/v1/base-models", {"hub_id": "no id"}),
        ("POST", "/v1/base-models", {"builtin": "smollm2-135m-instruct", "revision": "main"}),
        ("POST", "/v1/base-models", {"path": "/tmp/x"}),
        ("POST", "/v1/environments/windows/install", None),
    ],
)
def test_what_is_not_there_is_a_problem_with_a_hint(
    client: TestClient, method: str, path: str, body: dict[str, str] | None
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]
