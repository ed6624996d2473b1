"""The recipe that Axolotl is given, and that rows which it did not take as they are end the training."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from goldsmith import app
from goldsmith.testing.contracts.job_folder import Trainer, make_folder
from goldsmith.trainers import axolotl_sft, trl_sft
from goldsmith.trainers._report import Failure, Job
from goldsmith.wire import order, rows

AXOLOTL = Trainer(app.make_backends()["axolotl"], Path("/usr/bin/python3"), Path("/models/base"))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = make_folder(tmp_path, AXOLOTL)
    return cast("Job", SimpleNamespace(folder=folder, order=order.read(folder / "job.json")))


def recipe(job: Job, **more: Any) -> dict[str, Any]:
    settings = trl_sft.Settings(**{**job.order.settings, **more})
    return axolotl_sft.recipe(job, settings, longest=20, num_steps=7)


def test_the_recipe_has_our_settings_and_trusts_no_code(job: Job) -> None:
    found = recipe(job, learning_rate=3e-4, lora_rank=16, max_length=None)
    assert json.loads(json.dumps(found)) == found
    assert (found["learning_rate"], found["lora_r"], found["sequence_len"]) == (3e-4, 16, 20)
    assert found["max_steps"] == 7
    assert found["base_model"] == "/models/base"
    assert (found["trust_remote_code"], found["telemetry"], found["sample_packing"]) == (False, False, False)
    assert (found["adapter"], found["lora_target_linear"]) == ("lora", True)
    assert recipe(job, load_in_4bit=True)["adapter"] == "qlora"
    assert recipe(job, target_modules=["q_proj"])["lora_target_modules"] == ["q_proj"]


def test_its_own_kernels_are_off_where_they_cannot_run(job: Job) -> None:
    found = recipe(job)
    assert {found[name] for name in axolotl_sft.NOT_ON_A_CPU} == {False}
    assert (found["bf16"], found["use_cpu"]) == (False, True)


def test_rows_are_written_as_they_are_and_checked_to_have_been_taken_so(job: Job, tmp_path: Path) -> None:
    learn = rows.read(job.folder, job.order.learn)
    axolotl_sft.write_rows(tmp_path / "axolotl" / "rows.jsonl", learn)
    lines = [json.loads(line) for line in (tmp_path / "axolotl" / "rows.jsonl").read_text().splitlines()]
    axolotl_sft.check_rows(lines, learn)
    for taken in (lines[:-1], lines[1:], [{**lines[0], "labels": lines[0]["input_ids"]}, *lines[1:]]):
        with pytest.raises(Failure, match="Axolotl took") as failure:
            axolotl_sft.check_rows(taken, learn)
        assert failure.value.kind == "rows_dropped"
