"""A real vLLM on a CPU, kept by the keeper: one start, a good adapter that passes, broken ones that are refused."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.real.homes import free_port
from tests.work import context_of

from goldsmith import migrations
from goldsmith.environments import machine
from goldsmith.models.rendering import Renderer
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run import lanes
from goldsmith.run.engine_reply import RowLetters
from goldsmith.run.errors import EngineGone
from goldsmith.run.types import AnswerRequest, SendLimits, SentAnswer
from goldsmith.serve import engine, probe, queries, service, weights
from goldsmith.serve.engine_client import EngineClient, call, make_salt
from goldsmith.serve.jobs import ProveKind
from goldsmith.serve.keeper import EngineKeeper, EngineSettings
from goldsmith.serve.tables import Deployment, Engine, Receipt
from goldsmith.serve.types import Target
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire import manifest

pytestmark = pytest.mark.real
START_WITHIN_S = 240


class Serving:
    """A home with one base model, whose engine is kept by a keeper in a thread, as the supervisor does it."""

    def __init__(self, home: Home, base_folder: Path) -> None:
        self.home = home
        self.database = Database(f"sqlite:///{home.root}/goldsmith.db")
        migrations.upgrade(self.database)
        self.base_folder = base_folder
        with self.database.transaction() as session:
            self.by = people.known_by_name(session, "Ada")
            session.add(_base_row(base_folder, self.by))
        program = engine.vllm(home, env={"PATH": "/usr/bin:/bin", "HOME": str(home.root)})
        settings = EngineSettings(program, "cpu", free_bytes=machine.free_bytes, first_port=free_port())
        self.keeper = EngineKeeper(self.database, home, settings)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self.messages: list[str] = []

    def start(self) -> None:
        with self.database.transaction() as session:
            service.want_engine(session, "bm_smollm2", by=self.by)
        self._thread.start()
        self.wait(lambda: self.target("bm_smollm2").is_ready, START_WITHIN_S)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self.keeper.stop_engines()
        self.database.dispose()

    def _keep(self) -> None:
        while not self._stop.wait(0.2):
            self.keeper.tick(clock.now())
            message = self.engine().message
            if message and message not in self.messages:
                self.messages.append(message)

    def wait(self, is_so: Callable[[], object], within_s: float = 60) -> None:
        end = time.monotonic() + within_s
        while not is_so():
            assert time.monotonic() < end, (self.engine().state, self.engine().message)
            assert self.engine().state != "failed", self.engine().message
            assert self._thread.is_alive()
            self._stop.wait(0.1)

    def engine(self) -> Engine:
        with self.database.reading() as session:
            return session.scalars(select(Engine).where(Engine.copy_of.is_(None))).one()

    def target(self, model_id: str) -> Target:
        with self.database.reading() as session:
            return queries.target_for(session, model_id)

    def deployment(self, model_id: str) -> Deployment:
        with self.database.reading() as session:
            return queries.deployment_of(session, model_id)

    def ask(self, ask: Callable[[EngineClient], Any], timeout_s: float = 120) -> Any:
        target = self.target("bm_smollm2")
        return call(target.url, target.read_key(self.home.root), ask, timeout_s=timeout_s)

    def add(self, name: str, folder: Path, *, template_hash: str | None = None) -> str:
        model_id = f"ftm_{name}"
        config = json.loads((folder / "adapter_config.json").read_text())
        template = template_hash or Renderer.open(self.base_folder).template_hash
        with self.database.transaction() as session:
            session.add(_model_row(model_id, name, folder, template, config["r"]))
            service.deploy(session, model_id, by=self.by)
        return model_id

    def prove(self, model_id: str) -> Receipt:
        """Wait for the load, then do the job that was queued, as a worker would."""
        self.wait(lambda: self.target(model_id).is_ready)
        job_id = self.deployment(model_id).prove_job_id
        assert job_id is not None
        context = context_of(self.database, self.home, job_id)
        ProveKind().work("prove", context)
        with self.database.reading() as session:
            receipt = queries.receipt(session, model_id)
        for line in receipt.lines:
            print(model_id, "ok " if line["is_ok"] else "NOT", line["name"], "|", line["value"])
        print(model_id, f"{receipt.duration_s:.1f} s", receipt.reason)
        return receipt


def _base_row(folder: Path, by: Person) -> BaseModel:
    return BaseModel(
        id="bm_smollm2",
        name="smollm2",
        source="folder",
        folder=str(folder),
        content_hash="0" * 64,
        size_bytes=1,
        num_parameters=134_515_008,
        context_length=8192,
        template_hash=Renderer.open(folder).template_hash,
        end_marker="<|im_end|>",
        domain=by.domain,
        created_by=by.id,
    )


def _model_row(model_id: str, name: str, folder: Path, template_hash: str, rank: int) -> FineTunedModel:
    now = clock.now()
    return FineTunedModel(
        id=model_id,
        name=name,
        base_model="smollm2",
        base_model_id="bm_smollm2",
        version=1,
        philosopher="Ada",
        domain="local",
        training_config={},
        model_path=str(folder),
        content_hash="0" * 64,
        template_hash=template_hash,
        lora_rank=rank,
        measured_at={},
        status="trained",
        created_by="per_1",
        created_at=now,
        updated_at=now,
    )


@pytest.fixture(scope="module")
def serving(real_home: Path, smollm2_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = Home(tmp_path_factory.mktemp("serving")).prepare()
    home.environments.symlink_to(real_home / "environments")
    running = Serving(home, smollm2_folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def copy(trained_adapter: Path, tmp_path: Path) -> Callable[[Callable[[Path], None]], Path]:
    """A copy of the trained adapter on which something was done, with a manifest that fits."""

    def make(spoil: Callable[[Path], None]) -> Path:
        folder = tmp_path / "model"
        shutil.copytree(trained_adapter, folder)
        spoil(folder)
        (folder / "manifest.json").unlink(missing_ok=True)
        manifest.write(folder)
        return folder

    return make


Copy = Callable[[Callable[[Path], None]], Path]


def change_b(folder: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of every B matrix."""
    path = folder / "adapter_model.safetensors"
    content = bytearray(path.read_bytes())
    for tensor in weights.second_halves(weights.read_header(path)):
        content[tensor.begin : tensor.end] = change(bytes(content[tensor.begin : tensor.end]))
    path.write_bytes(bytes(content))


