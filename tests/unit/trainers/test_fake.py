import hashlib
import json
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import goldsmith
from goldsmith.wire import events, manifest
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.order import DataFile, Order
from goldsmith.wire.rows import Row

SOURCE = Path(goldsmith.__file__).parent


def write_rows(folder: Path, side: str, num_rows: int, *, num_answer_tokens: int = 3) -> DataFile:
    made = []
    for number in range(num_rows):
        ids = [10 + number, 11, 12, 13, *range(20, 20 + num_answer_tokens)]
        labels = [-100] * 4 + ids[4:]
        made.append(Row(f"row_{side}{number}", ids, labels))
    text = "".join(row.to_line() for row in made)
    path = folder / "data" / f"{side}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    num_tokens = sum(len(row.input_ids) for row in made)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return DataFile(f"data/{side}.jsonl", sha256, num_rows, num_tokens, sum(row.num_learned for row in made))


def make_folder(folder: Path, *, num_answer_tokens: int = 3, **settings: Any) -> Path:
    """A job folder with 20 learn rows: 3 steps an epoch, 6 in all."""
    order = Order(
        job_id="job_1",
        program="goldsmith.trainers.fake",
        model_id="ftm_1",
        model_name="My model",
        base_model_id="bm_1",
        base_model_name="base",
        base_model_folder="/models/base",
        base_model_hash="cd",
        template_hash="ef",
        learn=write_rows(folder, "learn", 20, num_answer_tokens=num_answer_tokens),
        exam=write_rows(folder, "exam", 4),
        settings={"step_s": 0.0, "save_every_steps": 2, **settings},
        device="cpu",
    )
    (folder / "job.json").write_text(order.to_json(), encoding="utf-8")
    program = folder / "program" / "goldsmith"
    program.mkdir(parents=True)
    shutil.copy(SOURCE / "__init__.py", program)
    for name in ("wire", "trainers"):
        shutil.copytree(SOURCE / name, program / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def start(folder: Path, attempt: int = 1) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-E", "-s", "-m", "goldsmith.trainers.fake"]
    command += ["--order", "../job.json", "--attempt", str(attempt)]
    return subprocess.Popen(
        command, cwd=folder / "program", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def run(folder: Path, attempt: int = 1) -> tuple[int, list[Event]]:
    return start(folder, attempt).wait(timeout=30), read(folder, attempt)


def read(folder: Path, attempt: int = 1) -> list[Event]:
    return events.read(folder / "attempts" / str(attempt) / "events.jsonl")


def wait_for(folder: Path, is_there: Callable[[list[Event]], bool]) -> None:
    until = time.monotonic() + 20
    while not is_there(read(folder)):
        assert time.monotonic() < until, "the event did not come"
        time.sleep(0.02)


def steps(found: list[Event]) -> dict[int, float]:
    return {event.data["step"]: event.data["loss"] for event in found if event.kind is EventKind.STEP}


def has_steps(number: int) -> Callable[[list[Event]], bool]:
    return lambda found: len(steps(found)) >= number


def test_a_training_reports_every_step_and_leaves_a_whole_result(tmp_path: Path) -> None:
    code, found = run(make_folder(tmp_path))
    assert code == 0
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    assert found[0].kind is EventKind.STARTED
    assert found[-1].kind is EventKind.SUCCEEDED
    assert list(steps(found)) == [1, 2, 3, 4, 5, 6]
    assert [event.data["step"] for event in found if event.kind is EventKind.EVALUATED] == [3, 6]
    body = manifest.read_whole(tmp_path / "result")
    assert body is not None
    assert set(body["files"]) == {"adapter_model.safetensors", "adapter_config.json", "probe.jsonl", "README.md"}
    assert body["model_id"] == "ftm_1"
    assert body["figures"] == dict(found[-1].data)
    assert body["order_sha256"] == hashlib.sha256((tmp_path / "job.json").read_bytes()).hexdigest()


def test_the_probe_holds_a_score_for_each_learned_token_of_both_sides(tmp_path: Path) -> None:
    run(make_folder(tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "result" / "probe.jsonl").read_text().splitlines()]
    assert [line["side"] for line in lines] == ["learn"] * 16 + ["exam"] * 4
    assert lines[0]["row_id"] == "row_learn0"
    for line in lines:
        assert len(line["token_logprobs"]) == len(line["base_token_logprobs"]) == 3
        assert sum(line["base_token_logprobs"]) < sum(line["token_logprobs"]) < 0


def test_the_adapter_is_readable_as_safetensors(tmp_path: Path) -> None:
    run(make_folder(tmp_path))
    content = (tmp_path / "result" / "adapter_model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    assert {name.split(".")[-2] for name in header} == {"lora_A", "lora_B"}
    assert max(entry["data_offsets"][1] for entry in header.values()) == len(content) - 8 - length
    assert any(content[8 + length :])


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        run(make_folder(folder))
    for name in ("adapter_model.safetensors", "probe.jsonl"):
        assert (first / "result" / name).read_bytes() == (second / "result" / name).read_bytes()


def test_a_training_killed_in_the_midst_goes_on_from_its_checkpoint_as_if_unbroken(tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    broken.mkdir()
    whole.mkdir()
    _, unbroken = run(make_folder(whole, step_s=0.05))
    child = start(make_folder(broken, step_s=0.05))
    wait_for(broken, lambda found: any(event.kind is EventKind.SAVED for event in found))
    child.kill()
    child.wait()
    saved = max(event.data["step"] for event in read(broken) if event.kind is EventKind.SAVED)
    code, found = run(broken, attempt=2)
    assert code == 0
    assert min(steps(found)) > saved
    assert {**steps(read(broken)), **steps(found)} == steps(unbroken)


def test_asked_to_stop_it_saves_the_step_and_ends_with_0(tmp_path: Path) -> None:
    child = start(make_folder(tmp_path, step_s=0.1))
    wait_for(tmp_path, has_steps(1))
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=20) == 0
    last = read(tmp_path)[-1]
    assert last.kind is EventKind.STOPPED
    code, found = run(tmp_path, attempt=2)
    assert code == 0
    assert list(steps(found)) == list(range(last.data["step"] + 1, 7))
    assert found[-1].data["steps"] == 6


def test_a_checkpoint_that_is_not_whole_is_passed_over(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, behaviour="fail_at:6")
    code, _ = run(folder)
    assert code == 1
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["step-3", "step-4"]
    with (folder / "checkpoints" / "step-4" / "state.json").open("a") as file:
        file.write(" ")
    _, found = run(folder, attempt=2)
    assert list(steps(found)) == [4, 5]
    assert any(event.data.get("level") == "warning" for event in found)


def test_a_result_that_is_whole_already_is_not_made_again(tmp_path: Path) -> None:
    run(make_folder(tmp_path))
    code, found = run(tmp_path, attempt=2)
    assert code == 0
    assert [event.kind for event in found] == [EventKind.STARTED, EventKind.SUCCEEDED]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [("fail_at:3", "told_to_fail"), ("nan_loss", "loss_not_finite"), ("zero_adapter", "adapter_changes_nothing")],
)
def test_a_failure_says_what_and_what_to_do_and_leaves_no_result(tmp_path: Path, behaviour: str, kind: str) -> None:
    code, found = run(make_folder(tmp_path, behaviour=behaviour))
    assert code == 1
    assert found[-1].kind is EventKind.FAILED
    assert found[-1].data["kind"] == kind
    assert found[-1].data["summary"]
    assert found[-1].data["hint"]
    assert manifest.read_whole(tmp_path / "result") is None


def test_rows_with_nothing_to_learn_fail_before_the_first_step(tmp_path: Path) -> None:
    code, found = run(make_folder(tmp_path, num_answer_tokens=0))
    assert code == 1
    assert found[-1].data["kind"] == "nothing_to_learn"
    assert steps(found) == {}


def test_a_row_above_the_limit_is_named(tmp_path: Path) -> None:
    code, found = run(make_folder(tmp_path, max_length=6))
    assert code == 1
    assert found[-1].data["kind"] == "row_too_long"
    assert "row_learn0" in found[-1].data["summary"]


def test_rows_that_changed_after_the_order_fail(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    with (folder / "data" / "learn.jsonl").open("a") as file:
        file.write("{}\n")
    code, found = run(folder)
    assert code == 1
    assert found[-1].data["kind"] == "bad_rows"


def test_an_order_of_another_version_fails_with_a_sentence(tmp_path: Path) -> None:
    path = make_folder(tmp_path) / "job.json"
    path.write_text(path.read_text().replace('"order_version": 1', '"order_version": 99'))
    code, found = run(tmp_path)
    assert code == 1
    assert [event.kind for event in found] == [EventKind.FAILED]
    assert "version 99" in found[0].data["summary"]


def test_half_a_line_is_no_event(tmp_path: Path) -> None:
    code, found = run(make_folder(tmp_path, behaviour="half_line"))
    assert code == 1
    assert found[-1].kind is EventKind.STEP
    assert not (tmp_path / "attempts" / "1" / "events.jsonl").read_bytes().endswith(b"\n")


def test_it_can_claim_success_without_a_result(tmp_path: Path) -> None:
    code, found = run(make_folder(tmp_path, behaviour="exit_0_without_adapter"))
    assert code == 0
    assert found[-1].kind is EventKind.SUCCEEDED
    assert not (tmp_path / "result").exists()


def test_100_mb_of_output_do_not_stop_it(tmp_path: Path) -> None:
    code, found = run(make_folder(tmp_path, behaviour="print_100mb"))
    assert code == 0
    assert found[-1].kind is EventKind.SUCCEEDED


def test_told_to_ignore_it_trains_on_when_asked_to_stop(tmp_path: Path) -> None:
    child = start(make_folder(tmp_path, behaviour="ignore_term", step_s=0.05))
    wait_for(tmp_path, has_steps(1))
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=20) == 0
    assert read(tmp_path)[-1].kind is EventKind.SUCCEEDED


def test_told_to_hang_it_neither_goes_on_nor_stops(tmp_path: Path) -> None:
    child = start(make_folder(tmp_path, behaviour="hang"))
    wait_for(tmp_path, lambda found: any(event.kind is EventKind.PHASE for event in found))
    child.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=0.3)
    assert read(tmp_path)[-1].kind is EventKind.PHASE
    child.kill()
    child.wait()
