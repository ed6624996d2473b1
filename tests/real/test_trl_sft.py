"""The real trainer on the real small model: killed, stopped, resumed, and as right as it is quick."""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import goldsmith
from goldsmith.wire import events, manifest
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.order import DataFile, Order
from goldsmith.wire.rows import Row

pytestmark = pytest.mark.real

SOURCE = Path(goldsmith.__file__).parent
NUM_STEPS = 4


def write_rows(folder: Path, side: str, num_rows: int, num_answer_tokens: int) -> DataFile:
    """Rows of different lengths whose answer can be learned: it repeats the first token."""
    pick = random.Random(side)  # noqa: S311 - made-up rows, not a secret
    made = []
    for number in range(num_rows):
        prompt = [pick.randrange(100, 40_000) for _ in range(6 + number)]
        ids = prompt + [prompt[0]] * num_answer_tokens
        made.append(Row(f"row_{side}{number}", ids, [-100] * len(prompt) + ids[len(prompt) :]))
    text = "".join(row.to_line() for row in made)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / f"{side}.jsonl").write_text(text, encoding="utf-8")
    num_tokens, num_learned = sum(len(row.input_ids) for row in made), sum(row.num_learned for row in made)
    return DataFile(f"data/{side}.jsonl", hashlib.sha256(text.encode()).hexdigest(), num_rows, num_tokens, num_learned)


