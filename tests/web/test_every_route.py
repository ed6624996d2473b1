"""Every route of the API, asked with generated values, good and bad: never a 5xx, and errors in the form that is said.

The bodies are made by Schemathesis from our own description, so a new route is tried on the day on which it is written.
The seed is fixed. Names in addresses and bodies are often those of things that are there, so that more than the first
check is reached. And the addresses that other programs rely on are held fast, one by one.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from starlette.testclient import TestClient
from tests.web.conftest import Site, make_site
from tests.web.loop_rows import MACHINE, walking

from goldsmith import app
from goldsmith.connect.embedding.types import Permission
from goldsmith.gateway.application import ADDRESSES
from goldsmith.settings import Settings
from goldsmith.storage.files import Home
from goldsmith.web import waiting
from goldsmith.web.faces import Face, Faces
from goldsmith.web.routers import make_routers

NUM_EXAMPLES = (4, pytest.param(40, marks=pytest.mark.long))
"""Of each kind, good and bad, for each route: a few always, more where there is time."""


def make(folder: Path) -> Site:
    """The whole API over a database of its own."""
    kinds = app.make_kinds(Settings(home=folder), Home(folder), MACHINE)
    offers = {
        "backends": app.make_backends(),
        "machine": MACHINE,
        "import_roots": (folder,),
        "after_switch": lambda: None,
    }
    mirrors = {name: kind.mirror for name, kind in kinds.items()}
    return make_site(folder, make_routers(), offers=offers, session_info={"mirrors": mirrors})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The loop was walked once, from rows to a verdict."""
    made = make(tmp_path_factory.mktemp("every-route"))
    with walking(made) as walk:
        walk.to_model()
        walk.deploy()
        walk.start_comparison()
        walk.answer_arms(num_right={"base": 3, "examples": 5, "tuned": 10})
        walk.finish_comparison()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "WAIT_S", 0.0)
        yield made
    made.database.dispose()


@pytest.fixture(scope="module")
def client(site: Site) -> TestClient:
    return site.program()


@pytest.fixture(scope="module")
def page(site: Site, client: TestClient) -> TestClient:
    """What another application's page is, whose server has asked for a token."""
    may = [permission.value for permission in Permission]
    body = {"philosopher": "Ada", "domain": "local", "may": may, "minutes": 60}
    return site.client(authorization=f"Bearer {client.post('/v1/embed/tokens', json=body).json()['token']}")


@pytest.fixture(scope="module")
def names(site: Site, client: TestClient) -> Mapping[str, list[str]]:
    """Names of things that are there, by the name of a part of an address or of a body."""

    def listed(path: str, of: str) -> list[str]:
        return [one["id"] for one in client.get(path).json()[of]]

    run = listed("/v1/runs", "runs")
    tuned, bases = listed("/v1/fine-tuning/models", "models"), listed("/v1/base-models", "models")
    prompts = client.get("/v1/prompts").json()["prompts"]
    datasets = client.get("/v1/datasets").json()["datasets"]
    sets, trainings = listed("/v1/training-sets", "training_sets"), listed("/v1/fine-tuning/jobs", "jobs")
    answers = [one["id"] for one in client.get(f"/v1/runs/{run[0]}/answers").json()["answers"]]
    sent = client.post("/v1/files", data={"purpose": "fine-tune"}, files={"file": ("a.jsonl", b"{}")}).json()
    versions = [one["version"]["id"] for one in datasets]
    to_base = {"targets": [{"model_id": bases[0], "share": 1.0}]}
    of_prompts = [one["version"]["id"] for one in prompts]
    return {
        "dataset_id": [one["id"] for one in datasets],
        "dataset": [one["name"] for one in datasets],
        "dataset_version": versions,
        "version": versions,
        "prompt_id": [one["id"] for one in prompts],
        "prompt": [one["name"] for one in prompts],
        "prompt_version": of_prompts,
        "run_id": run,
        "run": run,
        "answer_id": answers[:3],
        "set_id": sets,
        "training_set": sets,
        "exam": sets,
        "training_file": [*sets, sent["id"]],
        "validation_file": [sent["id"]],
        "file_id": [sent["id"]],
        "model_id": [*tuned, *bases],
        "model": [*tuned, *bases],
        "base_model": bases,
        "job_id": [*trainings, *(one["id"] for one in client.get("/v1/jobs").json()["jobs"])],
        "engine_id": listed("/v1/engines", "engines"),
        "deployment_id": [client.post(f"/v1/fine-tuning/models/{tuned[0]}/deploy").json()["id"]],
        "alias": [client.put("/v1/aliases/support", json=to_base).json()["name"]],
        "comparison_id": listed("/v1/fine-tuning/comparisons", "comparisons"),
        "backend": ["fake"],
    }


Route = tuple[str, str, Face]