def negated(content: bytes) -> bytes:
    """float32, little-endian: the sign is the highest bit of every fourth byte."""
    numbers = bytearray(content)
    for place in range(3, len(numbers), 4):
        numbers[place] ^= 0x80
    return bytes(numbers)


def rename_weights(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length].rstrip().replace(b"base_model.model.model.", b"base_model.model.language_model.")
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])


def test_the_engine_is_healthy_and_said_what_it_was_doing(serving: Serving) -> None:
    assert serving.engine().state == "ready"
    assert {"reading weights…", "opening its door…"} & set(serving.messages)
    assert serving.ask(lambda client: client.models()) == {"bm_smollm2": None}


def test_who_can_wait_says_so_and_is_answered(serving: Serving) -> None:
    [target] = targets(serving)
    assert lanes.endpoint_of(target, serving.home).takes_priority
    answers: list[SentAnswer] = []
    ask_rows(serving, range(4), answers.extend)
    assert [answer.error for answer in answers] == [None] * 4


def test_prompts_are_the_same_tokens_in_the_engine(serving: Serving, smollm2_folder: Path) -> None:
    chat = [{"role": "user", "content": " Grüße\n\t12345 “ok”? 🙂 "}]
    ids = serving.ask(lambda client: client.tokenize("bm_smollm2", chat))
    assert ids == Renderer.open(smollm2_folder).render_prompt(chat).token_ids


def test_a_good_adapter_is_loaded_in_under_a_second_and_proved(serving: Serving, trained_adapter: Path) -> None:
    model_id = serving.add("good", trained_adapter)
    receipt = serving.prove(model_id)
    assert receipt.is_green, receipt.reason
    deployment = serving.deployment(model_id)
    assert deployment.load_s is not None
    assert deployment.load_s < 1
    assert deployment.proof == "proved"
    with serving.database.transaction() as session:
        model = session.get_one(FineTunedModel, model_id)
        assert model.latency_ms is not None
        assert model.tokens_per_second is not None
        service.switch(session, model_id, by=serving.by)


