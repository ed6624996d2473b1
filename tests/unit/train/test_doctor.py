"""A failed training gets the smallest change that may cure it, and in the end one that fits or a plain word."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.jobs.types import JobFailure
from goldsmith.train.backends.trl import Trl
from goldsmith.train.doctor import MOST_BATCHES, cure_of
from goldsmith.train.recipe import read_options

OOM = JobFailure("out_of_memory", "There was not enough memory.", "")
KILLED = JobFailure("died", "The program of the stage train was killed by signal 9.", "")
CONFIG = read_options(Trl(), {}).model_dump()
TWICE = {"gradient_checkpointing": "on"}


def test_out_of_memory_takes_fewer_rows_at_once_and_learns_the_same() -> None:
    cure = cure_of(OOM, CONFIG, device="cpu")
    assert cure is not None
    assert cure.settings == {"batch_size": 4, "gradient_accumulation": 2}
    assert "4 instead of 8 rows at once" in cure.sentence


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({"batch_size": 1}, {"gradient_checkpointing": "on"}),
        ({"batch_size": 1, **TWICE}, {"max_length": 512}),
        ({"batch_size": 1, **TWICE, "max_length": 256, "lora_rank": 32}, {"lora_rank": 16}),
        ({"batch_size": 1, **TWICE, "max_length": 256}, {}),
    ],
)
def test_what_cannot_be_halved_is_followed_by_the_next(change: dict[str, Any], settings: dict[str, Any]) -> None:
    cure = cure_of(OOM, {**CONFIG, **change}, device="cpu")
    assert cure is not None
    assert cure.settings == settings


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({"gradient_checkpointing": "off"}, {"gradient_checkpointing": "on"}),
        ({}, {"load_in_4bit": True}),
        ({"load_in_4bit": True}, {"max_length": 512}),
    ],
)
def test_on_a_gpu_layers_are_not_kept_already_and_the_base_model_can_be_packed(
    change: dict[str, Any], settings: dict[str, Any]
) -> None:
    cure = cure_of(KILLED, {**CONFIG, "batch_size": 1, **change}, device="cuda")
    assert cure is not None
    assert cure.settings == settings


@given(
    batch=st.integers(1, 512), batches=st.integers(1, 64), length=st.integers(16, 131072),
    rank=st.sampled_from([1, 8, 16, 32, 64, 128, 256]),
)  # fmt: skip
def test_every_cure_can_be_started_and_cures_come_to_an_end(batch: int, batches: int, length: int, rank: int) -> None:
    given = {"batch_size": batch, "gradient_accumulation": batches, "max_length": length, "lora_rank": rank}
    config = read_options(Trl(), given).model_dump()
    rows = batch * batches
    for _ in range(40):
        cure = cure_of(OOM, config, device="cpu")
        assert cure is not None
        if not cure.settings:
            break
        config = read_options(Trl(), {**config, **cure.settings}).model_dump()
        batches = config["gradient_accumulation"]
        assert config["batch_size"] * batches >= rows or batches == MOST_BATCHES
    else:
        pytest.fail("it never came to an end")


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        ("died", "The program of the stage train was killed by signal 9.", "rows at once"),
        ("crashed", "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "rows at once"),
        ("crashed", "CUDA driver version is insufficient for CUDA runtime version", "driver is too old"),
        ("loss_not_finite", "The loss is nan at step 3.", "learning rate of 0.0001"),
        ("disk_full", "The disk is full.", "Make room"),
        ("loss_zero", "", "Look at what the model was to learn"),
    ],
)
def test_each_cause_has_its_own_cure(kind: str, said: str, words: str) -> None:
    cure = cure_of(JobFailure(kind, said, ""), CONFIG, device="cpu")
    assert cure is not None
    assert words in cure.sentence


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("crashed", "KeyError: 'x'"),
        ("died", "The program of the stage train was killed."),
        ("died", "The program of the stage train was killed by signal 15."),
        ("died", "The program of the stage train ended with exit code 9."),
    ],
)
def test_what_nobody_can_tell_has_no_cure(kind: str, said: str) -> None:
    assert cure_of(JobFailure(kind, said, ""), CONFIG, device="cpu") is None


def test_rows_that_cannot_be_halved_evenly_learn_only_nearly_the_same() -> None:
    cure = cure_of(OOM, {**CONFIG, "batch_size": 7}, device="cpu")
    assert cure is not None
    assert "nearly the same" in cure.sentence
