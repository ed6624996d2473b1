import pytest

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import outside, queries, service
from goldsmith.serve.errors import (
    DeploymentNotFound,
    EngineNotFound,
    IsDefault,
    NoEngineForModel,
    NothingToUndo,
    NotOurs,
    NotProved,
    RankNotServable,
    TooManyCopies,
    WrongPlaces,
)
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

from .conftest import ModelMaker, add_base, make_live


def test_wanting_an_engine_twice_gives_the_same(database: Database, base: BaseModel, by: Person) -> None:
    with database.transaction() as session:
        first = service.want_engine(session, base.id, by=by)
        second = service.want_engine(session, base.name, by=by)
        assert first.id == second.id
        assert queries.deployment_of(session, base.id).proof == "not_needed"


def test_another_base_model_leaves_the_first_engine_to_the_keeper(
    database: Database, base: BaseModel, by: Person
) -> None:
    other = add_base(database, by, "bm_2", "other")
    with database.transaction() as session:
        first = service.want_engine(session, base.id, by=by)
        second = service.want_engine(session, other.id, by=by)
        assert first.is_wanted
        assert first.wanted_at is not None
        assert second.wanted_at is not None
        assert first.wanted_at < second.wanted_at


def test_a_failed_engine_is_tried_again_when_it_is_wanted_again(
    database: Database, base: BaseModel, by: Person
) -> None:
    with database.transaction() as session:
        engine = service.want_engine(session, base.id, by=by)
        engine.state, engine.num_crashes = "failed", 3
        service.want_engine(session, base.id, by=by)
        assert (engine.state, engine.num_crashes) == ("stopped", 0)


