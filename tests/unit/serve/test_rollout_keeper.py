from datetime import timedelta

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import aliases, bell, rollouts, service
from goldsmith.serve.rollout_keeper import RolloutKeeper
from goldsmith.serve.types import Part
from goldsmith.serve.watching import RolloutPlan
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

from .conftest import ModelMaker, make_live
from .test_rollouts import count, good, shares


def test_the_keeper_goes_on_rings_and_leaves_what_is_over(
    database: Database, home: Home, make_model: ModelMaker, base: BaseModel, by: Person
) -> None:
    model, keeper, now = make_model("new"), RolloutKeeper(database, home), clock.now()
    keeper.tick(now)
    with database.transaction() as session:
        service.deploy(session, model.id, by=by)
        make_live(session, model.id)
        make_live(session, base.id)
        aliases.make(session, "support", Part(base.id, 1.0), by=by)
        rollout = rollouts.start(session, "support", model.id, RolloutPlan((0.5, 1.0), hold_s=60), by=by)
        for model_id in (base.id, model.id):
            count(session, rollout, model_id, good())
    keeper.tick(now + timedelta(seconds=0.5))
    assert bell.heard(home) == 0
    keeper.tick(now + timedelta(seconds=5))
    assert bell.heard(home) == 0
    keeper.tick(now + timedelta(seconds=70))
    heard = bell.heard(home)
    assert heard != 0
    keeper.tick(now + timedelta(seconds=3600))
    keeper.tick(now + timedelta(seconds=3700))
    assert bell.heard(home) == heard
    with database.reading() as session:
        assert shares(session, by) == {model.id: 1.0}
        assert rollouts.one(session, rollout.id, domain=by.domain).state == "succeeded"
