"""A check says what is there, and to whom it may be said."""

import pytest
from tests.aristotle import url_of

from goldsmith.connect.aristotle import checking
from goldsmith.connect.aristotle.connection import Place
from goldsmith.testing.aristotle import SyntheticAristotle

pytestmark = pytest.mark.postgresql


@pytest.fixture
def place(synthetic: SyntheticAristotle) -> Place:
    return Place.of(url_of(synthetic))


def test_a_check_counts_and_names(synthetic: SyntheticAristotle, place: Place) -> None:
    synthetic.fill(4, philosopher="a", domain="b")
    synthetic.fill(2, philosopher="a", domain="c")
    facts = checking.check(place)
    assert (facts.num_gold, facts.num_scopes, facts.has_model_column) == (6, 2, False)
    shown = facts.to_dict()
    assert shown["generation"] == synthetic.generation
    assert shown["conquest"].startswith(
        f"{synthetic.names.conquest.strip(chr(34))}: 6 rows; may SELECT, INSERT, UPDATE"
    )


def test_a_check_says_where_eidos_and_candidates_are_or_what_to_set(
    synthetic: SyntheticAristotle, place: Place
) -> None:
    lacking = checking.check(place).to_dict()
    assert lacking["eidos"].startswith("Not found: a table with the eidos")
    assert "ARISTOTLE_CANDIDATE_FROM" in lacking["candidates"]
    synthetic.make_subjects()
    found = checking.check(place, candidate_from="SELECT :id, :domain").to_dict()
    assert found["eidos"].startswith(("eidos: id, philosopher, domain", "Eidos: id, philosopher, domain"))
    assert found["candidates"] == "a query, ARISTOTLE_CANDIDATE_FROM"
