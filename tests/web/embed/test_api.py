"""What a page of another application gets and does with its token: never another organisation's things."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.embed.applications import ADA, BOB, EVE, EVERYTHING, ids_of, make_goldsmith, page, walk_of
from tests.web.loop_rows import Walk

from goldsmith.jobs import queries as jobs
from goldsmith.models.tables import BaseModel
from goldsmith.people import service as people
from goldsmith.serve import aliases
from goldsmith.serve.types import Part
from goldsmith.storage.ids import Prefix, new_id

NOW = "/v1/embed/now"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_goldsmith(tmp_path, database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def ada(site: Site) -> Walk:
    return walk_of(site, ADA)


@pytest.fixture
def eve(site: Site, ada: Walk) -> Walk:
    return walk_of(site, EVE, ada.base_id)


def test_one_answer_holds_everything_that_the_parts_show(site: Site, ada: Walk) -> None:
    now = page(site, ADA, may=["train"]).get(NOW).json()
    assert (now["philosopher"], now["domain"], now["may"]) == (*ADA.values(), ["train"])
    assert 0 < now["seconds_left"] <= 600
    assert [(each["id"], each["num_learn"], each["num_exam"]) for each in now["training_sets"]] == [
        (ada.set_id, 48, 12)
    ]
    assert [(each["id"], each["type"], each["status"]) for each in now["models"]] == [
        (ada.model_id, "fine_tuned", "deployed"),
        (ada.base_id, "base", "deployed"),
    ]
    [training] = now["trainings"]
    assert (training["id"], training["state"], training["output_model_id"]) == (
        ada.training_id,
        "succeeded",
        ada.model_id,
    )
    assert (training["current_step"], training["total_steps"], training["trouble"]) == (28, 45, None)
    [deployment] = now["deployments"]
    assert (deployment["model_id"], deployment["is_live"], deployment["proof"]) == (ada.model_id, True, "proved")
    [comparison] = now["comparisons"]
    assert (comparison["id"], comparison["kind"], comparison["test_count"]) == (ada.comparison_id, "better", 12)
    assert comparison["sentence"].startswith("Better")


def test_another_organisations_things_never_leave(site: Site, ada: Walk, eve: Walk) -> None:
    for mine, theirs, scope in ((ada, eve, ADA), (eve, ada, EVE)):
        told = page(site, scope).get(NOW).text
        assert [what for what, each in ids_of(mine).items() if each not in told] == []
        assert [what for what, each in ids_of(theirs).items() if each in told] == []
        assert theirs.base_id in told  # what nobody has taught anything yet is everybody's


def test_another_organisations_things_cannot_be_touched(site: Site, ada: Walk, eve: Walk) -> None:
    of_eve = ids_of(eve)
    asked = [
        ("trainings", {"training_set": eve.set_id, "base_model": ada.base_id}),
        *((f"trainings/{eve.training_id}/{verb}", None) for verb in ("pause", "cancel", "resume")),
        *((path, {"model_id": eve.model_id}) for path in ("deployments", "deployments/undo", "comparisons")),
    ]
    before = page(site, EVE).get(NOW).json()
    for path, body in asked:
        answer = page(site, ADA).post(f"/v1/embed/{path}", json=body)
        assert answer.status_code == 404, (path, answer.text)
        assert answer.json()["hint"]
    after = page(site, EVE).get(NOW).json()
    assert {**after, "seconds_left": 0} == {**before, "seconds_left": 0}
    assert after["deployments"][0]["is_live"], of_eve


def test_colleagues_share_models_but_neither_stars_nor_trainings(site: Site, ada: Walk) -> None:
    told = page(site, BOB).get(NOW).json()
    assert [each["id"] for each in told["models"]] == [ada.model_id, ada.base_id]
    assert [len(told[name]) for name in ("training_sets", "trainings", "comparisons")] == [0, 0, 1]
    assert page(site, BOB).post(f"/v1/embed/trainings/{ada.training_id}/cancel").status_code == 404
    body = {"training_set": ada.set_id, "base_model": ada.base_id}
    assert page(site, BOB).post("/v1/embed/trainings", json=body).status_code == 404


def test_weights_into_which_another_organisations_model_was_merged_are_hidden(site: Site, ada: Walk, eve: Walk) -> None:
    with site.database.transaction() as session:
        base = session.get_one(BaseModel, ada.base_id)
        columns = {column.name: getattr(base, column.name) for column in BaseModel.__table__.columns}
        merged = new_id(Prefix.BASE_MODEL)
        changed = {"id": merged, "name": "merged", "source": "merged", "merged_from": eve.model_id}
        session.add(BaseModel(**{**columns, **changed}))
    assert merged in page(site, EVE).get(NOW).text
    assert merged not in page(site, ADA).get(NOW).text
    body = {"training_set": ada.set_id, "base_model": merged}
    assert page(site, ADA).post("/v1/embed/trainings", json=body).status_code == 404


def test_what_is_the_house_s_own_is_not_another_organisations(site: Site, ada: Walk) -> None:
    """Whoever runs Goldsmith asks for a token of their own domain: they see no organisation's things by it either."""
    told = page(site, {"philosopher": "Ada", "domain": "local"}).get(NOW)
    assert [what for what, each in ids_of(ada).items() if each in told.text] == []
    answer = page(site, {"philosopher": "Ada", "domain": "local"}).post("/v1/embed/training-sets", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/stars-not-separable")


def test_stars_are_counted_and_none_has_its_nearest_reason(site: Site) -> None:
    found = page(site, ADA).get("/v1/embed/stars").json()
    assert found == {
        "source": "Aristotle",
        "count": 60,
        "num_left_out": 1,
        "reason": "",
        "asks_system_text": False,
    }
    none = page(site, BOB).get("/v1/embed/stars").json()
    assert (none["count"], none["reason"]) == (0, "There is no rating of bob@acme.example.")
    assert page(site, BOB).post("/v1/embed/training-sets", json={}).json()["type"] == "/problems/no-stars"


def test_the_same_stars_are_the_same_set(site: Site) -> None:
    first, second = (page(site, ADA).post("/v1/embed/training-sets", json={}) for _ in range(2))
    assert (first.status_code, first.json()) == (201, second.json())


def test_a_training_is_started_by_the_philosopher_with_the_dial(site: Site, ada: Walk) -> None:
    body = {"training_set": ada.set_id, "base_model": ada.base_id, "dial": "quick", "name": "second"}
    made = page(site, ADA).post("/v1/embed/trainings", json=body)
    assert (made.status_code, made.json()["state"], made.json()["name"]) == (201, "queued", "second")
    whole = site.program().get(f"/v1/fine-tuning/jobs/{made.json()['id']}").json()
    assert (whole["philosopher"], whole["config"]["num_epochs"]) == (ADA["philosopher"], 2)
    stopped = page(site, ADA).post(f"/v1/embed/trainings/{made.json()['id']}/cancel").json()
    assert stopped["state"] == "cancelled"
    again = page(site, ADA).post(f"/v1/embed/trainings/{made.json()['id']}/resume").json()
    assert again["state"] == "queued"


def test_a_model_is_taken_off_and_put_back_and_compared_again(site: Site, ada: Walk) -> None:
    client, body = page(site, ADA), {"model_id": ada.model_id}
    assert client.post("/v1/embed/deployments/undo", json=body).status_code == 200
    assert client.get(NOW).json()["deployments"] == []
    put = client.post("/v1/embed/deployments", json=body)
    assert (put.status_code, put.json()["is_live"], put.json()["has_failed"]) == (202, False, False)
    made = client.post("/v1/embed/comparisons", json=body)
    assert (made.status_code, made.json()["state"], made.json()["sentence"]) == (201, "queued", "")


def test_what_callers_get_by_a_stable_name_is_not_taken_off(site: Site, ada: Walk) -> None:
    with site.database.transaction() as session:
        aliases.point(session, "screening", [Part(ada.model_id, 1.0)], by=site.person)
    client = page(site, ADA)
    assert client.get(NOW).json()["deployments"][0]["names"] == ["screening"]
    assert client.post("/v1/embed/deployments/undo", json={"model_id": ada.model_id}).status_code == 409


@pytest.mark.parametrize("left_out", EVERYTHING)
def test_a_token_does_only_what_it_says(site: Site, ada: Walk, left_out: str) -> None:
    needed = {
        "training-sets": "export",
        "trainings": "train",
        f"trainings/{ada.training_id}/cancel": "train",
        f"trainings/{ada.training_id}/pause": "train",
        f"trainings/{ada.training_id}/resume": "train",
        "deployments": "deploy",
        "deployments/undo": "deploy",
        "comparisons": "compare",
    }
    bodies = {"training-sets": {}, "trainings": {"training_set": ada.set_id, "base_model": ada.base_id}}
    client = page(site, ADA, may=[each for each in EVERYTHING if each != left_out])
    for path, permission in needed.items():
        body = bodies.get(path, None if path.startswith("trainings/") else {"model_id": ada.model_id})
        answer = client.post(f"/v1/embed/{path}", json=body)
        is_refused = answer.status_code == 403 and answer.json()["type"] == "/problems/not-granted"
        assert is_refused == (permission == left_out), (path, answer.text)


def test_every_address_that_changes_something_is_held_against_what_the_token_may(site: Site) -> None:
    """A new one is tried here on the day on which it is written."""
    routes = [each for each in site.web.state.faces.routes if each.face == "embed" and "POST" in each.methods]
    assert len(routes) >= 8
    client = page(site, ADA, may=[])
    for route in routes:
        body = {"model_id": "x", "training_set": "x", "base_model": "x"}
        wanted = {name: body[name] for name in _body_of(site, route.path) if name in body}
        answer = client.post(route.path.format(job_id="x"), json=wanted)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-granted"), route.path


def _body_of(site: Site, path: str) -> list[str]:
    described = site.web.openapi()
    content = described["paths"][path]["post"].get("requestBody", {}).get("content", {})
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    return list(described["components"]["schemas"].get(name, {}).get("properties", {}))


def test_a_failed_training_says_what_to_do(site: Site, ada: Walk) -> None:
    with site.database.transaction() as session:
        job = jobs.one(session, ada.training_id)
        job.state, job.failure = "failed", {"kind": "x", "summary": "No memory.", "hint": "Try a smaller model."}
    [training] = page(site, ADA).get(NOW).json()["trainings"]
    assert training["trouble"] == {"summary": "No memory.", "hint": "Try a smaller model."}


def test_who_did_it_is_the_philosopher_and_not_the_key(site: Site, ada: Walk) -> None:
    body = {"training_set": ada.set_id, "base_model": ada.base_id}
    made = page(site, ADA).post("/v1/embed/trainings", json=body).json()["id"]
    with site.database.reading() as session:
        found = people.one(session, jobs.one(session, made).created_by)
    assert found is not None
    assert (found.name, found.domain) == (ADA["philosopher"], "local")
