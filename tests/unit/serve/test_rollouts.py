from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import aliases, queries, rollouts, service, traffic
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.serve.errors import IsDefault, NotProved, RolloutNotPossible, RolloutOver, RolloutRunning
from goldsmith.serve.tables import Rollout
from goldsmith.serve.types import Part, parts_of
from goldsmith.serve.watching import Limits, RolloutPlan
from goldsmith.storage import clock
from goldsmith.storage.database import Database

from .conftest import ModelMaker, make_live

PLAN = RolloutPlan()
TIMED = RolloutPlan(hold_s=600)


@pytest.fixture
def ids(database: Database, make_model: ModelMaker, base: BaseModel, by: Person) -> tuple[str, str, str]:
    """Old and new, and the base: all deployed and proved; `support` leads to the old one."""
    old, new = make_model("old"), make_model("new")
    with database.transaction() as session:
        for model in (old, new):
            service.deploy(session, model.id, by=by)
            make_live(session, model.id)
        make_live(session, base.id)
        aliases.make(session, "support", Part(old.id, 1.0), by=by)
    return old.id, new.id, base.id


def shares(session: Session, by: Person) -> dict[str, float]:
    return {part.model_id: part.share for part in parts_of(aliases.one(session, "support", domain=by.domain).targets)}


def count(session: Session, rollout: Rollout, model_id: str, counts: Counts) -> None:
    """What a gateway would have counted at the share of now."""
    version = aliases.one(session, "support", domain=rollout.domain).version
    traffic.store(session, "tw_1", {TrafficKey(29_000_000, rollout.domain, "support", version, model_id): counts})


def good(num: int = 100) -> Counts:
    counts = Counts(num_requests=num)
    for _ in range(num):
        counts.time(1.0)
        counts.measure(50)
    return counts


