import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.jobs.costs import Cost, Rates


def test_nothing_costs_anything_where_no_price_was_given() -> None:
    assert Rates().of(3600) == Cost(None, None, 3600)


def test_an_hour_costs_the_price_of_an_hour_and_takes_the_watts_of_an_hour() -> None:
    found = Rates(usd_per_hour=2.5, watts=400).of(1800)
    assert found.usd == pytest.approx(1.25)
    assert found.kwh == pytest.approx(0.2)


def test_what_a_job_s_result_does_not_say_is_not_known() -> None:
    assert Cost.of_result(None) == Cost.of_result({"model_id": "ftm_1"}) == Cost()


@given(st.none() | st.floats(0, 1e5), st.none() | st.floats(0, 1e6), st.floats(0, 1e7))
def test_it_is_read_from_a_result_as_it_was_written(usd: float | None, watts: float | None, seconds: float) -> None:
    found = Rates(usd, watts).of(seconds)
    assert Cost.of_result({"more": 1, **found.to_result()}) == found
