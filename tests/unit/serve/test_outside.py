"""Engines that others run: attached, beside each other, handed over, removed; providers."""

import pytest

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import outside, queries, service
from goldsmith.serve.errors import IsDefault, NameNotServable
from goldsmith.serve.tables import Engine
from goldsmith.storage.database import Database
from goldsmith.testing import FakeEngine

from .conftest import ModelMaker, add_base, make_live
from .keeping import Keeping, deploy

FIRST, SECOND, THIRD = "http://127.0.0.1:9000", "http://127.0.0.1:9001", "http://127.0.0.1:9002"


def test_an_attached_engine_comes_before_one_of_ours(database: Database, base: BaseModel, by: Person) -> None:
    with database.transaction() as session:
        attached = outside.attach_engine(session, "http://127.0.0.1:9000/v1/", base_model_id=base.id, by=by)
        assert attached.url == "http://127.0.0.1:9000"
        assert service.want_engine(session, base.id, by=by).id == attached.id


def test_a_removed_engine_is_not_found_again_and_comes_back_when_it_is_attached_again(
    database: Database, base: BaseModel, by: Person
) -> None:
    with database.transaction() as session:
        attached = outside.attach_engine(session, "http://127.0.0.1:9000", base_model_id=base.id, by=by)
        outside.remove_engine(session, attached.id, by=by)
        assert not queries.deployment_of(session, base.id).is_wanted
        assert service.want_engine(session, base.id, by=by).id != attached.id
        again = outside.attach_engine(session, "http://127.0.0.1:9000", base_model_id=base.id, by=by)
        assert (again.id, again.is_wanted) == (attached.id, True)


def test_an_engine_whose_model_is_the_default_is_not_removed(database: Database, base: BaseModel, by: Person) -> None:
    with database.transaction() as session:
        attached = outside.attach_engine(session, "http://127.0.0.1:9000", base_model_id=base.id, by=by)
        make_live(session, base.id)
        service.switch(session, base.id, by=by)
        with pytest.raises(IsDefault):
            outside.remove_engine(session, attached.id, by=by)
        assert attached.is_wanted


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8000", "http://user:secret@host", "http://host/?a=b", ""])
def test_an_address_that_is_none_is_refused(database: Database, base: BaseModel, by: Person, url: str) -> None:
    with database.transaction() as session, pytest.raises(NameNotServable):
        outside.attach_engine(session, url, base_model_id=base.id, by=by)


def test_a_provider_is_a_target_by_its_own_id(database: Database, by: Person) -> None:
    with database.transaction() as session:
        engine: Engine = outside.add_provider(session, "https://api.example.com/v1", model="big", by=by)
        target = queries.target_for(session, engine.id)
    assert (target.url, target.model_name, target.is_ready) == ("https://api.example.com", "big", True)
    assert not target.is_ours


def test_a_second_engine_with_the_same_base_model_follows_the_first(
    database: Database, base: BaseModel, by: Person
) -> None:
    other = add_base(database, by, "bm_2", "other")
    with database.transaction() as session:
        first, second = (outside.attach_engine(session, url, base_model_id=base.id, by=by) for url in (FIRST, SECOND))
        apart = outside.attach_engine(session, THIRD, base_model_id=other.id, by=by)
        assert (first.copy_of, second.copy_of, apart.copy_of) == (None, first.id, None)
        assert service.want_engine(session, base.id, by=by).id == first.id


@pytest.mark.parametrize("verb", [outside.remove_engine, service.stop_engine])
def test_when_the_first_one_goes_another_takes_its_place_and_the_rest_follow_it(
    database: Database, base: BaseModel, by: Person, verb: object
) -> None:
    with database.transaction() as session:
        engines = [outside.attach_engine(session, url, base_model_id=base.id, by=by) for url in (FIRST, SECOND, THIRD)]
        verb(session, engines[0].id, by=by)  # type: ignore[operator]
        assert [one.copy_of for one in engines[1:]] == [None, engines[1].id]
        assert queries.deployment_of(session, base.id).engine_id == engines[1].id
        again = outside.attach_engine(session, FIRST, base_model_id=base.id, by=by)
        assert (again.id, again.copy_of) == (engines[0].id, engines[1].id)


def test_an_engine_that_gets_another_base_model_leaves_its_followers_to_another(
    database: Database, base: BaseModel, by: Person
) -> None:
    other = add_base(database, by, "bm_2", "other")
    with database.transaction() as session:
        first, second = (outside.attach_engine(session, url, base_model_id=base.id, by=by) for url in (FIRST, SECOND))
        outside.attach_engine(session, FIRST, base_model_id=other.id, by=by)
        assert (first.copy_of, second.copy_of) == (None, None)


def test_an_engine_is_removed_while_another_has_what_callers_get(
    database: Database, base: BaseModel, by: Person
) -> None:
    with database.transaction() as session:
        first, second = (outside.attach_engine(session, url, base_model_id=base.id, by=by) for url in (FIRST, SECOND))
        make_live(session, base.id)
        service.switch(session, base.id, by=by)
        outside.remove_engine(session, first.id, by=by)
        with pytest.raises(IsDefault):
            outside.remove_engine(session, second.id, by=by)


def test_the_same_address_of_another_organisation_is_another_engine(
    database: Database, base: BaseModel, by: Person
) -> None:
    stranger = Person("other", "Other", "elsewhere")
    theirs = add_base(database, stranger, "bm_2", "theirs")
    with database.transaction() as session:
        first = outside.attach_engine(session, FIRST, base_model_id=base.id, by=by)
        other = outside.attach_engine(session, FIRST, base_model_id=theirs.id, by=stranger)
        assert first.id != other.id
        assert first.base_model_id == base.id


@pytest.mark.usefixtures("without_waiting")
def test_every_attached_engine_gets_the_adapters_and_answers(
    keeping: Keeping, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    with FakeEngine("bm_1") as first, FakeEngine("bm_1") as second:
        deploy_on = [first, second]
        with keeping.database.transaction() as session:
            for engine in deploy_on:
                outside.attach_engine(session, engine.url, base_model_id="bm_1", by=by)
        deploy(keeping, model, by)
        keeping.until(lambda: all(engine.adapters.keys() == {model.id} for engine in deploy_on))

        def doors() -> set[str]:
            with keeping.database.reading() as session:
                return {target.url for target in queries.targets_for(session, "bm_1")}

        keeping.until(lambda: doors() == {first.url, second.url})
        with keeping.database.transaction() as session:
            outside.remove_engine(session, queries.deployment_of(session, model.id).engine_id, by=by)
        keeping.until(lambda: doors() == {second.url})
        with keeping.database.transaction() as session:
            service.undeploy(session, model.id, by=by)
        keeping.until(lambda: not second.adapters)
