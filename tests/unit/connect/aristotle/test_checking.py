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
