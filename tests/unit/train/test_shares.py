"""Shares of the rows: the same every time, one within the other, and each about as mixed as the whole."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.train.shares import LabelledRow, in_share, nested, num_in_share

ROWS = st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True).flatmap(
    lambda ids: st.lists(st.sampled_from("abc"), min_size=len(ids), max_size=len(ids)).map(
        lambda labels: [(f"row_{each}", label) for each, label in zip(ids, labels, strict=True)]
    )
)
SHARES = st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)).map(sorted)


@given(ROWS, SHARES, st.randoms())
def test_a_smaller_share_lies_in_a_larger_one_whatever_the_order_of_the_rows(
    rows: list[LabelledRow], shares: list[float], random: object
) -> None:
    smaller, larger = (in_share(rows, share) for share in shares)
    assert smaller <= larger
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_share(shuffled, shares[0]) == smaller
    assert len(smaller) == num_in_share(len(rows), shares[0]) >= 1
    assert in_share(rows, 1.0) == {row_id for row_id, _ in rows}


@given(ROWS, st.floats(0.01, 1))
def test_every_kind_of_row_is_in_a_share_as_often_as_in_the_whole(rows: list[LabelledRow], share: float) -> None:
    whole = Counter(label for _, label in rows)
    found = in_share(rows, share)
    part = Counter(label for row_id, label in rows if row_id in found)
    for label, number in whole.items():
        assert abs(part[label] - number * len(found) / len(rows)) <= len(whole)


def test_a_share_is_rounded_up_and_not_by_what_a_float_adds() -> None:
    assert [num_in_share(100, share) for share in (0.25, 0.5, 1.0)] == [25, 50, 100]
    assert (num_in_share(10, 0.3), num_in_share(3, 0.25), num_in_share(7, 0.5)) == (3, 1, 4)


def test_the_order_is_that_of_a_fixed_hash() -> None:
    assert nested([("row_1", ""), ("row_2", ""), ("row_3", "")]) == ["row_3", "row_1", "row_2"]
