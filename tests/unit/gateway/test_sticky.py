from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.conftest import BASE, SLOW, TUNED, share

from goldsmith.gateway import sticky
from goldsmith.serve.types import Share

CALLERS = [f"user-{number}" for number in range(4_000)]


def parts(**percents: float) -> list[Share]:
    ids = {"old": BASE, "new": TUNED, "third": SLOW}
    return [replace(share(ids[name], percent / 100), alias="support") for name, percent in percents.items()]


@given(st.text(min_size=1), st.lists(st.floats(0.001, 0.999), min_size=2, max_size=8))
def test_nobody_is_moved_back_while_a_model_s_share_grows(caller: str, stages: list[float]) -> None:
    gets = []
    for stage in sorted(stages):
        shares = [replace(share(BASE, 1 - stage), alias="a"), replace(share(TUNED, stage), alias="a")]
        gets.append(sticky.choose(shares, caller).model_id)
    assert gets == sorted(gets), "bm_ sorts before ftm_: once at the new model, always at the new model"


@given(st.text(min_size=1), st.permutations(["old", "new", "third"]))
def test_a_caller_gets_the_same_model_in_whatever_order_the_models_stand(caller: str, order: list[str]) -> None:
    percents = {"old": 60.0, "new": 30.0, "third": 10.0}
    first = sticky.choose(parts(**percents), caller)
    assert sticky.choose(parts(**{name: percents[name] for name in order}), caller) == first


@given(st.text(min_size=1), st.sampled_from(["old", "new", "third"]))
def test_a_model_that_goes_away_moves_nobody_but_its_own_callers(caller: str, gone: str) -> None:
    percents = {"old": 60.0, "new": 30.0, "third": 10.0}
    before = sticky.choose(parts(**percents), caller)
    left = parts(**{name: percent for name, percent in percents.items() if name != gone})
    if before in left:
        assert sticky.choose(left, caller) == before


@pytest.mark.parametrize(
    "percents", [{"old": 95, "new": 5}, {"old": 75, "new": 25}, {"old": 60, "new": 30, "third": 10}]
)
def test_every_model_gets_its_share_of_the_callers(percents: dict[str, float]) -> None:
    shares = parts(**percents)
    counts = Counter(sticky.choose(shares, caller).model_id for caller in CALLERS)
    for each in shares:
        assert counts[each.model_id] / len(CALLERS) == pytest.approx(each.share, abs=0.025)


def test_callers_of_one_alias_are_not_those_of_another() -> None:
    here, there = parts(old=50, new=50), [replace(each, alias="other") for each in parts(old=50, new=50)]
    moved = sum(sticky.choose(here, c).model_id != sticky.choose(there, c).model_id for c in CALLERS)
    assert 0.4 < moved / len(CALLERS) < 0.6


def test_a_caller_is_named_by_the_header_or_by_openai_s_fields() -> None:
    assert sticky.named_in([(b"host", b"x"), (b"x-goldsmith-session", b" s-1 ")]) == "s-1"
    assert sticky.named_in([(b"host", b"x")]) is None
    assert sticky.named_by({"user": "u-1", "safety_identifier": "s-1"}) == "u-1"
    assert sticky.named_by({"safety_identifier": "s-1"}) == "s-1"
    assert sticky.named_by({"user": 7, "messages": []}) is None
