"""The source over Aristotle's database keeps the promises of every source."""

import pytest

from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.types import Scope, Source, Wish
from goldsmith.testing.aristotle import SyntheticAristotle

ADA = Scope("ada@acme.example", "acme.example")


@pytest.mark.postgresql
def test_which_still_have_their_star(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    source: Source = aristotle
    ids = synthetic.fill(3, philosopher=ADA.philosopher, domain=ADA.domain)
    synthetic.fill(2, philosopher="eve@evil.example", domain="evil.example", seed=2)
    assert {item.external_id for item in source.fetch(Wish(ADA)).items} == set(ids)
    with synthetic.engine.begin() as connection:
        rating, key = synthetic.names.rating, synthetic.names.key
        connection.exec_driver_sql(f"DELETE FROM {rating} WHERE {key} = '{ids[0]}'")  # noqa: S608  # ids of ours
    assert set(source.fetch(Wish(ADA, limit=1)).starred) == set(ids[1:]), "whatever is wanted, and nobody else's"