def test_deploying_wants_the_engine_and_writes_history(database: Database, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    with database.transaction() as session:
        deployment = service.deploy(session, model.id, by=by)
        assert (deployment.is_wanted, deployment.state, deployment.proof) == (True, "waiting", "unproved")
        service.deploy(session, model.name, by=by)
        actions = [(entry.seq, entry.action) for entry in queries.history(session, domain=by.domain)]
    assert actions == [(1, "deploy")]


def test_a_rank_above_the_limit_is_said_before_the_restart(
    database: Database, make_model: ModelMaker, base: BaseModel, by: Person
) -> None:
    model = make_model("wide", rank=16)
    with database.transaction() as session:
        service.want_engine(session, base.id, by=by)
        make_live(session, base.id)
        assert "starts again to take rank 16" in service.deploy(session, model.id, by=by).message


def test_a_rank_that_no_engine_takes_is_refused_before_anything_happens(
    database: Database, make_model: ModelMaker, by: Person
) -> None:
    model = make_model("huge", rank=1024)
    with database.transaction() as session:
        with pytest.raises(RankNotServable):
            service.deploy(session, model.id, by=by)
        assert queries.page(session, domain=by.domain) == []


def test_only_a_proved_model_becomes_the_default(database: Database, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    with database.transaction() as session:
        with pytest.raises(DeploymentNotFound):
            service.switch(session, model.id, by=by)
        service.deploy(session, model.id, by=by)
        make_live(session, model.id, proof="proving")
        with pytest.raises(NotProved):
            service.switch(session, model.id, by=by)
        make_live(session, model.id)
        assert service.switch(session, model.id, by=by).targets == [{"model_id": model.id, "share": 1.0}]


def test_switches_are_undone_one_after_the_other(
    database: Database, make_model: ModelMaker, base: BaseModel, by: Person
) -> None:
    first, second = make_model("first"), make_model("second")
    with database.transaction() as session:
        for model in (first, second):
            service.deploy(session, model.id, by=by)
            make_live(session, model.id)
        make_live(session, base.id)
        for model_id in (base.id, first.id, second.id):
            service.switch(session, model_id, by=by)
        assert service.undo_switch(session, by=by).targets[0]["model_id"] == first.id
        assert service.undo_switch(session, by=by).targets[0]["model_id"] == base.id
        with pytest.raises(NothingToUndo):
            service.undo_switch(session, by=by)
        entries = queries.history(session, domain=by.domain)
    assert [entry.seq for entry in entries] == list(range(7, 0, -1))
    assert [entry.action for entry in entries[:2]] == ["rollback", "rollback"]


def test_the_default_cannot_be_taken_away(database: Database, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    with database.transaction() as session:
        service.deploy(session, model.id, by=by)
        make_live(session, model.id)
        service.switch(session, model.id, by=by)
        with pytest.raises(IsDefault):
            service.undeploy(session, model.id, by=by)


def test_a_model_that_is_taken_away_can_be_deployed_again(
    database: Database, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    with database.transaction() as session:
        service.deploy(session, model.id, by=by)
        make_live(session, model.id)
        assert not service.undeploy(session, model.id, by=by).is_wanted
        again = service.deploy(session, model.id, by=by)
        assert (again.is_wanted, again.state, again.proof) == (True, "waiting", "unproved")


def test_the_route_table_knows_every_name(
    database: Database, make_model: ModelMaker, base: BaseModel, by: Person, home: Home
) -> None:
    model = make_model()
    with database.transaction() as session:
        service.deploy(session, model.id, by=by)
        make_live(session, model.id)
        make_live(session, base.id)
        service.switch(session, model.id, by=by)
    with database.reading() as session:
        table = queries.route_table(session, by.domain)
        target = queries.target_for(session, model.id)
    assert set(table.routes) == {"bm_1", "tiny", "somebody/tiny", "ftm_tuned", "tuned", "default"}
    assert all(route.is_ready for route in table.routes.values())
    assert table.routes["default"].shares[0].target == target
    assert (target.model_name, target.is_ready, target.read_key(home.root)) == ("ftm_tuned", True, None)


def test_what_the_engine_does_not_have_is_not_ready(database: Database, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    with database.transaction() as session:
        with pytest.raises(NoEngineForModel):
            queries.target_for(session, model.id)
        service.deploy(session, model.id, by=by)
        assert not queries.target_for(session, model.id).is_ready
        deployment = make_live(session, model.id)
        queries.one(session, deployment.engine_id).generation += 1
        assert not queries.target_for(session, model.id).is_ready


def test_a_name_that_two_models_have_leads_nowhere(database: Database, make_model: ModelMaker, by: Person) -> None:
    first = make_model("first")
    second = make_model("second")
    with database.transaction() as session:
        for model in (first, second):
            service.deploy(session, model.id, by=by)
            session.merge(model).name = "same"
    with database.reading() as session:
        assert "same" not in queries.route_table(session, by.domain).routes


def test_what_comes_by_itself_makes_no_engine_leave(
    database: Database, make_model: ModelMaker, base: BaseModel, by: Person
) -> None:
    model, other = make_model(), add_base(database, by, "bm_2", "other")
    with database.transaction() as session:
        busy = service.want_engine(session, other.id, by=by)
        deployment = service.deploy(session, model.id, by=by, may_displace=False)
        assert deployment.is_wanted
        assert busy.is_wanted
        assert busy.wanted_at is not None
        assert queries.one(session, deployment.engine_id).wanted_at is None


def test_only_an_engine_of_ours_has_copies_and_only_so_many(database: Database, base: BaseModel, by: Person) -> None:
    with database.transaction() as session:
        ours = service.want_engine(session, base.id, by=by)
        assert service.set_copies(session, ours.id, 3, by=by).num_copies == 3
        copy = service.add_copy(session, ours, 2)
        with pytest.raises(NotOurs, match="is a copy itself"):
            service.set_copies(session, copy.id, 2, by=by)
        for number in (0, 17):
            with pytest.raises(TooManyCopies):
                service.set_copies(session, ours.id, number, by=by)
        theirs = outside.attach_engine(session, "http://127.0.0.1:1", base_model_id=base.id, by=by)
        with pytest.raises(NotOurs, match="not an engine of ours"):
            service.set_copies(session, theirs.id, 2, by=by)
        with pytest.raises(EngineNotFound):
            service.set_copies(session, ours.id, 2, by=Person("other", "Other", "elsewhere"))


def test_a_copy_that_is_stopped_is_one_fewer(database: Database, base: BaseModel, by: Person) -> None:
    with database.transaction() as session:
        ours = service.want_engine(session, base.id, by=by)
        service.set_copies(session, ours.id, 2, by=by)
        copy = service.add_copy(session, ours, 2)
        service.stop_engine(session, copy.id, by=by)
        assert (ours.num_copies, ours.is_wanted, copy.is_wanted) == (1, True, False)
        assert queries.deployment_of(session, base.id).engine_id == ours.id


def test_places_are_set_for_an_engine_of_ours_and_its_copies(database: Database, base: BaseModel, by: Person) -> None:
    with database.transaction() as session:
        ours = service.want_engine(session, base.id, by=by)
        copy = service.add_copy(session, ours, 2)
        service.set_places(session, ours.id, 9, by=by)
        assert (ours.num_places, copy.num_places, service.add_copy(session, ours, 3).num_places) == (9, 9, 9)
        for number in (0, 65):
            with pytest.raises(WrongPlaces):
                service.set_places(session, ours.id, number, by=by)
        with pytest.raises(NotOurs, match="is a copy itself"):
            service.set_places(session, copy.id, 9, by=by)
