"""The whole loop as a program outside walks it, on data that nobody made up: four topics of Banking77, over HTTP alone.

Needs the folder that GOLDSMITH_BENCH_DATA names. In full, with figures, it is a benchmark: `benchmarks/banking77.py`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.banking77 import RECIPE, Found, Walk, pick
from benchmarks.product import running

pytestmark = pytest.mark.real

TOPICS = ("age_limit", "change_pin", "exchange_rate", "terminate_account")
NUM_LEARN, NUM_EXAM = 10, 5
"""Rows of each topic."""
LEAST_SHARE = 0.6
"""Guessing has a quarter right; in full, with eight topics, a model of this rank has more than nine of ten."""


@pytest.fixture(scope="module")
def found(real_home: Path, smollm2_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """What came of one walk in a home of its own."""
    data = os.environ.get("GOLDSMITH_BENCH_DATA")
    if not data:
        pytest.skip("GOLDSMITH_BENCH_DATA names no folder with train.csv and test.csv of Banking77")
    sample = pick(Path(data), TOPICS, num_learn=NUM_LEARN, num_exam=NUM_EXAM)
    recipe = {**RECIPE, "num_epochs": 3, "batch_size": 4, "learning_rate": 1e-3}
    home = tmp_path_factory.mktemp("banking77") / "home"
    with running(home, real_home, import_root=smollm2_folder) as api:
        yield Walk(api, sample, recipe).walk(smollm2_folder)


def test_what_is_learned_and_what_is_the_exam_come_from_different_files(found: Found) -> None:
    assert (found.num_learn, found.num_exam) == (NUM_LEARN * len(TOPICS), NUM_EXAM * len(TOPICS))


def test_the_tuned_model_is_loaded_in_under_a_second_and_proved(found: Found) -> None:
    assert found.load_s < 1
    assert found.receipt["is_green"], found.receipt


def test_the_tuned_model_knows_the_topics_and_the_base_model_does_not(found: Found) -> None:
    assert found.tuned_share >= LEAST_SHARE, found.num_right
    assert found.num_right["tuned"] > found.num_right["base"]
    assert f"{found.num_exam}" in found.sentence