def make_folder(folder: Path, base_model: Path, *, num_answer_tokens: int = 3, **settings: Any) -> Path:
    """A job folder of 8 learn rows, two a step."""
    order = Order(
        job_id="job_1",
        program="goldsmith.trainers.trl_sft",
        model_id="ftm_1",
        model_name="My model",
        base_model_id="bm_1",
        base_model_name="smollm2-135m-instruct",
        base_model_folder=str(base_model),
        base_model_hash="cd",
        template_hash="ef",
        learn=write_rows(folder, "learn", 8, num_answer_tokens),
        exam=write_rows(folder, "exam", 2, 3),
        settings={"batch_size": 2, "num_epochs": 1, "save_every_steps": 1, "lora_dropout": 0.1, **settings},
        device="cpu",
    )
    (folder / "job.json").write_text(order.to_json(), encoding="utf-8")
    program = folder / "program" / "goldsmith"
    program.mkdir(parents=True)
    shutil.copy(SOURCE / "__init__.py", program)
    for name in ("wire", "trainers"):
        shutil.copytree(SOURCE / name, program / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@contextmanager
def started(python: Path, folder: Path, attempt: int = 1) -> Iterator["subprocess.Popen[bytes]"]:
    command = [str(python), "-E", "-s", "-m", "goldsmith.trainers.trl_sft", "--order", "../job.json"]
    log_path = folder / "attempts" / str(attempt) / "log"
    log_path.parent.mkdir(parents=True)
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            [*command, "--attempt", str(attempt)],
            cwd=folder / "program",
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def run(python: Path, folder: Path, attempt: int = 1) -> list[Event]:
    with started(python, folder, attempt) as child:
        code = child.wait(timeout=300)
    found = read(folder, attempt)
    assert code == (1 if found[-1].kind is EventKind.FAILED else 0)
    return found


def read(folder: Path, attempt: int = 1) -> list[Event]:
    return events.read(folder / "attempts" / str(attempt) / "events.jsonl")


def wait_for(folder: Path, child: "subprocess.Popen[bytes]", is_there: Callable[[Event], bool]) -> None:
    until = time.monotonic() + 300
    while not any(map(is_there, read(folder))):
        assert child.poll() is None, (folder / "attempts" / "1" / "log").read_text()
        assert time.monotonic() < until, "the event did not come"
        time.sleep(0.02)


def losses(found: list[Event]) -> dict[int, float]:
    return {event.data["step"]: event.data["loss"] for event in found if event.kind is EventKind.STEP}


@pytest.fixture(scope="module")
def unbroken(
    tmp_path_factory: pytest.TempPathFactory, trl_python: Path, smollm2_folder: Path
) -> tuple[Path, list[Event]]:
    folder = make_folder(tmp_path_factory.mktemp("unbroken"), smollm2_folder)
    return folder, run(trl_python, folder)


def test_a_training_reports_its_steps_and_ends_with_a_whole_result(unbroken: tuple[Path, list[Event]]) -> None:
    folder, found = unbroken
    assert found[-1].kind is EventKind.SUCCEEDED
    assert list(losses(found)) == list(range(1, NUM_STEPS + 1))
    for event in found:
        if event.kind is EventKind.STEP:
            assert event.data["tokens_per_s"] > 0
            assert event.data["memory_mb"] > 100
            assert event.data["grad_norm"] > 0
            assert event.data["seconds_left"] >= 0
    assert [event.data["step"] for event in found if event.kind is EventKind.EVALUATED] == [0, NUM_STEPS]
    body = manifest.read_whole(folder / "result")
    assert body is not None
    assert {"adapter_model.safetensors", "adapter_config.json", "probe.jsonl", "README.md"} == set(body["files"])
    config = json.loads((folder / "result" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "smollm2-135m-instruct"
    assert config["r"] == 8


def test_the_probe_scores_every_learned_token_with_the_adapter_and_without(unbroken: tuple[Path, list[Event]]) -> None:
    folder, _ = unbroken
    lines = [json.loads(line) for line in (folder / "result" / "probe.jsonl").read_text().splitlines()]
    assert [line["side"] for line in lines] == ["learn"] * 8 + ["exam"] * 2
    for line in lines:
        assert len(line["token_logprobs"]) == len(line["base_token_logprobs"]) == 3
        assert line["token_logprobs"] != line["base_token_logprobs"]
    learned = [line for line in lines if line["side"] == "learn"]
    assert sum(sum(line["token_logprobs"]) for line in learned) > sum(
        sum(line["base_token_logprobs"]) for line in learned
    )


def test_projecting_only_what_is_learned_gives_the_same_losses(
    tmp_path: Path, trl_python: Path, smollm2_folder: Path, unbroken: tuple[Path, list[Event]]
) -> None:
    plain = run(trl_python, make_folder(tmp_path, smollm2_folder, lean_output_layer=False))
    assert losses(plain) == pytest.approx(losses(unbroken[1]), rel=1e-5)


def test_killed_after_two_steps_it_goes_on_to_four_as_if_unbroken(
    tmp_path: Path, trl_python: Path, smollm2_folder: Path, unbroken: tuple[Path, list[Event]]
) -> None:
    folder = make_folder(tmp_path, smollm2_folder)
    with started(trl_python, folder) as child:
        wait_for(folder, child, lambda event: event.kind is EventKind.SAVED and event.data["step"] == 2)
        child.send_signal(signal.SIGKILL)
    found = run(trl_python, folder, attempt=2)
    saved = max(event.data["step"] for event in read(folder) if event.kind is EventKind.SAVED)
    assert list(losses(found)) == list(range(saved + 1, NUM_STEPS + 1))
    assert {**losses(read(folder)), **losses(found)} == pytest.approx(losses(unbroken[1]), abs=1e-4)


def test_asked_to_stop_it_saves_the_step_and_goes_on_from_there(
    tmp_path: Path, trl_python: Path, smollm2_folder: Path, unbroken: tuple[Path, list[Event]]
) -> None:
    folder = make_folder(tmp_path, smollm2_folder, save_every_steps=100)
    with started(trl_python, folder) as child:
        wait_for(folder, child, lambda event: event.kind is EventKind.STEP)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=60) == 0
    last = read(folder)[-1]
    assert last.kind is EventKind.STOPPED
    found = run(trl_python, folder, attempt=2)
    assert list(losses(found)) == list(range(last.data["step"] + 1, NUM_STEPS + 1))
    assert losses(found) == pytest.approx(
        {step: loss for step, loss in losses(unbroken[1]).items() if step > last.data["step"]}, abs=1e-4
    )
    assert found[-1].data["exam_loss"] == pytest.approx(unbroken[1][-1].data["exam_loss"], abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"num_answer_tokens": 0}, "nothing_to_learn"),
        ({"max_length": 8}, "row_too_long"),
        ({"surprise": 1}, "bad_settings"),
    ],
)
def test_what_cannot_work_fails_before_anything_heavy_is_loaded(
    tmp_path: Path, trl_python: Path, smollm2_folder: Path, settings: dict[str, Any], kind: str
) -> None:
    found = run(trl_python, make_folder(tmp_path, smollm2_folder, **settings))
    assert found[-1].data["kind"] == kind
    assert not any(event.kind is EventKind.PHASE for event in found)


def test_weights_that_do_not_move_are_a_failure(tmp_path: Path, trl_python: Path, smollm2_folder: Path) -> None:
    folder = make_folder(tmp_path, smollm2_folder, learning_rate=0.0)
    found = run(trl_python, folder)
    assert found[-1].data["kind"] == "adapter_changes_nothing"
    assert manifest.read_whole(folder / "result") is None
