"""A provider's tokens at its prices, this machine's time at its own, and both together."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from goldsmith.jobs.costs import Rates
from goldsmith.people.types import Person
from goldsmith.run.costs import cost_of
from goldsmith.serve.tables import Engine
from goldsmith.storage.database import Database

RATES = Rates(usd_per_hour=3.6, watts=100)


def add_engine(session: Session, by: Person, engine_id: str, kind: str, **more: Any) -> None:
    owned = {"domain": by.domain, "created_by": by.id}
    session.add(Engine(id=engine_id, name=engine_id, kind=kind, url="http://x", state="ready", **owned, **more))
    session.flush()


def test_tokens_of_a_provider_cost_its_prices_and_no_time_of_this_machine(database: Database, ana: Person) -> None:
    with database.transaction() as session:
        add_engine(session, ana, "eng_1", "provider", input_usd_per_million=0.5, output_usd_per_million=2.0)
        found = cost_of(session, {"eng_1": (2_000_000, 500_000)}, RATES, 100)
    assert found.usd == pytest.approx(2.0)
    assert (found.kwh, found.machine_s) == (None, 100)


def test_a_price_that_was_left_out_counts_as_nothing_beside_one_that_was_not(database: Database, ana: Person) -> None:
    with database.transaction() as session:
        add_engine(session, ana, "eng_1", "provider", output_usd_per_million=2.0)
        add_engine(session, ana, "eng_2", "provider")
        assert cost_of(session, {"eng_1": (9, 1_000_000)}, RATES, 1).usd == pytest.approx(2.0)
        assert cost_of(session, {"eng_2": (9, 9)}, RATES, 1).usd is None
        assert cost_of(session, {"eng_gone": (9, 9)}, RATES, 1).usd is None


def test_what_our_engine_answered_costs_the_time_of_this_machine_and_both_are_added(
    database: Database, ana: Person
) -> None:
    with database.transaction() as session:
        add_engine(session, ana, "eng_1", "ours")
        add_engine(session, ana, "eng_2", "provider", input_usd_per_million=1.0)
        ours = cost_of(session, {"eng_1": (5, 5)}, RATES, 1000)
        both = cost_of(session, {"eng_1": (5, 5), "eng_2": (1_000_000, 0)}, RATES, 1000)
        free = cost_of(session, {"eng_1": (5, 5)}, Rates(), 1000)
    assert ours.usd == pytest.approx(1.0)
    assert ours.kwh == pytest.approx(100 * 1000 / 3600 / 1000)
    assert both.usd == pytest.approx(2.0)
    assert (free.usd, free.kwh) == (None, None)


def test_an_attached_engine_costs_nothing_that_is_known_here(database: Database, ana: Person) -> None:
    with database.transaction() as session:
        add_engine(session, ana, "eng_1", "attached")
        found = cost_of(session, {"eng_1": (5, 5)}, RATES, 1000)
    assert (found.usd, found.kwh) == (None, None)
