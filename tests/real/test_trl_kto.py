"""Learning from single marks, on the real model: good answers become likelier, bad ones do not, and no kill matters."""

import json
from pathlib import Path

import pytest
from tests.real.homes import BACKENDS

from goldsmith.testing.contracts.interrupted import Interrupted, draw_moments
from goldsmith.testing.contracts.job_folder import (
    NUM_STEPS,
    WISHES,
    Trainer,
    losses,
    make_folder,
    run,
)
from goldsmith.wire.events import Event, EventKind

pytestmark = pytest.mark.real

EPOCHS = 3


@pytest.fixture(scope="module")
def trainer(trl_python: Path, smollm2_folder: Path) -> Trainer:
    wishes = {**WISHES, "method": "kto", "num_epochs": EPOCHS, "lora_dropout": 0.0}
    return Trainer(BACKENDS["trl"], trl_python, smollm2_folder, wishes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, trainer: Trainer) -> Path:
    return make_folder(tmp_path_factory.mktemp("unbroken"), trainer)


@pytest.fixture(scope="module")
def said(folder: Path, trainer: Trainer) -> list[Event]:
    return run(trainer, folder)


def test_good_answers_become_likelier_and_bad_ones_fall_behind(folder: Path, said: list[Event]) -> None:
    assert said[-1].kind is EventKind.SUCCEEDED
    found = losses(said)
    assert len(found) == EPOCHS * NUM_STEPS
    assert found[1] == pytest.approx(0.5, abs=1e-4), "before anything is learned the model is its base"
    assert found[EPOCHS * NUM_STEPS] < 0.4
    margins = [event.data["preference_margin"] for event in said if "preference_margin" in event.data]
    assert margins
    assert margins[-1] > 0.5
    lines = [json.loads(line) for line in (folder / "result" / "probe.jsonl").read_text().splitlines()]
    learned = [line for line in lines if line["side"] == "learn"]
    assert {line["row_id"] for line in learned} == {f"row_learn{number}" for number in range(0, 8, 2)}
    tuned, base = (sum(sum(line[key]) for line in learned) for key in ("token_logprobs", "base_token_logprobs"))
    assert base < tuned < 0
    assert "4 good and 4 bad answers learned from" in (folder / "result" / "README.md").read_text()


def test_killed_three_times_at_random_it_goes_on_as_if_unbroken(
    tmp_path: Path, trainer: Trainer, said: list[Event]
) -> None:
    found = Interrupted(trainer, make_folder(tmp_path, trainer))
    for moment in draw_moments(said, range(1, EPOCHS * NUM_STEPS)):
        found.kill(moment)
    found.finish()
    found.assert_as_unbroken(said, abs=1e-4)
