"""What every training backend promises, whatever trains: ONE suite, run by a class that says what `trainer` is.

`tests/contract/test_backends.py` runs it over the backends that need nothing, `tests/real/test_backends.py` over those
that have an environment of their own. Both ask the registry, so a new backend is held to it by being there.
"""

import hashlib
import json
import math
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from goldsmith.testing.contracts import RAN_ON
from goldsmith.testing.contracts.interrupted import Interrupted, draw_moments
from goldsmith.testing.contracts.job_folder import (
    NUM_EXAM,
    NUM_LEARN,
    NUM_STEPS,
    Trainer,
    losses,
    make_folder,
    run,
    saved,
)
from goldsmith.wire import manifest
from goldsmith.wire.events import Event, EventKind

POSITIVE = ("loss", "grad_norm", "tokens_per_s", "memory_mb", "tokens_seen", "epoch")
STEP_FIGURES = (*POSITIVE, "step", "total_steps", "learning_rate", "seconds_left")
RESULT_FIGURES = {"final_loss", "exam_loss", "steps", "tokens_per_s", "peak_memory_mb", "size_mb", "duration_s"}
NUM_EPOCHS = 3
"""Of a training on this machine: with steps enough to be killed three times on its way."""
RESULT_FILES = {"adapter_model.safetensors", "adapter_config.json", "probe.jsonl", "README.md"}


@dataclass(frozen=True)
class Unbroken:
    """A training that nothing disturbed; what happens to the others is measured by it."""

    folder: Path
    events: list[Event]

    def copy(self, to: Path) -> Path:
        """The job folder as it was left."""
        return Path(shutil.copytree(self.folder, to / "job"))

    @property
    def body(self) -> dict[str, Any]:
        body = manifest.read_whole(self.folder / "result")
        assert body is not None, "the result is not whole"
        return body


