"""Learning from pairs, on the real small model: it tells good answers from bad ones, and a kill changes nothing."""

import json
import math
from pathlib import Path

import pytest
from tests.real.homes import BACKENDS

from goldsmith.testing.contracts.job_folder import (
    NUM_STEPS,
    WISHES,
    Trainer,
    losses,
    make_folder,
    read,
    run,
    run_until,
    saved,
    started,
    wait_for,
)
from goldsmith.wire.events import Event, EventKind

pytestmark = pytest.mark.real

EPOCHS = 3


@pytest.fixture(scope="module")
def trainer(trl_python: Path, smollm2_folder: Path) -> Trainer:
    wishes = {**WISHES, "method": "dpo", "num_epochs": EPOCHS, "lora_dropout": 0.0}
    return Trainer(BACKENDS["trl"], trl_python, smollm2_folder, wishes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, trainer: Trainer) -> Path:
    return make_folder(tmp_path_factory.mktemp("unbroken"), trainer)


@pytest.fixture(scope="module")
def unbroken(folder: Path, trainer: Trainer) -> list[Event]:
    return run(trainer, folder)


def steps(found: list[Event]) -> list[Event]:
    return [event for event in found if event.kind is EventKind.STEP]


def test_it_learns_to_tell_the_good_answer_from_the_bad_one(unbroken: list[Event]) -> None:
    told = [event.data["preference_accuracy"] for event in steps(unbroken)]
    assert len(told) == EPOCHS * NUM_STEPS
    assert told[-NUM_STEPS:] == [1.0] * NUM_STEPS


def test_before_anything_is_learned_both_answers_are_equally_far_from_the_base_model(
    tmp_path: Path, trainer: Trainer
) -> None:
    folder = make_folder(tmp_path, trainer, num_epochs=1, good_answer_weight=0.0)
    said = run_until(trainer, folder, lambda event: event.kind is EventKind.STEP)
    assert losses(said)[1] == pytest.approx(math.log(2), abs=1e-4)


def test_the_good_answers_become_likelier_in_themselves_too(folder: Path, unbroken: list[Event]) -> None:
    assert unbroken[-1].kind is EventKind.SUCCEEDED
    lines = [json.loads(line) for line in (folder / "result" / "probe.jsonl").read_text().splitlines()]
    learned = [line for line in lines if line["side"] == "learn"]
    tuned, base = (sum(sum(line[key]) for line in learned) for key in ("token_logprobs", "base_token_logprobs"))
    assert base < tuned < 0


def test_killed_in_the_midst_it_goes_on_as_if_unbroken(tmp_path: Path, trainer: Trainer, unbroken: list[Event]) -> None:
    folder = make_folder(tmp_path, trainer)
    with started(trainer, folder) as child:
        wait_for(folder, child, lambda event: event.kind is EventKind.SAVED and event.data["step"] == 2)
        child.kill()
    found = run(trainer, folder, attempt=2)
    assert next(iter(losses(found))) == max(saved(read(folder))) + 1
    assert {**losses(read(folder)), **losses(found)} == pytest.approx(losses(unbroken), abs=1e-4)


def test_a_row_without_a_bad_answer_is_refused_by_name(tmp_path: Path, trainer: Trainer) -> None:
    folder = make_folder(tmp_path, trainer)
    order = json.loads((folder / "job.json").read_text())
    order["learn"] = order["exam"]
    (folder / "job.json").write_text(json.dumps(order))
    said = run(trainer, folder)[-1]
    assert (said.kind, said.data["kind"]) == (EventKind.FAILED, "not_a_pair")
    assert "row_exam0" in said.data["summary"]
