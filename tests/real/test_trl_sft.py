"""What is special about the trl trainer, on the real small model. What it promises like every other: test_backends."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.contract.job_folder import NUM_STEPS, Trainer, losses, make_folder, run
from tests.real.homes import BACKENDS

from goldsmith.wire import manifest
from goldsmith.wire.events import Event, EventKind

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def trainer(trl_python: Path, smollm2_folder: Path) -> Trainer:
    return Trainer(BACKENDS["trl"], trl_python, smollm2_folder)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, trainer: Trainer) -> list[Event]:
    return run(trainer, make_folder(tmp_path_factory.mktemp("unbroken"), trainer))


def test_few_exam_rows_are_scored_before_the_first_step_too(unbroken: list[Event]) -> None:
    assert [event.data["step"] for event in unbroken if event.kind is EventKind.EVALUATED] == [0, NUM_STEPS]


def test_its_memory_is_that_of_a_real_model(unbroken: list[Event]) -> None:
    assert all(event.data["memory_mb"] > 100 for event in unbroken if event.kind is EventKind.STEP)


def test_projecting_only_what_is_learned_gives_the_same_losses(
    tmp_path: Path, trainer: Trainer, unbroken: list[Event]
) -> None:
    plain = run(trainer, make_folder(tmp_path, trainer, beside_options={"lean_output_layer": False}))
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
