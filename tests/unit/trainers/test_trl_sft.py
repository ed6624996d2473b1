"""What every trainer program takes as settings; what they do is tested with the real model."""

from types import SimpleNamespace
from typing import cast

import pytest

from goldsmith.testing.contracts.job_folder import CPU
from goldsmith.train.backends.axolotl import Axolotl
from goldsmith.train.backends.base import Backend
from goldsmith.train.backends.trl import Trl
from goldsmith.train.backends.unsloth import Unsloth
from goldsmith.train.recipe import read_options
from goldsmith.trainers import trl_sft
from goldsmith.trainers._report import Failure, Job


def job(device: str = "cpu", **settings: object) -> Job:
    return cast("Job", SimpleNamespace(order=SimpleNamespace(settings=settings, device=device)))


@pytest.mark.parametrize("backend", [Trl(), Unsloth(), Axolotl()], ids=lambda backend: backend.name)
def test_every_option_of_a_backend_is_a_setting_of_its_program(backend: Backend) -> None:
    options = read_options(backend, {"load_in_4bit": True, "gradient_checkpointing": "on"})
    settings = trl_sft.read_settings(job(**backend.plan(options, CPU).settings), trl_sft.Settings)
    assert (settings.load_in_4bit, settings.lora_rank) == (True, 8)


def test_what_is_no_setting_is_refused_by_its_name() -> None:
    with pytest.raises(Failure, match="surprise") as failure:
        trl_sft.read_settings(job(surprise=1), trl_sft.Settings)
    assert failure.value.kind == "bad_settings"


@pytest.mark.parametrize(
    ("device", "chosen", "is_so"),
    [("cpu", "auto", False), ("cuda", "auto", True), ("cpu", "on", True), ("cuda", "off", False)],
)
def test_layers_are_computed_twice_as_chosen_or_on_a_gpu(device: str, chosen: str, is_so: bool) -> None:
    settings = trl_sft.Settings(gradient_checkpointing=chosen)
    assert trl_sft.computes_layers_twice(job(device), settings) is is_so
