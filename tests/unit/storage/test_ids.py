"""Ids are different, short, explain themselves and sort by time."""

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.storage import ids
from goldsmith.storage.ids import Prefix, new_id


def test_ids_are_different_and_short() -> None:
    made = [new_id(Prefix.RUN) for _ in range(10_000)]
    assert len(set(made)) == len(made)
    assert made == sorted(made), "those of one process in their order, however many are made in a millisecond"
    assert {len(one) for one in made} == {24}
    assert all(one.startswith("run_") for one in made)


@given(st.integers(0, 2**49), st.integers(0, 2**49))
def test_later_ids_sort_behind_earlier_ones(first_ms: int, second_ms: int) -> None:
    texts = [ids._base32(first_ms, 10), ids._base32(second_ms, 10)]
    assert (first_ms < second_ms) == (texts[0] < texts[1])


def test_no_two_kinds_of_things_have_the_same_prefix() -> None:
    assert len({prefix.value for prefix in Prefix}) == len(Prefix.__members__)
