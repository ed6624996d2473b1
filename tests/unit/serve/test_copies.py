"""Copies of an engine: as many as asked for, with the same models, each load proved for itself."""

import os
import signal

import pytest

from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import copies, queries, service
from goldsmith.serve.tables import Deployment
from goldsmith.storage.database import Database

from .conftest import ModelMaker
from .keeping import Keeping, deploy, make_scarce, want

pytestmark = pytest.mark.usefixtures("without_waiting")


def ask_for(keeping: Keeping, num_copies: int, by: Person) -> None:
    with keeping.database.transaction() as session:
        service.set_copies(session, keeping.engines()[0].id, num_copies, by=by)


def on_copies(keeping: Keeping, model_id: str) -> list[Deployment]:
    """The model's deployments on copies, those first that are loaded."""
    with keeping.database.reading() as session:
        ids = {engine.id for engine in queries.of_ours(session) if engine.copy_of is not None}
        return [
            found for found in queries.deployments(session) if found.engine_id in ids and found.model_id == model_id
        ]


def is_on_all(keeping: Keeping, model_id: str, num: int) -> bool:
    with keeping.database.reading() as session:
        found = [item for item in queries.active(session, domain="local") if item.deployment.model_id == model_id]
    return len([item for item in found if item.is_live]) == num


def want_two(keeping: Keeping, base: BaseModel, by: Person) -> None:
    """An engine and a copy of it, both ready."""
    want(keeping, base, by)
    ask_for(keeping, 2, by)
    keeping.until(lambda: is_on_all(keeping, base.id, 2))


def deploy_on_two(keeping: Keeping, model: FineTunedModel, by: Person) -> None:
    """A model loaded on an engine and on its copy."""
    deploy(keeping, model, by)
    ask_for(keeping, 2, by)
    keeping.until(lambda: is_on_all(keeping, model.id, 2))


def test_a_copy_starts_with_the_same_models_and_each_load_is_proved(
    keeping: Keeping, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    deploy(keeping, model, by)
    keeping.until(lambda: keeping.is_loaded(model.id))
    ask_for(keeping, 2, by)
    keeping.until(lambda: is_on_all(keeping, model.id, 2) and is_on_all(keeping, "bm_1", 2))
    assert [engine.name for engine in keeping.engines()] == ["vLLM with tiny", "vLLM with tiny, copy 2"]
    assert len({engine.port for engine in keeping.engines()}) == 2
    jobs = {keeping.deployment(model.id).prove_job_id, *(found.prove_job_id for found in on_copies(keeping, model.id))}
    assert len(jobs) == 2
    assert keeping.deployment(model.id).engine_id == keeping.engines()[0].id


def test_requests_go_to_both_once_both_are_proved(keeping: Keeping, base: BaseModel, by: Person) -> None:
    want_two(keeping, base, by)
    with keeping.database.reading() as session:
        (share,) = queries.route_table(session, "local").routes["bm_1"].shares
        assert {share.target.url, *(other.url for other in share.others)} == {e.url for e in keeping.engines()}
        assert [target.engine_id for target in queries.targets_for(session, "bm_1")] == [
            e.id for e in keeping.engines()
        ]


def test_a_copy_that_is_killed_comes_back_by_itself(keeping: Keeping, base: BaseModel, by: Person) -> None:
    want_two(keeping, base, by)
    pid = keeping.engines()[1].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    keeping.until(lambda: keeping.engines()[1].generation == 2 and is_on_all(keeping, "bm_1", 2))
    assert keeping.engines()[0].generation == 1


def test_fewer_copies_stop_the_last_ones_and_more_bring_them_back(
    keeping: Keeping, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    deploy_on_two(keeping, model, by)
    ask_for(keeping, 1, by)
    keeping.until(lambda: keeping.states() == ["ready", "stopped"])
    ask_for(keeping, 2, by)
    keeping.until(lambda: is_on_all(keeping, model.id, 2))
    assert len(keeping.engines()) == 2


def test_a_model_taken_away_leaves_the_copies_too_and_the_engine_takes_them_along(
    keeping: Keeping, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    deploy_on_two(keeping, model, by)
    with keeping.database.transaction() as session:
        service.undeploy(session, model.id, by=by)
    keeping.until(lambda: is_on_all(keeping, model.id, 0) and on_copies(keeping, model.id)[0].state == "unloaded")
    with keeping.database.transaction() as session:
        service.stop_engine(session, keeping.engines()[0].id, by=by)
    keeping.until(lambda: keeping.states() == ["stopped", "stopped"])


def test_a_copy_waits_for_room_and_pushes_nobody_out(keeping: Keeping, base: BaseModel, by: Person) -> None:
    make_scarce(keeping, num_engines=1)
    want(keeping, base, by)
    ask_for(keeping, 2, by)
    keeping.until(lambda: len(keeping.engines()) == 2 and "waits for room" in keeping.engines()[1].message)
    assert keeping.states() == ["ready", "stopped"]


def test_a_copy_that_was_refused_is_not_loaded_again_and_the_model_stays_deployed(
    keeping: Keeping, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    deploy_on_two(keeping, model, by)
    (there,) = on_copies(keeping, model.id)
    with keeping.database.transaction() as session:
        service.refuse(session, queries.deployment(session, there.id), "it answers otherwise", by=by)
    keeping.until(lambda: on_copies(keeping, model.id)[0].state == "unloaded")
    with keeping.database.reading() as session:
        assert copies.differences(queries.of_ours(session), queries.deployments(session)) == []
    assert keeping.deployment(model.id).is_wanted


def test_nothing_differs_without_copies(database: Database, base: BaseModel, by: Person) -> None:
    with database.transaction() as session:
        service.want_engine(session, base.id, by=by)
        assert copies.differences(queries.of_ours(session), queries.deployments(session)) == []
