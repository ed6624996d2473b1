"""One Goldsmith has another one train: two homes, two ports, two supervisors, real processes, OpenAI's API between.

The second trains with the fake trainer and answers with the fake engine; the first has no model of its own at all.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from tests.acceptance.test_openai_training import QUESTIONS, chats
from tests.acceptance.test_the_loop import fake_program, import_base
from tests.web.gateway_site import serving

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.models.types import SMOLLM2
from goldsmith.people import service as people
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.serve import queries as serve
from goldsmith.serve.keeper import EngineKeeper, EngineSettings
from goldsmith.settings import Settings
from goldsmith.testing import write_small_model

pytestmark = [pytest.mark.long, pytest.mark.enable_socket, pytest.mark.xdist_group("acceptance")]

PORT = 18500
WAIT_S = 90
EXAM = [f"Exam question {n}?" for n in range(6)]


@dataclass(frozen=True)
class Site:
    """A Goldsmith that runs."""

    parts: app.Parts
    url: str
    key: str
    cli: Cli

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Something of its own API."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx2.request(method, f"{self.url}{path}", headers=headers, timeout=30, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def training(self, job_id: str) -> Any:
        """How a training stands."""
        return self.ask("GET", f"/v1/fine-tuning/jobs/{job_id}")


@contextmanager
def site(folder: Path, program_answers: Path, port: int, **settings: Any) -> Iterator[Site]:
    """A whole Goldsmith with its own home folder; its engines are stand-ins."""
    parts = app.assemble(Settings(home=folder / "home", engine_port=port, **settings))
    app.prepare_database(parts)
    engines = EngineKeeper(
        parts.database, parts.home, EngineSettings(fake_program(program_answers), "cpu", first_port=port)
    )
    keepers = [engines, *[each for each in app.make_keepers(parts) if each.name == "cancels at providers"]]
    stop = threading.Event()
    thread = threading.Thread(target=app.make_supervisor(parts).run, args=(stop, keepers), daemon=True)
    thread.start()
    cli = Cli(as_name="Ada", is_json=True)
    cli.__dict__["parts"] = parts
    try:
        with cli.transaction() as (session, person):
            _, key = people.add_key(session, "tests", by=person)
        with serving(app.make_asgi(parts)) as url:
            yield Site(parts, url, key, cli)
    finally:
        stop.set()
        thread.join(timeout=10)
        engines.stop_engines(within_s=2)
        parts.database.dispose()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    folder = tmp_path_factory.mktemp("two")
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"tuned": dict.fromkeys([*QUESTIONS, *EXAM], "cards")}))
    with ExitStack() as stack:
        far = stack.enter_context(site(folder / "far", answers, PORT, fine_tuning_backend="fake"))
        import_base(far.cli, write_small_model(folder / "base", text=" ".join([*QUESTIONS, *EXAM])))
        near = stack.enter_context(site(folder / "near", answers, PORT + 50))
        yield near, far


@pytest.fixture(scope="module")
def provider(sites: tuple[Site, Site]) -> str:
    near, far = sites
    body = {"kind": "provider", "url": f"{far.url}/v1", "model": SMOLLM2.name, "key": far.key, "name": "the far one"}
    return str(near.ask("POST", "/v1/engines", json=body)["id"])


def begin(near: Site, provider: str, name: str, **options: Any) -> str:
    """Upload conversations here, and have them trained there."""
    with openai.OpenAI(base_url=f"{near.url}/v1", api_key=near.key) as client:
        learn = client.files.create(file=(f"{name}.jsonl", chats([f"{q}" for q in QUESTIONS])), purpose="fine-tune")
        exam = client.files.create(file=("exam.jsonl", chats(EXAM)), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(
            model=provider,
            training_file=learn.id,
            validation_file=exam.id,
            suffix=name,
            hyperparameters=options,  # type: ignore[arg-type]
            extra_body={"backend": "openai"},
        )
    return job.id


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + WAIT_S
    while not is_there(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def trained(sites: tuple[Site, Site], provider: str) -> Any:
    near, _ = sites
    job_id = begin(near, provider, "cards")
    return until(lambda: near.training(job_id), lambda found: found["state"] in ("succeeded", "failed", "cancelled"))


def test_what_is_trained_there_has_its_curve_and_its_model_here(sites: tuple[Site, Site], trained: Any) -> None:
    _, far = sites
    assert (trained["state"], trained["failure"]) == ("succeeded", None)
    assert trained["base_model"].startswith(f"{SMOLLM2.name} at 127.0.0.1")
    there = far.ask("GET", "/v1/fine-tuning/jobs")["jobs"]
    assert len(there) == 1
    known = far.training(there[0]["id"])
    losses = {point["step"]: point["loss"] for point in trained["series"]}
    assert losses == pytest.approx({point["step"]: point["loss"] for point in known["series"]})
    assert trained["validation_loss"] == pytest.approx(known["validation_loss"])


def test_it_holds_no_slot_and_costs_this_machine_nothing(sites: tuple[Site, Site], trained: Any) -> None:
    near, _ = sites
    with near.parts.database.reading() as session:
        from goldsmith.jobs import queries as jobs

        job = jobs.one(session, trained["id"])
    assert not job.needs_slot
    assert "cost" not in (job.result or {})


def test_the_model_is_asked_there_and_compared_with_its_base(sites: tuple[Site, Site], trained: Any) -> None:
    near, _ = sites
    model_id = trained["output_model_id"]
    with openai.OpenAI(base_url=f"{near.url}/v1", api_key=near.key) as client:
        said = until(lambda: ask(client, model_id, QUESTIONS[0]), lambda text: text is not None)
    assert said == "cards"
    started = near.ask("POST", "/v1/fine-tuning/ab-test", json={"models": [model_id]})
    found = until(
        lambda: near.ask("GET", f"/v1/fine-tuning/comparisons/{started['id']}"),
        lambda one: one["status"] in ("succeeded", "failed"),
    )
    assert found["status"] == "succeeded", found
    arms = {arm["name"]: arm["figures"] for arm in found["arms"]}
    assert arms["tuned"]["num_right"] == len(EXAM)
    assert arms["base"]["num_right"] < len(EXAM)


def ask(client: openai.OpenAI, model: str, question: str) -> str | None:
    try:
        said = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
    except (openai.NotFoundError, openai.InternalServerError, openai.APIStatusError):
        return None
    return said.choices[0].message.content


def test_what_needs_its_files_says_plainly_that_they_are_elsewhere(sites: tuple[Site, Site], trained: Any) -> None:
    near, _ = sites
    headers = {"Authorization": f"Bearer {near.key}"}
    for what in ("exports", "merged", "receipt"):
        path = f"/v1/fine-tuning/models/{trained['output_model_id']}/{what}"
        answer = httpx2.post(f"{near.url}{path}", headers=headers, json={}, timeout=30)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/model-at-provider"), answer.text


def test_a_cancel_reaches_the_other_machine(sites: tuple[Site, Site], provider: str) -> None:
    near, far = sites
    job_id = begin(near, provider, "slow", n_epochs=50, batch_size=1)
    until(lambda: near.training(job_id)["state"], lambda state: state == "running")
    until(lambda: near.training(job_id)["current_step"], bool)
    near.ask("POST", f"/v1/fine-tuning/jobs/{job_id}/cancel")
    until(lambda: near.training(job_id)["state"], lambda state: state in ("cancelled", "succeeded"))
    begun = json.loads((near.parts.home.jobs / job_id / "provider.json").read_text())["job"]
    assert near.training(job_id)["state"] == "cancelled"
    assert until(lambda: far.training(begun)["state"], lambda state: state in ("cancelled", "succeeded")) == "cancelled"


def test_the_key_stands_nowhere_but_in_its_file(sites: tuple[Site, Site], provider: str, trained: Any) -> None:
    near, far = sites
    key_file = near.parts.home.root / "secrets" / f"engine-{provider}.key"
    for path in filter(Path.is_file, near.parts.home.root.rglob("*")):
        if path != key_file:
            assert far.key.encode() not in path.read_bytes(), path
    with near.parts.database.reading() as session:
        assert serve.page(session, domain=DEFAULT_DOMAIN)
