"""Learning from single marks, on the real small model: good answers become likelier, bad ones do not."""

import json
from pathlib import Path

import pytest
from tests.real.homes import BACKENDS

from goldsmith.testing.contracts.job_folder import (
    NUM_STEPS,
    WISHES,
    Trainer,
    losses,
    make_folder,
    run,
)
from goldsmith.wire.events import EventKind

pytestmark = pytest.mark.real

EPOCHS = 3


def test_good_answers_become_likelier_and_bad_ones_fall_behind(
    tmp_path: Path, trl_python: Path, smollm2_folder: Path
) -> None:
    wishes = {**WISHES, "method": "kto", "num_epochs": EPOCHS, "lora_dropout": 0.0}
    trainer = Trainer(BACKENDS["trl"], trl_python, smollm2_folder, wishes)
    folder = make_folder(tmp_path, trainer)
    said = run(trainer, folder, timeout_s=900)
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
