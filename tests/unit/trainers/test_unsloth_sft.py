"""What Unsloth's program takes as settings; what it does is tested with the real model."""

from types import SimpleNamespace
from typing import cast

import pytest

from goldsmith.trainers import trl_sft, unsloth_sft
from goldsmith.trainers._report import Failure, Job


def settings(**given: object) -> unsloth_sft.Settings:
    job = cast("Job", SimpleNamespace(order=SimpleNamespace(settings=given)))
    return trl_sft.read_settings(job, unsloth_sft.Settings)


def test_it_knows_four_bit_beside_what_trl_knows_and_refuses_the_rest() -> None:
    assert settings(load_in_4bit=True, lora_rank=16).lora_rank == 16
    with pytest.raises(Failure, match="surprise") as failure:
        settings(surprise=1)
    assert failure.value.kind == "bad_settings"
