"""The API over trainings, through HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.web.conftest import Site

from goldsmith.compare import curves
from goldsmith.compare import queries as compare
from goldsmith.compare.more_stars import CurvePoint
from goldsmith.data import queries as data
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.models import queries as models
from goldsmith.serve.tables import Alias
from goldsmith.stars import export
from goldsmith.stars import queries as star_queries
from goldsmith.stars import service as stars
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.testing import write_small_model
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.wire.events import Event, EventKind


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.program()


def make_set(site: Site, name: str = "stars", num_rows: int = 10) -> str:
    with site.database.transaction() as session:
        rows = [{"question": f"{name} {number}"} for number in range(num_rows)]
        version = make_dataset_version(session, rows, by=site.person)
        run = make_run(session, version, make_prompt_version(session, by=site.person), by=site.person)
        for row in data.rows(session, version.id):
            answer = make_answer(session, run, row)
            stars.mark(session, answer.id, MarkRequest(MarkKind.star), by=site.person)
        return export.export(session, site.home, ExportRequest(name, run_id=run.id), by=site.person).id


@pytest.fixture
def set_id(site: Site) -> str:
    with site.database.transaction() as session:
        write_small_model(site.home.root / make_base_model(session, by=site.person).folder)
    return make_set(site)


def start(client: TestClient, **more: Any) -> Any:
    answer = client.post("/v1/fine-tuning/jobs", json={"base_model": "tiny", "backend": "fake", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_dial_resolves_to_numbers_and_given_ones_go_before_them(client: TestClient, set_id: str) -> None:
    config = start(client, training_set=set_id, dial="thorough", batch_size=2)["config"]
    assert (config["num_epochs"], config["lora_rank"], config["batch_size"]) == (12, 16, 2)
    refused = client.post("/v1/fine-tuning/jobs", json={"base_model": "tiny", "backend": "fake", "dial": "loud"})
    assert refused.status_code == 422


def test_the_dial_says_what_it_resolved_to_and_takes_the_limit_from_the_rows(client: TestClient, set_id: str) -> None:
    started = start(client, training_set=set_id, dial="quick", batch_size=2)
    assert (started["dial"]["dial"], started["dial"]["numbers"]["batch_size"]) == ("quick", 4)
    assert started["dial"]["numbers"]["max_length"] == started["config"]["max_length"] < 1024
    assert start(client, training_set=set_id)["dial"] is None


def test_the_line_tells_its_order_and_a_program_changes_it(client: TestClient, set_id: str) -> None:
    ids = [start(client, training_set=set_id, name=name)["id"] for name in ("one", "two", "three")]
    moved = client.post(f"/v1/fine-tuning/queue/{ids[2]}/move", json={"to": "first"})
    assert moved.json() == {"place": 1}
    found = client.get("/v1/fine-tuning/queue").json()["waiting"]
    assert [one["job_id"] for one in found] == [ids[2], ids[0], ids[1]]
    assert [(one["begins_in_s"], one["expected"]) for one in found] == [(0.0, None), (None, None), (None, None)]
    client.post(f"/v1/fine-tuning/jobs/{ids[0]}/cancel")
    refused = client.post(f"/v1/fine-tuning/queue/{ids[0]}/move", json={"to": "up"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "not-in-line")
    wrong = client.post("/v1/fine-tuning/jobs", json={"base_model": "tiny", "backend": "fake", "engines_rest": "maybe"})
    assert wrong.status_code == 422
    wrong = client.post("/v1/fine-tuning/jobs", json={"base_model": "tiny", "backend": "fake", "gpu": 7})
    assert (wrong.status_code, wrong.json()["type"].rpartition("/")[2]) == (422, "gpu-unknown")


def test_several_trainings_are_planned_started_read_and_ended(client: TestClient, set_id: str) -> None:
    body = {"base_model": "tiny", "backend": "fake", "training_set": set_id, "name": "mail"}
    several = {**body, "several": {"learning_rate": [0.0002, 0.0005], "dial": ["quick", "thorough"]}}
    planned = client.post("/v1/fine-tuning/groups/plan", json=several).json()
    assert [one["config"]["num_epochs"] for one in planned["trainings"]] == [3, 12, 3, 12]
    assert (planned["expected_s"], client.get("/v1/fine-tuning/jobs").json()["jobs"]) == (None, [])
    made = client.post("/v1/fine-tuning/groups", json=several)
    group = made.json()
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/fine-tuning/groups/{group['id']}")
    assert group["trainings"][1]["differs"] == {"learning_rate": 0.0002, "dial": "thorough"}
    assert client.get("/v1/fine-tuning/groups").json()["groups"][0]["varied"] == ["learning_rate", "dial"]
    assert client.post(f"/v1/fine-tuning/groups/{group['id']}/cancel").json() == {"num_cancelled": 4}
    found = client.get(f"/v1/fine-tuning/groups/{group['id']}").json()["trainings"]
    assert {(one["state"], one["lowest_exam_loss"], one["verdict"]) for one in found} == {("cancelled", None, None)}
    refused = client.post("/v1/fine-tuning/groups", json={**body, "several": {"seed": [1]}})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "nothing-varied")


def test_a_learning_curve_is_planned_started_and_read(site: Site, client: TestClient) -> None:
    with site.database.transaction() as session:
        write_small_model(site.home.root / make_base_model(session, by=site.person).folder)
    set_id = make_set(site, num_rows=40)
    body = {"base_model": "tiny", "backend": "fake", "training_set": set_id, "name": "mail"}
    planned = client.post("/v1/fine-tuning/learning-curves/plan", json=body).json()
    assert [one["num_rows"] for one in planned["trainings"]] == [8, 16, 32]
    made = client.post("/v1/fine-tuning/learning-curves", json={**body, "num_more": 30})
    curve = made.json()
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/fine-tuning/learning-curves/{curve['id']}")
    assert (curve["state"], curve["answer"], curve["job_id"]) == ("queued", None, None)
    assert [(one["share"], one["num_learn"]) for one in curve["points"]] == [(0.25, 8), (0.5, 16), (1.0, 32)]
    with site.database.transaction() as session:
        found = compare.curve(session, curve["id"], domain=site.person.domain)
        rights = ((8, 2), (16, 9), (32, 30))
        curves.conclude(
            session, found, [CurvePoint(each, tuple(row < right for row in range(40))) for each, right in rights]
        )
    (found_now,) = client.get("/v1/fine-tuning/learning-curves").json()["learning_curves"]
    assert (found_now["state"], found_now["answer"]["kind"], found_now["answer"]["num_more"]) == (
        "succeeded",
        "help",
        30,
    )
    assert 0 < found_now["answer"]["low"] < found_now["answer"]["gain"] < found_now["answer"]["high"]
    refused = client.post("/v1/fine-tuning/learning-curves", json={**body, "training_set": make_set(site, "few")})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "too-few-stars")


def test_what_would_be_learned_is_looked_at_before_anything_starts(site: Site, client: TestClient, set_id: str) -> None:
    asked: dict[str, str | int] = {"training_set": set_id, "base_model": "tiny", "max_length": 512, "limit": 2}
    found = client.get("/v1/fine-tuning/look", params=asked).json()
    assert (found["num_left_out"], found["max_length"], found["stops_by_itself"]) == (0, 512, True)
    assert found["sentence"].endswith("learned whole, end marker included.")
    assert [row["position"] for row in found["rows"]] == [1, 2]
    assert (found["rows"][0]["learned"], found["rows"][0]["end"]) == ("an answer", "<|im_end|>")
    short = client.get("/v1/fine-tuning/look", params={**asked, "max_length": 16, "show": "left_out"}).json()
    assert (short["num_learned"], short["rows"][0]["why_left_out"][:7]) == (0, "The row")
    assert client.get("/v1/fine-tuning/jobs").json()["jobs"] == []


def without_template(site: Site) -> None:
    with site.database.reading() as session:
        folder = site.home.root / models.base(session, "tiny", domain=site.person.domain).folder
    (folder / "chat_template.jinja").unlink()


def test_a_look_at_a_model_that_nothing_can_be_taught_is_refused(site: Site, client: TestClient, set_id: str) -> None:
    without_template(site)
    asked = {"training_set": set_id, "base_model": "tiny"}
    refused = client.get("/v1/fine-tuning/look", params=asked)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "template-not-usable")


def test_what_can_never_be_learned_is_refused_before_it_is_queued(site: Site, client: TestClient, set_id: str) -> None:
    body = {"base_model": "tiny", "backend": "fake", "training_set": set_id}
    refused = client.post("/v1/fine-tuning/jobs", json={**body, "max_length": 16})
    assert refused.status_code == 422
    assert "Not one of" in refused.json()["detail"]
    without_template(site)
    refused = client.post("/v1/fine-tuning/jobs", json=body)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "template-not-usable")
    assert client.get("/v1/fine-tuning/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    "name",
    [
        "load",
        "switch",
        "active",
        "default",
        "a/b",
        "two\nlines",
        "nul\u0000",
        "bm_06FZ",
        "ftm_06FZ",
        "tiny",
        " TINY ",
        "org/tiny",
    ],
)
def test_a_name_that_means_something_else_to_callers_is_refused(
    site: Site, client: TestClient, set_id: str, name: str
) -> None:
    answer = client.post("/v1/fine-tuning/jobs", json={"base_model": "tiny", "backend": "fake", "name": name})
    assert answer.status_code == 422
    assert answer.json()["type"] in ("/problems/model-name-not-usable", "/problems/request-not-understood")
    assert answer.json()["hint"]


def test_a_stable_name_of_callers_is_no_name_for_a_model(site: Site, client: TestClient, set_id: str) -> None:
    with site.database.transaction() as session:
        who = {"domain": site.person.domain, "changed_by": site.person.id, "changed_at": clock.now()}
        session.add(Alias(name="support", targets=[{"model_id": "bm_1", "share": 1.0}], **who))
        session.add(Alias(name="gone", targets=[], **who))
    body = {"base_model": "tiny", "backend": "fake"}
    refused = client.post("/v1/fine-tuning/jobs", json={**body, "name": "support"})
    assert refused.json()["type"] == "/problems/model-name-not-usable"
    assert client.post("/v1/fine-tuning/jobs", json={**body, "name": "gone"}).status_code == 201


def test_a_made_up_name_has_no_slash_of_the_base_models_name(site: Site, client: TestClient, set_id: str) -> None:
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person, name="Org/Small", source="hub", hub_id="Org/Small")
        write_small_model(site.home.root / base.folder)
    answer = client.post("/v1/fine-tuning/jobs", json={"base_model": "Org/Small", "backend": "fake"})
    assert answer.json()["name"] == "stars on Small"


def run_it(site: Site, job_id: str) -> None:
    with site.database.transaction() as session:
        queue.claim(session, machine="here", slot="cpu")
        queue.to_running(session, jobs.one(session, job_id))


def test_a_training_takes_the_newest_set_and_names_it(site: Site, client: TestClient, set_id: str) -> None:
    training = start(client, num_epochs=3, lora_rank=16, name="support-1")
    assert (training["training_set"], training["training_set_id"]) == ("stars", set_id)
    assert (training["config"]["num_epochs"], training["config"]["lora_rank"]) == (3, 16)
    assert (training["state"], training["status"], training["progress"]) == ("queued", "queued", 0.0)
    newer = make_set(site, "newer")
    assert start(client)["training_set_id"] == newer
    assert start(client, training_set="stars")["training_set_id"] == set_id


def test_huggingface_means_trl(client: TestClient, set_id: str) -> None:
    assert start(client, backend="huggingface")["backend"] == "trl"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"lora_rank": 9999}, "options-invalid"),
        ({"colour": "red"}, "options-invalid"),
        ({"backend": "magic"}, "backend-unknown"),
        ({"base_model": "nobody"}, "model-not-found"),
        ({"training_set": "none"}, "no-training-set"),
        ({"base_model": ""}, "request-not-understood"),
    ],
)
def test_a_recipe_that_cannot_work_names_what_is_wrong(
    client: TestClient, set_id: str, more: dict[str, Any], problem: str
) -> None:
    answer = client.post("/v1/fine-tuning/jobs", json={"base_model": "tiny", "backend": "fake", **more})
    assert answer.status_code in (404, 422)
    assert answer.json()["type"] == f"/problems/{problem}"
    assert answer.json()["hint"]
    assert client.get("/v1/fine-tuning/jobs").json()["jobs"] == []


def test_without_a_training_set_the_hint_is_to_export(site: Site, client: TestClient) -> None:
    with site.database.transaction() as session:
        make_base_model(session, by=site.person)
    answer = client.post("/v1/fine-tuning/jobs", json={"base_model": "tiny", "backend": "trl"})
    assert answer.status_code == 422
    assert "goldsmith training-sets export" in answer.json()["hint"]


def test_a_training_shows_its_curve_and_its_events(site: Site, client: TestClient, set_id: str) -> None:
    training = start(client)
    run_it(site, training["id"])
    with site.database.transaction() as session:
        for step in (1, 2):
            point = {"loss": 1.0 / step, "learning_rate": 1e-4, "at": clock.now()}
            session.add(TrainingMetric(job_id=training["id"], attempt=1, step=step, **point))
    shown = client.get(f"/v1/fine-tuning/jobs/{training['id']}").json()
    assert [(point["step"], point["loss"]) for point in shown["series"]] == [(1, 1.0), (2, 0.5)]
    assert shown["state"] == "running"
    events = client.get(f"/v1/fine-tuning/jobs/{training['id']}/events").json()
    assert [event["kind"] for event in events["events"]] == ["queued", "starting", "running"]
    later = client.get(f"/v1/fine-tuning/jobs/{training['id']}/events", params={"after": events["after"]}).json()
    assert later["events"] == []


def test_a_training_is_paused_resumed_and_cancelled(site: Site, client: TestClient, set_id: str) -> None:
    training = start(client)
    address = f"/v1/fine-tuning/jobs/{training['id']}"
    run_it(site, training["id"])
    assert client.post(f"{address}/resume").status_code == 409
    assert client.post(f"{address}/pause").json()["stop_requested"] == "pause"
    with site.database.transaction() as session:
        queue.move(session, jobs.one(session, training["id"]), JobState.PAUSED, "paused")
    resumed = client.post(f"{address}/resume").json()
    assert (resumed["state"], resumed["attempt"]) == ("queued", 2)
    assert client.post(f"{address}/cancel").json()["state"] == "cancelled"


def test_a_training_shows_its_best_its_alarms_and_what_it_answers(site: Site, client: TestClient, set_id: str) -> None:
    training = start(client)
    address = f"/v1/fine-tuning/jobs/{training['id']}"
    run_it(site, training["id"])
    assert client.post(f"{address}/keep").json()["type"] == "/problems/nothing-to-keep"
    with site.database.transaction() as session:
        for step, exam_loss in ((0, 2.0), (4, 1.0), (8, 1.5)):
            point = {"exam_loss": exam_loss, "at": clock.now()}
            session.add(TrainingMetric(job_id=training["id"], attempt=1, step=step, **point))
        session.get_one(TrainingJob, training["id"]).current_step = 8
        (row,) = star_queries.training_set_rows(session, set_id, "exam", limit=1)
        data = {"step": 4, "answers": [{"row_id": row.row_id, "text": row.expected, "is_cut": False}]}
        event = Event(1, 1e9, EventKind.SAMPLED, data)
        queue.record(session, jobs.one(session, training["id"]), event, source="train")
    shown = client.get(address).json()
    assert shown["best"] == {"step": 4, "exam_loss": 1.0}
    assert [(alarm["kind"], alarm["offers_keep"]) for alarm in shown["alarms"]] == [("exam_rises", True)]
    assert shown["samples"][0]["said"] == [{"step": 4, "text": "an answer", "is_cut": False, "is_good": True}]
    assert client.post(f"{address}/keep").json()["stop_requested"] == "keep"


def test_a_training_is_repeated_once_it_was_prepared(client: TestClient, site: Site, set_id: str) -> None:
    training = start(client)
    address = f"/v1/fine-tuning/jobs/{training['id']}/again"
    assert client.post(address).json()["type"] == "/problems/not-repeatable"
    order = JobFolder.of(site.home, training["id"]).order
    order.parent.mkdir(parents=True, exist_ok=True)
    order.write_text("{}")
    answer = client.post(address)
    repeated = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/fine-tuning/jobs/{repeated['id']}"
    assert (repeated["name"], repeated["config"]) == (f"{training['name']} again", training["config"])


@pytest.mark.parametrize("path", ["", "/events", "/cancel", "/pause", "/keep", "/again", "/resume"])
def test_only_trainings_are_here(site: Site, client: TestClient, set_id: str, path: str) -> None:
    with site.database.transaction() as session:
        other = queue.add(session, queue.NewJob("import", "Import", {}), by=site.person).id
    method = "GET" if path in ("", "/events") else "POST"
    answer = client.request(method, f"/v1/fine-tuning/jobs/{other}{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/training-not-found")
    assert answer.json()["hint"]


def test_every_backend_says_what_can_be_chosen(client: TestClient) -> None:
    backends = {one["name"]: one for one in client.get("/v1/fine-tuning/backends").json()["backends"]}
    assert (backends["trl"]["aliases"], backends["trl"]["environment"]) == (["huggingface"], "trl")
    assert backends["fake"]["environment"] is None
    options = {one["name"]: one for one in backends["trl"]["options"]}
    assert options["lora_rank"]["choices"] == [1, 8, 16, 32, 64, 128, 256]
    assert (options["num_epochs"]["minimum"], options["num_epochs"]["default"]) == (1, 2)
    assert all(option["help"] and option["title"] for option in backends["trl"]["options"])
