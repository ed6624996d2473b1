import math

import pytest

from goldsmith.serve.counts import Counts


def test_sums_are_those_of_single_answers() -> None:
    whole, part = Counts(), Counts()
    for seconds, tokens in ((0.5, 10), (2.0, 30)):
        each = Counts(num_requests=1)
        each.time(seconds)
        each.measure(tokens)
        whole.add(each)
        part.add(each)
    assert whole == part
    assert (whole.num_requests, whole.mean_seconds, whole.mean_tokens) == (2, 1.25, 20)
    assert whole.log_seconds == pytest.approx(math.log(0.5) + math.log(2))
    assert whole.log_tokens_squared == pytest.approx(math.log(11) ** 2 + math.log(31) ** 2)


def test_nothing_has_no_mean() -> None:
    assert (Counts().mean_seconds, Counts().mean_tokens) == (None, None)
    zero = Counts()
    zero.time(0.0)
    zero.measure(0)
    assert zero.mean_tokens == 0