def test_an_adapter_of_zeros_is_refused(serving: Serving, copy: Copy) -> None:
    receipt = serving.prove(serving.add("zero", copy(lambda folder: change_b(folder, lambda b: bytes(len(b))))))
    assert "B matrices are zero" in receipt.reason
    serving.wait(lambda: "ftm_zero" not in serving.ask(lambda client: client.models()))


def test_an_adapter_whose_names_do_not_fit_is_refused(serving: Serving, copy: Copy) -> None:
    receipt = serving.prove(serving.add("renamed", copy(rename_weights)))
    assert "names that the base model does not have" in receipt.reason


def test_weights_that_were_trained_on_other_rows_are_refused(serving: Serving, copy: Copy) -> None:
    receipt = serving.prove(serving.add("foreign", copy(lambda folder: change_b(folder, negated))))
    assert "trained on other rows" in receipt.reason


def test_right_weights_under_another_template_are_refused(serving: Serving, copy: Copy) -> None:
    folder = copy(lambda folder: None)
    receipt = serving.prove(serving.add("otherwise", folder, template_hash="f" * 64))
    assert "another chat template" in receipt.reason


def test_one_token_at_a_time_is_exact_beside_other_traffic(serving: Serving, trained_adapter: Path) -> None:
    row = probe.read(trained_adapter)[0]

    async def ask(client: EngineClient) -> list[float]:
        import asyncio

        from goldsmith.serve.engine_client import Score

        scores = [Score("ftm_good", row.prompt_ids + row.answer_ids[:n], row.answer_ids[n]) for n in range(2)]
        traffic = [asyncio.create_task(client.chat("bm_smollm2", _question(n))) for n in range(3)]
        found = await client.token_logprobs(scores, salt=make_salt(), concurrency=2)
        await asyncio.gather(*traffic)
        return found

    found = serving.ask(ask)
    assert found == pytest.approx(list(row.tuned[:2]), abs=0.05)


def _question(number: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": f"Count to {number}."}], "max_tokens": 12, "temperature": 0}


def test_a_copy_answers_too_and_goes_on_when_the_first_is_killed(serving: Serving) -> None:
    first = serving.engine()
    before = machine.free_bytes()
    with serving.database.transaction() as session:
        service.set_copies(session, first.id, 2, by=serving.by)
    serving.wait(lambda: len(targets(serving)) == 2, START_WITHIN_S)
    print(f"the copy took {(before - machine.free_bytes()) / 1024**3:.1f} GiB")
    answers: list[SentAnswer] = []

    def keep_and_kill(some: list[SentAnswer]) -> None:
        answers.extend(some)
        if first.pid is not None and len(answers) >= 6:
            os.kill(first.pid, signal.SIGKILL)
            first.pid = None

    with pytest.raises(EngineGone):
        ask_rows(serving, range(40), keep_and_kill)
    num_kept = len(answers)
    done = {answer.row_id for answer in answers}
    ask_rows(serving, [number for number in range(40) if f"row_{number}" not in done], answers.extend)
    assert sorted(answer.row_id for answer in answers) == sorted(f"row_{number}" for number in range(40))
    print(f"{num_kept} of 40 answered when the first was given up, the rest by the copy")
    serving.wait(lambda: serving.engine().generation == first.generation + 1 and len(targets(serving)) == 2, 300)
    serving.wait(lambda: serving.target("ftm_good").is_ready)


def targets(serving: Serving) -> list[Target]:
    with serving.database.reading() as session:
        return queries.targets_for(session, "bm_smollm2")


def ask_rows(serving: Serving, numbers: Iterable[int], on_answers: Callable[[list[SentAnswer]], None]) -> None:
    rows = (
        AnswerRequest(f"row_{number}", number, [{"role": "user", "content": f"Count to {number}."}], max_tokens=12)
        for number in numbers
    )
    lanes.ask(
        targets(serving),
        lanes.Source(rows, write=lambda request, _: request, letters=RowLetters),
        home=serving.home,
        limits=SendLimits(concurrency=4, engine_wait_s=9),
        on_answers=on_answers,
        should_stop=lambda: False,
    )
