"""What a training leaves is refused where it would change nothing; the card says what the model is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from goldsmith import app
from goldsmith.testing.contracts.job_folder import Trainer, make_folder
from goldsmith.trainers._report import Failure, Job
from goldsmith.trainers._result import model_card, write_result
from goldsmith.wire import order

FAKE = Trainer(app.make_backends()["fake"], Path("/usr/bin/python3"), Path("/models/base"), {"batch_size": 2})


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = make_folder(tmp_path, FAKE)
    found = SimpleNamespace(folder=folder, result=folder / "result", order=order.read(folder / "job.json"))
    return cast("Job", found)


def test_an_adapter_of_zeros_is_a_failure_and_leaves_no_result(job: Job) -> None:
    weights = [("layer.lora_A.weight", np.ones(2)), ("layer.lora_B.weight", np.zeros(2))]
    trainer: Any = SimpleNamespace(model=SimpleNamespace(named_parameters=lambda: weights))
    watcher: Any = SimpleNamespace(totals=None)
    with pytest.raises(Failure) as failure:
        write_result(job, trainer, watcher, {"learn": []}, [1.0])
    assert failure.value.kind == "adapter_changes_nothing"
    assert not job.result.exists()


def test_the_card_names_the_base_the_rows_and_every_setting(job: Job) -> None:
    card = model_card(job, {"final_loss": 0.5})
    assert card.startswith('---\nbase_model: "smollm2-135m-instruct"\nlibrary_name: peft\n')
    assert "| final_loss | 0.5 |" in card
    assert "| batch_size | 2 |" in card
    assert "rows learned" in card
