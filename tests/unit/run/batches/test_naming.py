from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.run.batches.naming import Names, is_provider
from goldsmith.serve import outside
from goldsmith.serve.tables import Alias
from goldsmith.storage import clock
from goldsmith.storage.database import Database


@pytest.fixture
def names(ana: Person) -> Names:
    return Names(ana.domain)


def point_alias(database: Database, ana: Person, name: str, **shares: float) -> None:
    targets: list[Any] = [{"model_id": model_id, "share": share} for model_id, share in shares.items()]
    with database.transaction() as session:
        session.merge(Alias(domain=ana.domain, name=name, targets=targets, changed_by=ana.id, changed_at=clock.now()))


def test_a_model_is_found_by_id_and_name_and_others_are_not(
    database: Database, base_model: BaseModel, names: Names
) -> None:
    with database.reading() as session:
        assert names.find(session, base_model.id, "a") == (base_model.id, "")
        assert names.find(session, "tiny", "a") == (base_model.id, "")
        assert names.find(session, "huge", "a") == (None, "The model 'huge' does not exist here.")


def test_who_names_no_model_gets_the_default(
    database: Database, base_model: BaseModel, ana: Person, names: Names
) -> None:
    with database.reading() as session:
        for called in (None, "default"):
            model_id, reason = names.find(session, called, "a")
            assert model_id is None
            assert "goldsmith models switch MODEL" in reason
    point_alias(database, ana, "default", bm_1=1.0)
    with database.reading() as session:
        assert Names(ana.domain).find(session, None, "a") == (base_model.id, "")


def test_a_request_always_gets_the_same_part_of_an_alias(database: Database, ana: Person, names: Names) -> None:
    point_alias(database, ana, "answers", ftm_a=0.9, ftm_b=0.1)
    with database.reading() as session:
        found = {f"r{number}": names.find(session, "answers", f"r{number}")[0] for number in range(2000)}
        again = Names(ana.domain)
        assert all(again.find(session, "answers", custom_id)[0] == model for custom_id, model in found.items())
    assert 120 < Counter(found.values())["ftm_b"] < 280


def test_a_provider_is_named_by_its_model(
    database: Database, ana: Person, names: Names, point_engine: Callable[[str], None]
) -> None:
    with database.transaction() as session:
        provider = outside.add_provider(session, "https://example.com", model="big-1", by=ana)
    with database.reading() as session:
        assert names.find(session, "big-1", "a") == (provider.id, "")
        assert names.find(session, provider.id, "a") == (provider.id, "")
        assert is_provider(provider.id)
        assert names.in_order(session, [provider.id]) == [provider.id]
