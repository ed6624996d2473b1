"""Which trainings are proved on other weights than they had; how, is tested with the real model."""

from types import SimpleNamespace
from typing import cast

from goldsmith.trainers import _whole
from goldsmith.trainers._report import Job


def job(**settings: object) -> Job:
    return cast("Job", SimpleNamespace(order=SimpleNamespace(settings=settings)))


def test_only_a_training_on_4_bit_is_proved_on_other_weights_than_it_had() -> None:
    assert _whole.is_packed(job(load_in_4bit=True))
    assert not _whole.is_packed(job(load_in_4bit=False))
    assert not _whole.is_packed(job())
