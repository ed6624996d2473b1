"""When an engine says that more adapters are asked for than it holds ready, and when it stops saying so."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import queries, service, traffic
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.serve.crowding import EVERY, WITHIN, CrowdingKeeper, said
from goldsmith.storage import clock
from goldsmith.storage.database import Database

from .conftest import ModelMaker, make_live


def ask(session: Session, model_id: str, at: datetime) -> None:
    """What a gateway would have counted."""
    key = TrafficKey(int(at.timestamp() // 60), "local", "", 0, model_id)
    traffic.store(session, "a-gateway", {key: Counts(num_requests=1)})


def message(database: Database) -> str:
    with database.reading() as session:
        return queries.of_ours(session)[0].message


def test_an_engine_says_that_it_swaps_until_fewer_are_asked_for(
    database: Database, make_model: ModelMaker, by: Person
) -> None:
    names = [make_model(str(number)) for number in range(3)]
    keeper, now = CrowdingKeeper(database), clock.now()
    with database.transaction() as session:
        for model in names:
            service.deploy(session, model.id, by=by)
            make_live(session, model.id)
            ask(session, model.id, now)
        engine = queries.of_ours(session)[0]
        engine.max_loras, engine.message = 2, ""
    keeper.tick(now)
    assert message(database).startswith("It swaps adapters: 3 were asked for in the last 10 minutes, and it holds 2")
    with database.transaction() as session:
        service.undeploy(session, names[0].id, by=by)
    keeper.tick(now + EVERY / 2)
    assert message(database)
    keeper.tick(now + EVERY)
    assert message(database) == ""


def test_what_was_asked_for_long_ago_and_base_models_do_not_crowd_it(
    database: Database, make_model: ModelMaker, base: BaseModel, by: Person
) -> None:
    model, now = make_model(), clock.now()
    with database.transaction() as session:
        service.deploy(session, model.id, by=by)
        make_live(session, model.id)
        engine = queries.of_ours(session)[0]
        engine.max_loras, engine.message = 0, ""
        ask(session, model.id, now - WITHIN - timedelta(minutes=1))
        ask(session, base.id, now)
    CrowdingKeeper(database).tick(now)
    assert message(database) == ""


def test_other_words_about_an_engine_stay(database: Database, make_model: ModelMaker, by: Person) -> None:
    model, now = make_model(), clock.now()
    with database.transaction() as session:
        service.deploy(session, model.id, by=by)
        make_live(session, model.id)
        engine = queries.of_ours(session)[0]
        engine.max_loras, engine.message = 0, "something else"
        ask(session, model.id, now)
    CrowdingKeeper(database).tick(now)
    assert message(database) == "something else"


def test_nothing_is_said_while_all_fit() -> None:
    assert said(4, 4) == ""
    assert "5 were asked for" in said(5, 4)