@cache
def routes() -> tuple[Route, ...]:
    """Every method and address of the API, and how it tells errors."""
    faces, routers = Faces(), make_routers().and_ours()
    for face in (Face.API, Face.EMBED, Face.HOOK, Face.OPENAI):
        faces.add(dict(routers.by_face())[face], face)
    return tuple((method, known.path, known.face) for known in faces.routes for method in sorted(known.methods))


FIXED: tuple[tuple[str, str, Any, tuple[int, ...], tuple[str, ...]], ...] = (
    # method, address, body, what it may answer, what a good answer holds. Its order is that of the loop.
    ("POST", "/v1/fine-tuning/datasets/export", {"format": "chatml"}, (201,), ("id", "num_learn", "num_exam", "lint")),
    ("POST", "/v1/fine-tuning/datasets/export", {"format": "alpaca", "min_rating": 4}, (201,), ("id",)),
    ("POST", "/v1/fine-tuning/datasets/export", {"format": "openai", "exam_share": 0.3, "name": "x"}, (201,), ("id",)),
    (
        "POST",
        "/v1/fine-tuning/jobs",
        {"base_model": "{base_model}", "backend": "huggingface", "num_epochs": 1},
        (201,),
        ("id", "training_set", "state"),
    ),
    (
        "GET",
        "/v1/fine-tuning/jobs",
        None,
        (200,),
        ("jobs",),
    ),
    (
        "GET",
        "/v1/fine-tuning/jobs/{job_id}",
        None,
        (200,),
        (
            *("state", "progress", "current_step", "total_steps", "training_loss", "learning_rate"),
            *("tokens_per_second", "seconds_left", "series"),
        ),
    ),
    ("GET", "/v1/fine-tuning/jobs/{job_id}/events", None, (200,), ("events",)),
    ("POST", "/v1/fine-tuning/jobs/{job_id}/pause", None, (200, 409), ()),
    ("POST", "/v1/fine-tuning/jobs/{job_id}/cancel", None, (200, 409), ()),
    ("POST", "/v1/fine-tuning/jobs/{job_id}/resume", None, (200, 409), ()),
    ("GET", "/v1/fine-tuning/models", None, (200,), ("models",)),
    ("GET", "/v1/fine-tuning/models/{model_id}", None, (200,), ("metrics", "lineage")),
    ("POST", "/v1/fine-tuning/models/{model_id}/deploy", None, (200, 202), ("state", "proof", "is_live")),
    ("POST", "/v1/fine-tuning/ab-test", {"models": ["{model_id}"]}, (201,), ("id", "state", "test_count")),
    ("GET", "/v1/fine-tuning/comparisons", None, (200,), ("comparisons",)),
    ("GET", "/v1/fine-tuning/comparisons/{comparison_id}", None, (200,), ("verdict", "arms", "rows")),
    ("POST", "/v1/models/load", {"model_id": "{model_id}"}, (200, 202), ("state", "proof", "is_live")),
    ("POST", "/v1/models/switch", {"model_id": "{model_id}"}, (200, 202), ("is_switched",)),
    ("GET", "/v1/models/active", None, (200,), ("models", "default")),
    ("GET", "/api/models/available", None, (200,), ("models",)),
    (
        "POST",
        "/api/conquests/execute",
        {"eidosId": "eidos_1", "candidateId": "candidate_1", "modelId": "{model_id}"},
        (409,),  # here without Aristotle's database; with it: tests/web/connect/test_executing.py
        ("type", "hint"),
    ),
    ("GET", "/api/conquests/executions", None, (200,), ("executions",)),
    ("GET", "/v1/files", None, (200,), ("data", "has_more")),
    ("GET", "/v1/fine_tuning/jobs", None, (200,), ("data", "has_more")),
    ("GET", "/v1/fine_tuning/jobs/{job_id}", None, (200,), ("object", "status", "fine_tuned_model")),
    ("GET", "/v1/fine_tuning/jobs/{job_id}/events", None, (200,), ("data",)),
    ("GET", "/v1/fine_tuning/jobs/{job_id}/checkpoints", None, (200,), ("data",)),
    ("POST", "/v1/fine_tuning/jobs/{job_id}/pause", None, (200, 409), ()),
    ("POST", "/v1/fine_tuning/jobs/{job_id}/cancel", None, (200, 409), ()),
    ("POST", "/v1/fine_tuning/jobs/{job_id}/resume", None, (200, 409), ()),
    ("GET", "/healthz", None, (200,), ()),
    ("GET", "/readyz", None, (200,), ()),
)
"""The addresses that other programs rely on. Not here: `/v1/batches`, which other tests ask with OpenAI's package."""


def filled(body: Any, names: Mapping[str, str]) -> Any:
    """The body with names of things that are there in the places of `{name}`."""
    if isinstance(body, str):
        return body.format_map(names)
    if isinstance(body, dict):
        return {key: filled(value, names) for key, value in body.items()}
    return [filled(value, names) for value in body] if isinstance(body, list) else body


