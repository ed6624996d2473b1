"""How the fake trainer misbehaves when it is told to. What it promises as a trainer is checked in `tests/contract`."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from goldsmith import app
from goldsmith.testing.contracts.job_folder import NUM_STEPS, Trainer, make_folder, read, run, started, wait_for
from goldsmith.wire import manifest
from goldsmith.wire.events import EventKind

FAKE = Trainer(
    app.make_backends()["fake"], Path(sys.executable), Path("/models/base"), {"batch_size": 2, "step_s": 0.0}
)


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        run(FAKE, make_folder(tmp_path / name, FAKE))
    for name in ("adapter_model.safetensors", "probe.jsonl"):
        first, second = (tmp_path / folder / "result" / name for folder in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [("fail_at:3", "told_to_fail"), ("nan_loss", "loss_not_finite"), ("zero_adapter", "adapter_changes_nothing")],
)
def test_a_failure_says_what_and_what_to_do_and_leaves_no_result(tmp_path: Path, behaviour: str, kind: str) -> None:
    found = run(FAKE, make_folder(tmp_path, FAKE, behaviour=behaviour))
    assert found[-1].kind is EventKind.FAILED
    assert found[-1].data["kind"] == kind
    assert found[-1].data["summary"]
    assert found[-1].data["hint"]
    assert manifest.read_whole(tmp_path / "result") is None


def test_half_a_line_is_no_event(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, FAKE, behaviour="half_line")
    with started(FAKE, folder) as child:
        assert child.wait(timeout=30) == 1
    assert read(folder)[-1].kind is EventKind.STEP
    assert not (folder / "attempts" / "1" / "events.jsonl").read_bytes().endswith(b"\n")


def test_it_can_claim_success_without_a_result(tmp_path: Path) -> None:
    assert run(FAKE, make_folder(tmp_path, FAKE, behaviour="exit_0_without_adapter"))[-1].kind is EventKind.SUCCEEDED
    assert not (tmp_path / "result").exists()


def test_100_mb_of_output_do_not_stop_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, FAKE, behaviour="print_100mb")
    assert run(FAKE, folder)[-1].kind is EventKind.SUCCEEDED
    assert (folder / "attempts" / "1" / "log").stat().st_size > 99_000_000


def test_told_to_ignore_it_trains_on_when_asked_to_stop(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, FAKE, behaviour="ignore_term", step_s=0.05)
    with started(FAKE, folder) as child:
        wait_for(folder, child, lambda event: event.kind is EventKind.STEP)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=20) == 0
    assert read(folder)[-1].kind is EventKind.SUCCEEDED


def test_told_to_hang_it_neither_goes_on_nor_stops(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, FAKE, behaviour="hang")
    with started(FAKE, folder) as child:
        wait_for(folder, child, lambda event: event.kind is EventKind.PHASE)
        child.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.3)
        assert read(folder)[-1].kind is EventKind.PHASE


def test_asked_to_keep_the_best_it_ends_with_that_model(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, FAKE, step_s=0.3, num_epochs=3, save_every_steps=1)
    with started(FAKE, folder) as child:
        wait_for(folder, child, lambda event: event.kind is EventKind.SAVED)
        (folder / "keep").touch()
        assert child.wait(timeout=60) == 0
    said = read(folder)
    assert said[-1].kind is EventKind.SUCCEEDED
    assert said[-1].data["steps"] < 3 * NUM_STEPS
    assert manifest.read_whole(folder / "result") is not None


def test_what_it_answers_is_told_whenever_the_exam_is_scored(tmp_path: Path) -> None:
    said = run(FAKE, make_folder(tmp_path, FAKE))
    sampled = [event.data for event in said if event.kind is EventKind.SAMPLED]
    assert [data["step"] for data in sampled] == [NUM_STEPS, 2 * NUM_STEPS]
    assert [answer["row_id"] for answer in sampled[0]["answers"]] == ["row_exam0", "row_exam1"]
