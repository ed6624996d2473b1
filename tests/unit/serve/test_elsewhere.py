"""Models that live at a provider: found by it, asked through it, and never taken for models of this machine."""

from typing import Any

import pytest
from sqlalchemy.orm import Session
from tests.unit.serve.conftest import ModelMaker

from goldsmith.models import queries as models
from goldsmith.models.errors import ModelAtProvider
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import elsewhere, outside, queries, service
from goldsmith.serve.errors import ProviderGone, ProviderNotFound
from goldsmith.serve.merged import service as merging
from goldsmith.serve.tables import Engine
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

URL = "https://api.example.com"


def add_provider(session: Session, by: Person, model: str = "small-1", **more: Any) -> Engine:
    return outside.add_provider(session, URL, model=model, by=by, **more)


def train_there(session: Session, engine: Engine, tuned: FineTunedModel, by: Person) -> BaseModel:
    """As registering leaves a model that was trained there."""
    base = elsewhere.base_of(session, engine, by=by)
    tuned.base_model_id, tuned.lora_rank = base.id, None
    tuned = session.merge(tuned)
    session.flush()
    elsewhere.put(session, tuned, "ft:small-1:mail", by=by)
    return base


@pytest.fixture
def tuned(make_model: ModelMaker) -> FineTunedModel:
    return make_model("mail")


def test_a_provider_is_found_by_its_id_its_name_and_its_model(database: Database, by: Person) -> None:
    with database.transaction() as session:
        engine = add_provider(session, by, name="the far one")
        for name in (engine.id, "the far one", "small-1"):
            assert elsewhere.provider(session, name, domain=by.domain) is engine
        add_provider(session, by, name="another")
        with pytest.raises(ProviderNotFound, match="More than one"):
            elsewhere.provider(session, "small-1", domain=by.domain)
        with pytest.raises(ProviderNotFound):
            elsewhere.provider(session, engine.id, domain="elsewhere")


def test_a_providers_model_is_one_base_model_that_no_list_of_this_machine_has(database: Database, by: Person) -> None:
    with database.transaction() as session:
        engine = add_provider(session, by)
        base = elsewhere.base_of(session, engine, by=by)
        assert elsewhere.base_of(session, add_provider(session, by), by=by) is base
        assert base.name == "small-1 at api.example.com"
        assert base not in models.bases(session, domain=by.domain)
        assert elsewhere.base_of(session, add_provider(session, by, "large-1"), by=by) is not base


def test_base_and_tuned_model_are_asked_there_by_their_names_there(
    database: Database, by: Person, tuned: FineTunedModel
) -> None:
    with database.transaction() as session:
        engine = add_provider(session, by)
        base = train_there(session, engine, tuned, by)
        targets = [queries.target_for(session, model_id) for model_id in (base.id, tuned.id)]
        assert [target.model_name for target in targets] == ["small-1", "ft:small-1:mail"]
        assert {(target.url, target.engine_id, target.is_ours, target.is_ready) for target in targets} == {
            (URL, engine.id, False, True)
        }
        routes = queries.route_table(session, by.domain).routes
        assert routes[tuned.id].shares[0].proof.allows_default


def test_deploying_starts_no_engine_and_taking_it_away_leaves_it_there(
    database: Database, by: Person, tuned: FineTunedModel
) -> None:
    with database.transaction() as session:
        base = train_there(session, add_provider(session, by), tuned, by)
        num_engines = len(queries.page(session, domain=by.domain))
        service.undeploy(session, tuned.id, by=by)
        assert not queries.is_wanted(session, tuned.id)
        assert tuned.id not in {item.deployment.model_id for item in queries.active(session, domain=by.domain)}
        assert service.deploy(session, tuned.id, by=by).is_wanted
        assert service.deploy(session, base.id, by=by).is_wanted
        assert queries.target_for(session, tuned.id).model_name == "ft:small-1:mail"
        assert len(queries.page(session, domain=by.domain)) == num_engines
        actions = [entry.action for entry in queries.history(session, domain=by.domain, model_id=tuned.id)]
        assert actions == ["deploy", "undeploy", "deploy"]


def test_without_its_provider_it_says_so_and_added_again_it_answers(
    database: Database, by: Person, tuned: FineTunedModel
) -> None:
    with database.transaction() as session:
        engine = add_provider(session, by)
        train_there(session, engine, tuned, by)
        outside.remove_engine(session, engine.id, by=by)
        with pytest.raises(ProviderGone):
            service.deploy(session, tuned.id, by=by)
        again = add_provider(session, by)
        assert service.deploy(session, tuned.id, by=by).engine_id == again.id
        assert queries.target_for(session, tuned.id).model_name == "ft:small-1:mail"


def test_what_needs_its_files_is_refused_plainly(
    database: Database, by: Person, home: Home, tuned: FineTunedModel
) -> None:
    with database.transaction() as session:
        train_there(session, add_provider(session, by), tuned, by)
        with pytest.raises(ModelAtProvider, match="cannot be proved"):
            service.prove_again(session, tuned.id, by=by)
        with pytest.raises(ModelAtProvider, match="cannot be merged"):
            merging.start(session, tuned, by=by, home=home)