@pytest.mark.parametrize(("method", "path", "body", "statuses", "keys"), FIXED)
def test_an_address_that_others_rely_on_answers_as_is_said(
    client: TestClient,
    names: Mapping[str, list[str]],
    method: str,
    path: str,
    body: Any,
    statuses: tuple[int, ...],
    keys: tuple[str, ...],
) -> None:
    first = {name: found[0] for name, found in names.items()}
    answer = client.request(method, path.format_map(first), json=filled(body, first))
    assert answer.status_code in statuses, answer.text
    assert set(keys) <= set(answer.json()), answer.json()


def test_the_gateway_answers_openai_s_addresses() -> None:
    wanted = {("POST", f"/v1/{name}") for name in ("chat/completions", "completions", "embeddings", "responses")}
    assert {*wanted, ("GET", "/v1/models")} <= set(ADDRESSES)


def send(client: TestClient, case: Any) -> Any:
    """The case as a request; what no client could send is left out."""
    headers = {name: str(value) for name, value in (case.headers or {}).items() if _is_sendable(name, value)}
    query: Any = [(name, str(one)) for name, value in (case.query or {}).items() for one in _several(value)]
    more: dict[str, Any] = {}
    if case.media_type == "multipart/form-data" and isinstance(case.body, dict):
        more["files"] = [_part(name, value) for name, value in case.body.items()]
    elif case.media_type is not None:
        headers["content-type"] = "application/json"
        more["content"] = json.dumps(case.body, default=str)
    return client.request(case.method, case.formatted_path, headers=headers, params=query, **more)


def _is_sendable(name: str, value: Any) -> bool:
    return (
        name.lower() not in ("user-agent", "content-type", "accept")
        and str(value).isascii()
        and str(value).isprintable()
    )


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _part(name: str, value: Any) -> tuple[str, tuple[str | None, bytes]]:
    content = value if isinstance(value, bytes) else value if isinstance(value, str) else json.dumps(value, default=str)
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    return name, ("rows.csv" if name == "file" else None, raw)


def with_names(case: Any, names: Mapping[str, list[str]], draw: st.DataObject) -> Any:
    """Often something that is there in the place of a made-up name."""
    for part in (case.path_parameters, case.query, case.body):
        for name in part if isinstance(part, dict) else ():
            known = names.get(name, [])
            if known and draw.draw(st.sampled_from((True, True, False))):
                part[name] = draw.draw(st.sampled_from(known))
            if name == "models" and draw.draw(st.booleans()):
                part[name] = names["model"][:1]
    return case


def check(answer: Any, operation: Any, face: Face) -> None:
    """Status and content type as they are described; errors in their form."""
    status, kind = answer.status_code, answer.headers.get("content-type", "").partition(";")[0]
    assert status < 500, answer.text
    declared = operation.definition.raw["responses"]
    found = declared.get(str(status)) or declared.get(f"{status // 100}XX")
    assert found is not None, f"{status} is not described: {answer.text[:200]}"
    kinds = {name.partition(";")[0]: form for name, form in found.get("content", {}).items()}
    assert kind in kinds, f"{status} with {kind}, described: {sorted(kinds)}"
    if status < 400:
        return
    jsonschema.validate(answer.json(), kinds[kind]["schema"])
    if face in (Face.API, Face.EMBED, Face.HOOK):
        said = answer.json()
        assert said["status"] == status
        assert said["type"].startswith("/problems/")
        assert said["hint"]


@pytest.fixture(scope="module")
def operations(client: TestClient) -> Mapping[tuple[str, str], Any]:
    """What is described, by method and address."""
    described = client.get("/v1/openapi.json").json()
    found = [each for each in schemathesis.openapi.from_dict(described).get_all_operations() if isinstance(each, Ok)]
    return {(each.ok().method.upper(), each.ok().path): each.ok() for each in found}


def test_every_route_is_described(operations: Mapping[tuple[str, str], Any]) -> None:
    assert set(operations) == {(method, path) for method, path, _ in routes()}


@pytest.mark.parametrize("num_examples", NUM_EXAMPLES)
@pytest.mark.parametrize(("method", "path", "face"), routes())
def test_whatever_is_asked_the_answer_is_as_described(
    client: TestClient,
    page: TestClient,
    names: Mapping[str, list[str]],
    operations: Mapping[tuple[str, str], Any],
    method: str,
    path: str,
    face: Face,
    num_examples: int,
) -> None:
    operation, asker = operations[method, path], page if face is Face.EMBED else client
    modes = [GenerationMode.POSITIVE]
    if operation.body or operation.query:
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:

        @settings(
            max_examples=num_examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode), draw=st.data())
        def ask(case: Any, draw: st.DataObject) -> None:
            check(send(asker, with_names(case, names, draw)), operation, face)

        ask()
