"""Column names: stripped, unique, never empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.data.readers import columns
from goldsmith.data.readers.errors import BadHeader, DuplicateColumns


def test_names_are_stripped_and_empty_ones_called_after_their_place() -> None:
    assert columns.clean([" a ", "b", "", "column_3"]) == ("a", "b", "column_3_", "column_3")
    assert columns.numbered(2) == ("column_1", "column_2")


@pytest.mark.parametrize("name", ["a\0b", "a\ud800", "x" * 201])
def test_names_that_cannot_be_kept_are_refused_with_their_place(name: str) -> None:
    with pytest.raises(BadHeader, match="column 2"):
        columns.clean(["a", name])


@given(names=st.lists(st.sampled_from(["", "a", " a", "b", "column_1", "column_2", " "]), max_size=5))
def test_names_are_unique_or_refused(names: list[str]) -> None:
    try:
        found = columns.clean(names)
    except DuplicateColumns:
        return
    assert len(set(found)) == len(found) == len(names)
    assert all(found)
