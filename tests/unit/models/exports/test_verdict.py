"""An export is good when it answers as the adapter does, and not otherwise."""

import pytest
from tests.exporting import check

from goldsmith.models.exports.verdict import judge
from goldsmith.wire.export import Check


def test_the_same_answers_with_about_the_same_probabilities_are_good() -> None:
    found = judge(check(largest_nats=0.039))
    assert found.is_good
    assert found.reason == (
        "2 of 2 answers are the adapter's, and log-probabilities differ by at most 0.0390 nats (allowed: 0.25)."
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (check(other="shipping"), "1 of 2 answers"),
        (check(largest_nats=0.3), "at most 0.3000 nats"),
        (check(largest_nats=0.02, dtype="float32"), "allowed: 0.01"),
        (check(same=False), "chat template makes other tokens"),
        (Check("bfloat16", True, ()), "no row"),
    ],
)
def test_any_difference_is_told_and_not_good(found: Check, words: str) -> None:
    judged = judge(found)
    assert not judged.is_good
    assert words in judged.reason