class EveryTraining:
    """What all promise, wherever they train. A subclass gives the fixture `trainer`."""

    num_epochs: ClassVar[int] = 1

    @classmethod
    def num_steps(cls) -> int:
        """Of a training that nothing disturbs."""
        return cls.num_epochs * NUM_STEPS

    @pytest.fixture(scope="class")
    @classmethod
    def unbroken(cls, trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
        return train_unbroken(trainer, tmp_path_factory.mktemp("unbroken"), num_epochs=cls.num_epochs)

    @pytest.fixture(autouse=True)
    def _say_what_it_ran_on(self, trainer: Trainer, record_property: Any) -> None:
        record_property(RAN_ON, f"training backend {trainer.backend.name}")

    # What it says

    def test_it_says_first_with_what_it_runs_and_last_how_it_ended(self, unbroken: Unbroken) -> None:
        found = unbroken.events
        assert [event.seq for event in found] == list(range(1, len(found) + 1))
        assert found[0].kind is EventKind.STARTED
        assert found[0].data["pid"] > 0
        assert found[0].data["versions"]["python"]
        assert [event for event in found if event.kind.is_last] == [found[-1]]
        assert found[-1].kind is EventKind.SUCCEEDED

    def test_it_scores_the_exam_rows_at_the_end(self, unbroken: Unbroken) -> None:
        scored = [event.data for event in unbroken.events if event.kind is EventKind.EVALUATED]
        assert scored[-1]["step"] == self.num_steps()
        assert scored[-1]["exam_loss"] == pytest.approx(unbroken.events[-1].data["exam_loss"], abs=1e-4)

    # How it goes on

    def test_a_result_that_is_whole_already_is_not_made_again(
        self, tmp_path: Path, trainer: Trainer, unbroken: Unbroken
    ) -> None:
        found = run(trainer, unbroken.copy(tmp_path), attempt=2)
        assert [event.kind for event in found] == [EventKind.STARTED, EventKind.SUCCEEDED]
        assert found[-1].data == unbroken.events[-1].data

    # How it refuses

    def test_rows_with_nothing_to_learn_fail_before_the_first_step(self, tmp_path: Path, trainer: Trainer) -> None:
        refused(run(trainer, make_folder(tmp_path, trainer, num_answer_tokens=0)), "nothing_to_learn")
        assert manifest.read_whole(tmp_path / "result") is None

    def test_rows_that_changed_after_the_order_fail(self, tmp_path: Path, trainer: Trainer) -> None:
        folder = make_folder(tmp_path, trainer)
        with (folder / "data" / "learn.jsonl").open("a") as file:
            file.write("{}\n")
        refused(run(trainer, folder), "bad_rows")

    def test_an_order_of_another_version_fails_with_a_sentence(self, tmp_path: Path, trainer: Trainer) -> None:
        path = make_folder(tmp_path, trainer) / "job.json"
        path.write_text(path.read_text().replace('"order_version": 1', '"order_version": 99'))
        assert "version 99" in refused(run(trainer, tmp_path), "bad_order").data["summary"]


class TrainingContract(EveryTraining):
    """What those promise that train an adapter on this machine."""

    num_epochs = NUM_EPOCHS

    @pytest.fixture(scope="class")
    @classmethod
    def interrupted(cls, trainer: Trainer, unbroken: Unbroken, tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
        """Stopped in the first epoch, killed three times, and going on from the last checkpoint but one in the end."""
        folder = make_folder(
            tmp_path_factory.mktemp("interrupted"), trainer, num_epochs=cls.num_epochs, save_every_steps=3
        )
        found = Interrupted(trainer, folder)
        found.stop()
        # After its fifth step, at least, there are two checkpoints; in its last two, the fake could be over too soon.
        for moment in draw_moments(unbroken.events, range(3, cls.num_steps() - 1)):
            found.kill(moment)
        found.spoil_newest()
        found.finish()
        return found

    def test_it_tells_every_step_with_every_figure(self, unbroken: Unbroken) -> None:
        assert list(losses(unbroken.events)) == list(range(1, self.num_steps() + 1))
        for event in unbroken.events:
            if event.kind is EventKind.STEP:
                figures = [event.data[name] for name in STEP_FIGURES]
                assert all(math.isfinite(figure) for figure in figures)
                assert event.data["total_steps"] == self.num_steps()
                assert min(event.data[name] for name in POSITIVE) > 0
                assert event.data["seconds_left"] >= 0

    # What it leaves

    def test_the_result_is_whole_and_says_what_it_came_from(self, trainer: Trainer, unbroken: Unbroken) -> None:
        body = unbroken.body
        assert set(body["files"]) == RESULT_FILES
        assert body["model_id"] == "ftm_1"
        assert body["order_sha256"] == hashlib.sha256((unbroken.folder / "job.json").read_bytes()).hexdigest()
        assert body["figures"] == dict(unbroken.events[-1].data)
        assert set(body["figures"]) >= RESULT_FIGURES
        assert body["figures"]["steps"] == self.num_steps()
        assert "My model" in (unbroken.folder / "result" / "README.md").read_text()
        config = json.loads((unbroken.folder / "result" / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == "smollm2-135m-instruct"
        assert config["r"] == trainer.plan().settings["lora_rank"]

    def test_the_adapter_is_readable_as_safetensors_and_not_zero(self, unbroken: Unbroken) -> None:
        content = (unbroken.folder / "result" / "adapter_model.safetensors").read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        header.pop("__metadata__", None)
        assert {name.split(".")[-2] for name in header} == {"lora_A", "lora_B"}
        assert max(entry["data_offsets"][1] for entry in header.values()) == len(content) - 8 - length
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            assert any(content[8 + length + begin : 8 + length + end]), name

    def test_the_probe_scores_every_learned_token_with_the_adapter_and_without(self, unbroken: Unbroken) -> None:
        text = (unbroken.folder / "result" / "probe.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        assert [line["side"] for line in lines] == ["learn"] * NUM_LEARN + ["exam"] * NUM_EXAM
        assert lines[0]["row_id"] == "row_learn0"
        for line in lines:
            assert len(line["input_ids"]) == len(line["labels"])
            assert len(line["token_logprobs"]) == len(line["base_token_logprobs"]) == 3
            assert line["token_logprobs"] != line["base_token_logprobs"]
        learned = [line for line in lines if line["side"] == "learn"]
        tuned, base = (sum(sum(line[key]) for line in learned) for key in ("token_logprobs", "base_token_logprobs"))
        assert base < tuned < 0

    def test_it_keeps_the_newest_two_checkpoints_and_the_best_and_all_are_whole(self, unbroken: Unbroken) -> None:
        assert saved(unbroken.events) == list(range(1, self.num_steps() + 1))
        scored = [event.data for event in unbroken.events if event.kind is EventKind.EVALUATED]
        scores = {data["exam_loss"]: data["step"] for data in scored if 0 < data["step"] < self.num_steps()}
        kept = list((unbroken.folder / "checkpoints").iterdir())
        newest = {self.num_steps() - 1, self.num_steps()}  # the last was written before it was scored
        assert {path.name for path in kept} == {f"step-{step}" for step in newest | {scores[min(scores)]}}
        assert all(manifest.read_whole(path) for path in kept)

    # How it goes on

    def test_killed_three_times_at_random_it_goes_on_as_if_unbroken(
        self, unbroken: Unbroken, interrupted: Interrupted
    ) -> None:
        interrupted.assert_as_unbroken(unbroken.events, abs=1e-4)

    def test_asked_to_stop_it_saves_the_step_and_goes_on_from_there(self, interrupted: Interrupted) -> None:
        first, second = interrupted.said[:2]
        assert first[-1].kind is EventKind.STOPPED
        assert max(losses(first)) == first[-1].data["step"] < NUM_STEPS
        assert min(losses(second)) == first[-1].data["step"] + 1

    def test_a_checkpoint_that_is_not_whole_is_passed_over(self, interrupted: Interrupted) -> None:
        warned = [event.data["text"] for event in interrupted.last if event.data.get("level") == "warning"]
        assert any(f"step-{interrupted.spoilt}" in text for text in warned)
        assert 0 < interrupted.began_after[-1] < interrupted.spoilt
        assert min(losses(interrupted.last)) == interrupted.began_after[-1] + 1

    # How it refuses

    def test_a_row_above_the_limit_is_named(self, tmp_path: Path, trainer: Trainer) -> None:
        folder = make_folder(tmp_path, trainer, num_answer_tokens=16, max_length=16)
        assert "row_learn0" in refused(run(trainer, folder), "row_too_long").data["summary"]


def train_unbroken(trainer: Trainer, folder: Path, **wishes: Any) -> Unbroken:
    """A whole training; what only pretends to train does not take its time."""
    made = make_folder(folder, trainer, step_s=0.02, **wishes)
    return Unbroken(made, run(trainer, made))


def refused(found: list[Event], kind: str) -> Event:
    """The last word of a program that failed before anything heavy was loaded, for this reason, with what to do."""
    assert found[-1].kind is EventKind.FAILED
    assert found[-1].data["kind"] == kind
    assert found[-1].data["summary"]
    assert found[-1].data["hint"]
    assert {event.kind for event in found} <= {EventKind.STARTED, EventKind.LOG, EventKind.FAILED}
    return found[-1]
