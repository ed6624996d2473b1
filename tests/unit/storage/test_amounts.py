"""Sizes and times are written as people say them."""

import pytest

from goldsmith.storage import amounts


@pytest.mark.parametrize(
    ("num_bytes", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 KB"),
        (93_000_000, "93.0 MB"),
        (269_060_000, "269 MB"),
        (4.2e12, "4.2 TB"),
    ],
)
def test_sizes_have_the_unit_that_fits(num_bytes: float, words: str) -> None:
    assert amounts.size(num_bytes) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "about 5 s"), (42, "about 40 s"), (84, "about 1 min"), (3600, "about 1 h"), (5400, "about 1.5 h")],
)
def test_times_promise_no_more_than_is_known(seconds: float, words: str) -> None:
    assert amounts.about(seconds) == words
