"""The API over serving, through HTTP; the keeper's part is written by hand."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.factories import make_base_model
from tests.web.conftest import Site
from tests.web.models.factories import make_tuned_model

from goldsmith.serve import queries, traffic
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.serve.tables import Receipt
from goldsmith.storage import clock
from goldsmith.web import waiting

KEY = "sk-very-secret-1"


@pytest.fixture
def client(site: Site, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    return site.program()


@pytest.fixture
def models(site: Site) -> tuple[str, str]:
    """Two tuned models of one base."""
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person)
        tuned = [make_tuned_model(session, base, by=site.person, name=f"support-{number}") for number in (1, 2)]
        return tuned[0].id, tuned[1].id


@pytest.fixture
def keep(site: Site) -> Callable[..., None]:
    """What the keeper would write: the engine is ready, and this model is loaded and judged."""

    def keep(model_id: str, proof: str = "proved", state: str = "loaded") -> None:
        with site.database.transaction() as session:
            deployment = queries.deployment_of(session, model_id)
            engine = queries.one(session, deployment.engine_id)
            engine.state, engine.generation = "ready", 1
            deployment.state, deployment.generation, deployment.proof = state, 1, proof
            deployment.loaded_at, deployment.message = clock.now(), f"is {proof}"

    return keep


def test_a_model_under_way_is_202_with_the_deployment_to_watch(
    client: TestClient, models: tuple[str, str], keep: Callable[..., None]
) -> None:
    answer = client.post(f"/v1/fine-tuning/models/{models[0]}/deploy")
    assert (answer.status_code, answer.json()["state"], answer.json()["is_live"]) == (202, "waiting", False)
    keep(models[0], "proving")
    seen = client.get(answer.headers["location"]).json()
    assert (seen["state"], seen["proof"], seen["is_live"]) == ("loaded", "proving", True)
    assert client.post("/v1/models/load", json={"model_id": "support-1"}).status_code == 200


@pytest.mark.parametrize(
    ("proof", "state", "path", "status", "word"),
    [
        ("proving", "loaded", "/v1/fine-tuning/models/{}/deploy", 200, "is_live"),
        ("proved", "loaded", "/v1/models/switch", 200, "is_switched"),
        ("unproved", "failed", "/v1/models/load", 503, "engine-failed"),
        ("refused", "unloaded", "/v1/models/switch", 409, "not-proved"),
    ],
)
def test_a_wish_waits_for_what_the_keeper_makes_of_it(
    site: Site,
    models: tuple[str, str],
    keep: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    proof: str,
    state: str,
    path: str,
    status: int,
    word: str,
) -> None:
    monkeypatch.setattr(waiting, "WAIT_S", 10.0)

    def keep_soon() -> None:
        is_wanted = False
        while not is_wanted:
            time.sleep(0.02)
            with site.database.reading() as session:
                is_wanted = any(one.model_id == models[0] for one in queries.deployments(session))
        keep(models[0], proof, state)

    keeper = threading.Thread(target=keep_soon)
    keeper.start()
    body = None if "{}" in path else {"model_id": models[0]}
    answer = site.program().post(path.format(models[0]), json=body)
    keeper.join()
    assert answer.status_code == status
    said = answer.json()
    assert said.get(word) is True or (said["type"] == f"/problems/{word}" and said["hint"] and proof in said["detail"])


def test_a_switch_happens_only_when_the_model_is_live_and_proved(
    site: Site, client: TestClient, models: tuple[str, str], keep: Callable[..., None]
) -> None:
    first, second = models
    early = client.post("/v1/models/switch", json={"model_id": first})
    assert (early.status_code, early.json()["is_switched"]) == (202, False)
    keep(first, "proving")
    assert client.post("/v1/models/switch", json={"model_id": first}).status_code == 202
    assert site.web.state.web.offers["switches"] == []
    keep(first)
    done = client.post("/v1/models/switch", json={"model_id": first})
    assert (done.status_code, done.json()["is_switched"], done.json()["model_id"]) == (200, True, first)
    assert site.web.state.web.offers["switches"] == ["switched"]
    client.post("/v1/models/load", json={"model_id": second})
    keep(second)
    assert client.post("/v1/models/switch", json={"model_id": second}).json()["model_id"] == second
    assert client.get("/v1/models/active").json()["default"] == second
    back = client.post("/v1/models/switch/undo")
    assert (back.status_code, back.json()["model_id"]) == (200, first)
    history = client.get("/v1/deployment-history", params={"limit": 2}).json()
    assert [entry["action"] for entry in history["history"]] == ["rollback", "deploy"]
    rest = client.get("/v1/deployment-history", params={"before": history["before"]}).json()["history"]
    assert history["before"] - 1 == rest[0]["seq"]


def test_what_is_live_is_told_with_its_proof(
    client: TestClient, models: tuple[str, str], keep: Callable[..., None]
) -> None:
    client.post("/v1/models/load", json={"model_id": models[0]})
    keep(models[0])
    live = {item["model_id"]: item for item in client.get("/v1/models/active").json()["models"]}[models[0]]
    assert (live["name"], live["type"], live["proof"], live["is_live"]) == ("support-1", "fine_tuned", "proved", True)
    assert live["since"] is not None
    away = client.post(f"/v1/fine-tuning/models/{models[0]}/undeploy").json()
    assert not away["is_wanted"]


def test_a_receipt_is_shown_and_can_be_asked_for_again(
    site: Site, client: TestClient, models: tuple[str, str], keep: Callable[..., None]
) -> None:
    client.post("/v1/models/load", json={"model_id": models[0]})
    keep(models[0])
    assert client.get(f"/v1/fine-tuning/models/{models[0]}/receipt").json()["type"] == "/problems/receipt-not-found"
    with site.database.transaction() as session:
        facts: dict[str, Any] = {"reason": "Proved.", "lines": [], "num_learn_rows": 4, "num_exam_rows": 4}
        values = {"id": "rec_1", "model_id": models[0], "engine_id": "eng_1", "is_green": True, "duration_s": 1.0}
        session.add(Receipt(**values, **facts, measured_at=clock.now()))
    assert client.get("/v1/fine-tuning/models/support-1/receipt").json()["is_green"]
    again = client.post(f"/v1/fine-tuning/models/{models[0]}/receipt")
    assert (again.status_code, again.json()["proof"]) == (202, "unproved")


def test_a_providers_key_is_kept_in_a_file_and_shown_to_nobody(site: Site, client: TestClient) -> None:
    body = {"kind": "provider", "url": "https://api.example.com/v1", "model": "big-1", "key": KEY}
    answer = client.post("/v1/engines", json={**body, "input_usd_per_million": 1.5})
    assert answer.status_code == 201
    assert (answer.json()["kind"], answer.json()["input_usd_per_million"]) == ("provider", 1.5)
    assert KEY not in answer.text + client.get("/v1/engines").text + client.get(answer.headers["location"]).text
    path = site.home.root / "secrets" / f"engine-{answer.json()['id']}.key"
    assert path.read_text().strip() == KEY
    assert path.stat().st_mode & 0o077 == 0


def test_a_key_that_cannot_be_used_is_not_repeated(client: TestClient) -> None:
    body = {"kind": "provider", "url": "https://api.example.com", "model": "m", "key": "not so\nsecret"}
    answer = client.post("/v1/engines", json=body)
    assert answer.status_code == 422
    assert "secret" not in answer.text


def test_a_running_engine_is_attached_and_left_alone(client: TestClient, models: tuple[str, str]) -> None:
    body = {"kind": "attached", "url": "http://127.0.0.1:9000/v1", "base_model": "tiny"}
    engine = client.post("/v1/engines", json=body).json()
    assert (engine["kind"], engine["url"], engine["is_wanted"]) == ("attached", "http://127.0.0.1:9000", True)
    assert not client.post(f"/v1/engines/{engine['id']}/stop").json()["is_wanted"]


def test_an_engine_of_ours_gets_places(client: TestClient, models: tuple[str, str]) -> None:
    client.post("/v1/models/load", json={"model_id": "tiny"})
    [engine] = client.get("/v1/engines").json()["engines"]
    assert (engine["max_loras"], engine["num_places"]) == (4, None)
    address = f"/v1/engines/{engine['id']}/places"
    assert client.post(address, json={"num_places": 9}).json()["num_places"] == 9
    assert client.post(address, json={"num_places": 65}).status_code == 422


def test_an_engine_of_ours_gets_copies(client: TestClient, models: tuple[str, str]) -> None:
    client.post("/v1/models/load", json={"model_id": "tiny"})
    [engine] = client.get("/v1/engines").json()["engines"]
    assert (engine["num_copies"], engine["copy_of"], engine["gpu"]) == (1, None, None)
    address = f"/v1/engines/{engine['id']}/copies"
    assert client.post(address, json={"num_copies": 3}).json()["num_copies"] == 3
    assert client.post(address, json={"num_copies": 0}).status_code == 422
    body = {"kind": "attached", "url": "http://127.0.0.1:9000/v1", "base_model": "tiny"}
    theirs = client.post("/v1/engines", json=body).json()["id"]
    refused = client.post(f"/v1/engines/{theirs}/copies", json={"num_copies": 2})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/not-ours")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/fine-tuning/models/ftm_x/deploy", None),
        ("POST", "/v1/fine-tuning/models/ftm_x/undeploy", None),
        ("GET", "/v1/fine-tuning/models/ftm_x/receipt", None),
        ("POST", "/v1/models/load", {"model_id": "/etc/passwd"}),
        ("POST", "/v1/models/switch", {"model_id": "ftm_x"}),
        ("POST", "/v1/models/switch/undo", None),
        ("POST", "/v1/models/switch", {}),
        ("GET", "/v1/deployments/dep_x", None),
        ("GET", "/v1/engines/eng_x", None),
        ("POST", "/v1/engines/eng_x/stop", None),
        ("POST", "/v1/engines", {"kind": "attached", "url": "file:///etc", "base_model": "tiny"}),
        ("POST", "/v1/engines", {"kind": "magic"}),
    ],
)
def test_what_cannot_be_is_a_problem_with_a_hint(
    client: TestClient, models: tuple[str, str], method: str, path: str, body: dict[str, str] | None
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code in (404, 409, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]


def test_an_alias_is_made_changed_undone_and_removed(
    site: Site, client: TestClient, models: tuple[str, str], keep: Callable[..., None]
) -> None:
    for model_id in models:
        client.post("/v1/models/load", json={"model_id": model_id})
        keep(model_id)
    old, new = models
    whole = {"targets": [{"model_id": "support-1", "share": 1.0}]}
    made = client.put("/v1/aliases/support", json=whole)
    assert (made.status_code, made.json()["targets"][0]["model_id"], made.json()["can_undo"]) == (200, old, False)
    split = {"targets": [{"model_id": old, "share": 0.95}, {"model_id": new, "share": 0.05}], "why": "a try"}
    changed = client.put("/v1/aliases/support", json=split).json()
    assert [(part["name"], part["share"], part["proof"]) for part in changed["targets"]] == [
        ("support-1", 0.95, "proved"),
        ("support-2", 0.05, "proved"),
    ]
    assert changed["can_undo"] is True
    assert client.post("/v1/aliases/support/undo").json()["targets"][0]["share"] == 1.0
    assert client.delete("/v1/aliases/support").status_code == 200
    assert client.get("/v1/aliases/support").json()["type"] == "/problems/alias-not-found"
    history = client.get("/v1/aliases/support/history").json()["history"]
    assert [entry["action"] for entry in history] == ["undeploy", "rollback", "deploy", "deploy"]
    assert [entry["notes"] for entry in history] == ["", "", "a try", ""]
    assert site.web.state.web.offers["switches"] == ["switched"] * 4


def test_an_alias_of_an_unproved_model_is_a_conflict_until_it_is_forced(
    client: TestClient, models: tuple[str, str], keep: Callable[..., None]
) -> None:
    client.post("/v1/models/load", json={"model_id": models[0]})
    keep(models[0], "unproved")
    body = {"targets": [{"model_id": models[0], "share": 1.0}]}
    assert client.put("/v1/aliases/support", json=body).status_code == 409
    assert client.put("/v1/aliases/support", json={**body, "force": ["support-1"]}).status_code == 200
    assert client.get("/v1/aliases").json()["aliases"][0]["targets"][0]["proof"] == "unproved"


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.0, 1.0)])
def test_shares_that_do_not_add_up_are_refused(
    client: TestClient, models: tuple[str, str], keep: Callable[..., None], shares: tuple[float, float]
) -> None:
    for model_id in models:
        client.post("/v1/models/load", json={"model_id": model_id})
        keep(model_id)
    targets = [{"model_id": model_id, "share": part} for model_id, part in zip(models, shares, strict=True)]
    answer = client.put("/v1/aliases/support", json={"targets": targets})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/shares-not-usable")


def test_a_roll_out_is_started_taken_on_and_rolled_back(
    site: Site, client: TestClient, models: tuple[str, str], keep: Callable[..., None]
) -> None:
    for model_id in models:
        client.post("/v1/models/load", json={"model_id": model_id})
        keep(model_id)
    old, new = models
    client.put("/v1/aliases/support", json={"targets": [{"model_id": old, "share": 1.0}]})
    body = {"model_id": "support-2", "stages": [0.1, 1.0], "hold_minutes": 30, "min_requests": 20}
    begun = client.post("/v1/aliases/support/rollouts", json=body)
    assert (begun.status_code, begun.json()["state"], begun.json()["hold_s"]) == (201, "running", 1800)
    assert client.post("/v1/aliases/support/rollouts", json=body).json()["type"] == "/problems/rollout-running"
    version = client.get("/v1/aliases/support").json()["version"]
    with site.database.transaction() as session:
        key = TrafficKey(int(time.time() // 60), "local", "support", version, new)
        traffic.store(session, "tw_1", {key: Counts(num_requests=4, num_errors=1, num_timed=3, seconds=1.5)})
    seen = client.get("/v1/aliases/support/rollouts").json()["rollouts"][0]
    assert (seen["new"]["num_requests"], seen["new"]["mean_seconds"], seen["old"]["num_requests"]) == (4, 0.5, 0)
    counted = client.get("/v1/aliases/support/traffic", params={"minutes": 10}).json()["models"]
    assert [(each["name"], each["num_errors"]) for each in counted] == [("support-2", 1)]
    onward = client.post("/v1/aliases/support/rollouts/continue", json={"why": "looks good"}).json()
    assert (onward["stage"], client.get("/v1/aliases/support").json()["targets"][0]["share"]) == (1, 1.0)
    back = client.post("/v1/aliases/support/rollouts/back").json()
    assert (back["state"], back["message"]) == ("rolled_back", "Rolled back by Ada.")
    assert client.get("/v1/aliases/support").json()["targets"][0]["model_id"] == old
    assert client.post("/v1/aliases/support/rollouts/back").json()["type"] == "/problems/rollout-not-found"
