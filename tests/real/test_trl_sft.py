"""What is special about the trl trainer, on the real small model. What it promises like every other: test_backends."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.real.homes import BACKENDS

from goldsmith.testing.contracts.job_folder import (
    NUM_STEPS,
    Trainer,
    losses,
    make_folder,
    read,
    run,
    run_until,
    started,
    wait_for,
)
from goldsmith.testing.contracts.trainings import NUM_EPOCHS, Unbroken
from goldsmith.train.alarms import AlarmKind, alarms_of
from goldsmith.train.tables import TrainingMetric
from goldsmith.wire import manifest
from goldsmith.wire.events import Event, EventKind

pytestmark = pytest.mark.real

AT = [epoch * NUM_STEPS for epoch in range(NUM_EPOCHS + 1)]
"""The steps after which the unbroken training scores its exam rows and answers them."""


@pytest.fixture(scope="module")
def trainer(trl_python: Path, smollm2_folder: Path) -> Trainer:
    return Trainer(BACKENDS["trl"], trl_python, smollm2_folder)


@pytest.fixture(scope="module")
def unbroken(trainer: Trainer, unbroken_of: Callable[[Trainer], Unbroken]) -> list[Event]:
    return unbroken_of(trainer).events


def is_told(kind: EventKind, step: int) -> Callable[[Event], bool]:
    """Whether an event is this one."""
    return lambda event: event.kind is kind and event.data["step"] == step


def test_few_exam_rows_are_scored_before_the_first_step_too(unbroken: list[Event]) -> None:
    assert [event.data["step"] for event in unbroken if event.kind is EventKind.EVALUATED] == AT


def test_its_memory_is_that_of_a_real_model(unbroken: list[Event]) -> None:
    assert all(event.data["memory_mb"] > 100 for event in unbroken if event.kind is EventKind.STEP)


def test_projecting_only_what_is_learned_gives_the_same_losses(
    tmp_path: Path, trainer: Trainer, unbroken: list[Event]
) -> None:
    beside = {"lean_output_layer": False, "save_every_steps": 100}
    folder = make_folder(tmp_path, trainer, num_epochs=NUM_EPOCHS, beside_options=beside)
    plain = run_until(trainer, folder, is_told(EventKind.STEP, AT[-1]))
    assert losses(plain) == pytest.approx(losses(unbroken), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [({"surprise": 1}, "bad_settings"), ({"learning_rate": 0.0}, "adapter_changes_nothing")],
)
def test_what_cannot_have_taught_anything_is_a_failure(
    tmp_path: Path, trainer: Trainer, settings: Mapping[str, Any], kind: str
) -> None:
    folder = make_folder(tmp_path, trainer, beside_options=settings)
    assert run(trainer, folder)[-1].data["kind"] == kind
    assert manifest.read_whole(folder / "result") is None


def points(found: list[Event]) -> list[TrainingMetric]:
    """The curve, as the control plane keeps it."""
    dots: dict[int, TrainingMetric] = {}
    for event in found:
        if event.kind in (EventKind.STEP, EventKind.EVALUATED):
            dot = dots.setdefault(event.data["step"], TrainingMetric(step=event.data["step"]))
            for name in ("epoch", "loss", "exam_loss", "grad_norm"):
                if name in event.data:
                    setattr(dot, name, event.data[name])
    return [dots[step] for step in sorted(dots)]


@pytest.mark.parametrize(
    ("settings", "alarms"),
    [
        ({"learning_rate": 0.3, "num_epochs": 2}, {AlarmKind.gradient_explodes, AlarmKind.exam_rises}),
        ({"learning_rate": 1e-9, "num_epochs": 3}, {AlarmKind.no_fall}),
        ({"lora_alpha": 1e-300}, {AlarmKind.gradient_zero}),
    ],
)
def test_absurd_settings_raise_the_alarms(
    tmp_path: Path, trainer: Trainer, settings: Mapping[str, Any], alarms: set[AlarmKind]
) -> None:
    beside = {"lora_dropout": 0.0, "save_every_steps": 100, **settings}
    num_steps = NUM_STEPS * settings.get("num_epochs", 1)
    folder = make_folder(tmp_path, trainer, beside_options=beside)
    found = run_until(trainer, folder, is_told(EventKind.EVALUATED, num_steps))
    curve = points(found)
    said = {alarm.kind for length in range(len(curve)) for alarm in alarms_of(curve[: length + 1])}
    assert alarms <= said


def test_a_good_training_raises_none_and_its_answers_are_told(unbroken: list[Event]) -> None:
    assert alarms_of(points(unbroken)) == []
    told = {event.data["step"]: event.data["answers"] for event in unbroken if event.kind is EventKind.SAMPLED}
    assert {0, AT[-1]} <= told.keys() <= set(AT)
    assert [answer["row_id"] for answer in told[0]] == ["row_exam0", "row_exam1"]


def test_without_progress_it_ends_early_and_keeps_the_best(tmp_path: Path, trainer: Trainer) -> None:
    wishes = {"learning_rate": 0.3, "num_epochs": 30, "patience": 1}
    found = run(trainer, make_folder(tmp_path, trainer, beside_options={"lora_dropout": 0.0, **wishes}))
    scores = {event.data["step"]: event.data["exam_loss"] for event in found if event.kind is EventKind.EVALUATED}
    scores.pop(0)  # of the model before it learned there is no checkpoint
    best = min(scores, key=lambda step: scores[step])
    assert max(losses(found)) == best + NUM_STEPS < 30 * NUM_STEPS
    assert (found[-1].data["steps"], found[-1].data["exam_loss"]) == (best, scores[best])


def test_asked_to_keep_the_best_it_ends_with_a_whole_model(tmp_path: Path, trainer: Trainer) -> None:
    folder = make_folder(tmp_path, trainer, num_epochs=50)
    with started(trainer, folder) as child:
        wait_for(folder, child, lambda event: event.kind is EventKind.SAVED)
        (folder / "keep").touch()
        assert child.wait(timeout=120) == 0
    last = read(folder)[-1]
    assert last.kind is EventKind.SUCCEEDED
    assert last.data["steps"] in losses(read(folder))
    assert manifest.read_whole(folder / "result") is not None