def test_a_roll_out_goes_up_by_clicks_and_ends_well(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    old, new, _ = ids
    with database.transaction() as session:
        rollout = rollouts.start(session, "support", "new", PLAN, by=by)
        assert shares(session, by) == {old: 0.95, new: 0.05}
        rollouts.go_on(session, rollout, by=by)
        assert shares(session, by) == {old: 0.75, new: 0.25}
        rollouts.go_on(session, rollout, by=by, why="looks good")
        assert shares(session, by) == {new: 1.0}
        assert rollout.state == "running"
        rollouts.go_on(session, rollout, by=by)
        assert rollout.state == "succeeded"
        with pytest.raises(RolloutOver):
            rollouts.go_on(session, rollout, by=by)
        entries = queries.alias_history(session, "support", domain=by.domain)
    assert [entry.notes for entry in entries[:3]] == [
        "roll-out, step 3 of 3: looks good",
        "roll-out, step 2 of 3",
        "roll-out, step 1 of 3",
    ]
    assert {entry.deployment_config["rollout_id"] for entry in entries[:3]} == {rollout.id}


def test_the_others_keep_their_proportions() -> None:
    old = [Part("a", 0.6), Part("b", 0.3), Part("new", 0.1)]
    assert rollouts.parts_at(old, "new", 0.4) == (Part("a", 0.4), Part("b", 0.2), Part("new", 0.4))
    assert rollouts.parts_at(old, "new", 1.0) == (Part("new", 1.0),)


def test_rolling_back_gives_everything_back_in_one_change_and_can_be_undone_no_further(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    old, new, base = ids
    with database.transaction() as session:
        aliases.point(session, "support", [Part(base, 1.0)], by=by)
        aliases.point(session, "support", [Part(old, 1.0)], by=by)
        rollout = rollouts.start(session, "support", new, PLAN, by=by)
        rollouts.go_on(session, rollout, by=by)
        rollouts.roll_back(session, rollout, by=by, why="people complained")
        assert shares(session, by) == {old: 1.0}
        assert (rollout.state, rollout.message) == ("rolled_back", "people complained")
        entry = queries.alias_history(session, "support", domain=by.domain)[0]
        assert (entry.action, entry.notes) == ("rollback", "people complained")
        assert parts_of(service.undo_alias(session, "support", by=by).targets) == (Part(base, 1.0),)


def test_an_alias_has_one_roll_out_at_a_time(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    with database.transaction() as session:
        rollouts.start(session, "support", ids[1], PLAN, by=by)
        with pytest.raises(RolloutRunning):
            rollouts.start(session, "support", ids[2], PLAN, by=by)


def test_what_cannot_grow_is_refused(
    database: Database, ids: tuple[str, str, str], make_model: ModelMaker, by: Person
) -> None:
    fresh = make_model("fresh")
    with database.transaction() as session:
        for model, plan in ((ids[0], PLAN), (ids[1], RolloutPlan((0.5, 0.2)))):
            with pytest.raises(RolloutNotPossible):
                rollouts.start(session, "support", model, plan, by=by)
        service.deploy(session, fresh.id, by=by)
        with pytest.raises(NotProved):
            rollouts.start(session, "support", fresh.id, PLAN, by=by)


def test_who_changes_the_alias_by_hand_stops_the_roll_out(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    with database.transaction() as session:
        rollout = rollouts.start(session, "support", ids[1], PLAN, by=by)
        aliases.point(session, "support", [Part(ids[2], 1.0)], by=by)
        session.refresh(rollout)
        assert (rollout.state, rollout.message) == ("stopped", "Ada changed what support leads to.")


def test_the_old_model_stays_on_its_engine_until_the_roll_out_is_over(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    with database.transaction() as session:
        rollout = rollouts.start(session, "support", ids[1], RolloutPlan((1.0,)), by=by)
        with pytest.raises(IsDefault):
            service.undeploy(session, ids[0], by=by)
        rollouts.go_on(session, rollout, by=by)
        service.undeploy(session, ids[0], by=by)


def test_by_schedule_it_goes_on_only_with_enough_good_requests(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    old, new, _ = ids
    with database.transaction() as session:
        rollout = rollouts.start(session, "support", new, TIMED, by=by)
        later = clock.now() + timedelta(seconds=601)
        assert not rollouts.look(session, rollout, later, by=by)
        assert "50 more" in rollout.message
        count(session, rollout, old, good())
        count(session, rollout, new, good())
        assert not rollouts.look(session, rollout, clock.now() + timedelta(seconds=500), by=by)
        assert rollouts.look(session, rollout, later, by=by)
        assert shares(session, by)[new] == 0.25
        for _ in range(2):
            rollouts.look(session, rollout, later + timedelta(hours=1), by=by)
        assert (rollout.state, shares(session, by)) == ("succeeded", {new: 1.0})


def test_a_worse_model_is_rolled_back_by_itself_and_the_reason_is_written_down(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    old, new, _ = ids
    goldsmith = Person(by.id, "Goldsmith", by.domain)
    with database.transaction() as session:
        rollout = rollouts.start(session, "support", new, PLAN, by=by)
        count(session, rollout, old, good(400))
        count(session, rollout, new, Counts(num_requests=40, num_errors=40))
        assert not rollouts.look(session, rollout, clock.now(), by=goldsmith)
        count(session, rollout, new, Counts(num_requests=20, num_errors=20))
        assert rollouts.look(session, rollout, clock.now(), by=goldsmith)
        assert shares(session, by) == {old: 1.0}
        entry = queries.alias_history(session, "support", domain=by.domain)[0]
    assert rollout.state == "rolled_back"
    assert (entry.action, entry.philosopher) == ("rollback", "Goldsmith")
    assert "more errors: 60 of 60 (100.0 %) against 0 of 400 (0.0 %)" in entry.notes


def test_what_was_counted_before_the_roll_out_says_nothing(
    database: Database, ids: tuple[str, str, str], by: Person
) -> None:
    old, new, _ = ids
    with database.transaction() as session:
        first = rollouts.start(session, "support", new, PLAN, by=by)
        count(session, first, old, good(400))
        count(session, first, new, Counts(num_requests=60, num_errors=60))
        rollouts.look(session, first, clock.now(), by=by)
        again = rollouts.start(session, "support", new, PLAN, by=by)
        assert not rollouts.look(session, again, clock.now(), by=by)
        assert again.state == "running"


def test_a_red_receipt_ends_a_roll_out_at_once(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    with database.transaction() as session:
        rollout = rollouts.start(session, "support", ids[1], PLAN, by=by)
        service.refuse(session, queries.deployment_of(session, ids[1]), "it has learned nothing", by=by)
        assert rollouts.look(session, rollout, clock.now(), by=by)
        assert shares(session, by) == {ids[0]: 1.0}
    assert "its receipt is red. it has learned nothing" in rollout.message


def test_limits_are_those_that_were_chosen(database: Database, ids: tuple[str, str, str], by: Person) -> None:
    old, new, _ = ids
    plan = RolloutPlan(limits=Limits(min_requests=10, max_more_errors=1.0))
    with database.transaction() as session:
        rollout = rollouts.start(session, "support", new, plan, by=by)
        count(session, rollout, old, good(100))
        count(session, rollout, new, Counts(num_requests=60, num_errors=60))
        assert not rollouts.look(session, rollout, clock.now(), by=by)
        assert rollout.state == "running"
