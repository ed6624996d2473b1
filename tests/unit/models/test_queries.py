"""A name leads to one model: its id or name first, then its hub id, and there the hub's own before a copy."""

import pytest
from tests.factories import make_base_model, make_person

from goldsmith.models import queries
from goldsmith.models.errors import ModelNotFound
from goldsmith.serve.queries import _names_of
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"


def test_a_base_model_is_found_by_id_name_and_hub_id_in_any_letters(database: Database) -> None:
    with database.transaction() as session:
        model = make_base_model(session, name="mine", source="hub", hub_id="Org/Small")
        for name in (model.id, "mine", "Org/Small", "org/small"):
            assert queries.base(session, name, domain="local") is model
        with pytest.raises(ModelNotFound, match="no base model Mine"):
            queries.base(session, "Mine", domain="local")
        with pytest.raises(ModelNotFound):
            queries.base(session, "mine", domain="elsewhere")


def test_the_built_in_copy_gives_way_to_the_model_itself(database: Database) -> None:
    with database.transaction() as session:
        copy = make_base_model(session, name="smollm2-135m-instruct", source="builtin", hub_id=HUB_ID)
        assert queries.base(session, HUB_ID, domain="local") is copy
        own = make_base_model(session, name=HUB_ID, source="hub", hub_id=HUB_ID)
        assert queries.base(session, HUB_ID, domain="local") is own
        assert queries.base(session, copy.name, domain="local") is copy
        assert queries.from_hub(session, HUB_ID.upper(), domain="local") == [own]
        assert queries.base_called(session, HUB_ID, domain="local") is own


def test_callers_of_the_gateway_are_led_the_same_way(database: Database) -> None:
    with database.transaction() as session:
        copy = make_base_model(session, name="smollm2-135m-instruct", source="builtin", hub_id=HUB_ID)
        assert _names_of(session, "local", [copy.id])[HUB_ID] == (copy.id, "base", copy.name)
        own = make_base_model(session, name=HUB_ID, source="hub", hub_id=HUB_ID)
        names = _names_of(session, "local", [copy.id, own.id])
        assert (names[HUB_ID], names[copy.name]) == (
            (own.id, "base", own.name),
            (copy.id, "base", copy.name),
        )


def test_a_models_files_lie_in_the_home(database: Database, home: Home) -> None:
    with database.transaction() as session:
        model = make_base_model(session, by=make_person(session))
        assert queries.folder_of(home, model) == home.root / "models/base/tiny"
        assert queries.any_model(session, "tiny", domain="local") is model
        assert queries.bases(session, domain="local") == [model]
