"""Kills in the midst of real training and a real engine, in the home of the walk around the loop.

Another process watches over that home meanwhile, because a thread cannot be killed.
"""

from collections.abc import Iterator

import pytest
from tests.faults.kills import Watched, kill_all_in_a_run, kill_all_in_a_training
from tests.real.walk import Walk

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def watched(walk: Walk) -> Iterator[Watched]:
    found = Watched(walk.parts, walk.model_id)
    with walk.supervised.handed_over():
        try:
            found.start()
            yield found
        finally:
            found.stop()


def test_a_training_goes_on_whoever_is_killed(watched: Watched) -> None:
    kill_all_in_a_training(watched)


def test_a_run_goes_on_whoever_is_killed(watched: Watched) -> None:
    kill_all_in_a_run(watched, num_rows=90, concurrency=16)
