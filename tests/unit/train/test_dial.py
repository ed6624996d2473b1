"""The dial resolves to numbers that every backend takes, and more of it is never less training."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.train.backends.fake import Fake
from goldsmith.train.backends.trl import Trl
from goldsmith.train.dial import LONGEST, Dial, resolve
from goldsmith.train.look import Look, RowSize
from goldsmith.train.recipe import for_backend, read_options

PARAMETERS = st.one_of(st.none(), st.integers(1_000_000, 70_000_000_000))


@given(dial=st.sampled_from(Dial), num_rows=st.integers(1, 100_000), num_parameters=PARAMETERS)
def test_every_backend_takes_its_numbers(dial: Dial, num_rows: int, num_parameters: int | None) -> None:
    found = resolve(dial, num_rows=num_rows, num_parameters=num_parameters)
    for backend in (Trl(), Fake()):
        options = read_options(backend, for_backend(backend, found)).model_dump()
        assert options["num_epochs"] == found["num_epochs"]


@given(num_rows=st.integers(1, 100_000))
def test_more_of_it_is_never_fewer_steps(num_rows: int) -> None:
    steps = []
    for dial in Dial:
        found = resolve(dial, num_rows=num_rows, num_parameters=None)
        steps.append(found["num_epochs"] * math.ceil(num_rows / found["batch_size"]))
    assert steps == sorted(steps)


@pytest.mark.parametrize(
    ("num_rows", "epochs"), [(10, [3, 6, 12]), (120, [1, 2, 6]), (300, [1, 2, 3]), (10_000, [1, 2, 3])]
)
def test_few_rows_take_more_rounds(num_rows: int, epochs: list[int]) -> None:
    found = [resolve(dial, num_rows=num_rows, num_parameters=None)["num_epochs"] for dial in Dial]
    assert found == epochs


def test_a_large_model_learns_in_smaller_steps() -> None:
    small = resolve(Dial.balanced, num_rows=100, num_parameters=135_000_000)
    large = resolve(Dial.balanced, num_rows=100, num_parameters=7_000_000_000)
    assert large["learning_rate"] < small["learning_rate"]


@pytest.mark.parametrize(("longest", "limit"), [(300, 320), (5, 64), (3000, LONGEST)])
def test_the_limit_is_that_of_the_rows(longest: int, limit: int) -> None:
    look = Look((RowSize("learn", 1, "r", longest, 3),), 512, 8192, stops_by_itself=True)
    assert resolve(Dial.quick, num_rows=9, num_parameters=None, look=look)["max_length"] == limit
