"""Shadows: who may answer along, what pairs say, and that they are forgotten in time."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.serve.conftest import ModelMaker, make_live

from goldsmith.people.types import Person
from goldsmith.serve import aliases
from goldsmith.serve import service as serve
from goldsmith.serve.kept.types import ALL_HIDDEN, Exchange
from goldsmith.serve.shadow import queries, service
from goldsmith.serve.shadow.errors import NoPairs, ShadowNotFound, ShadowNotUsable
from goldsmith.serve.shadow.jobs import PairKeeper, PairSink
from goldsmith.serve.shadow.types import Measures, Pair, Shadow
from goldsmith.serve.types import Part
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

ALIAS = "support"
OTHER = Person("per_other", "Eve", "elsewhere")
NOTHING: Mapping[tuple[str, str], int] = {}


@pytest.fixture
def models(database: Database, make_model: ModelMaker, by: Person) -> tuple[str, str]:
    """The alias's model, and another one."""
    old, new = make_model("old"), make_model("new")
    with database.transaction() as session:
        for model in (old, new):
            serve.deploy(session, model.id, by=by)
            make_live(session, model.id)
        aliases.make(session, ALIAS, Part(old.id, 1.0), by=by)
    return old.id, new.id


def chat(text: str) -> bytes:
    return json.dumps({"choices": [{"index": 0, "message": {"content": text}}]}).encode()


def pair(model_id: str, question: str = "Where?", sent: str = "Here.", said: str = "Here.", took: float = 3.0) -> Pair:
    asked = json.dumps({"messages": [{"role": "user", "content": question}]}).encode()
    own = ("local", "per_1", "", ALIAS, "ftm_old", "/v1/chat/completions", asked, chat(sent))
    exchange = Exchange(*own, is_stream=False, duration_ms=10.0, at_s=time.time(), hides=ALL_HIDDEN)
    if not said:
        return Pair(exchange, model_id, is_json_wanted=False, error="It was away.")
    return Pair(exchange, model_id, is_json_wanted=False, answer=chat(said), duration_ms=took)


def begin(database: Database, model_id: str, by: Person) -> None:
    with database.transaction() as session:
        service.answer_along(session, ALIAS, Shadow(model_id, 0.5), by=by)


def measured(database: Database, domain: str = "local") -> Measures:
    with database.reading() as session:
        return queries.measures(session, queries.one(session, ALIAS, domain=domain))


def test_a_deployed_model_answers_along_until_it_is_stopped(
    database: Database, models: tuple[str, str], by: Person
) -> None:
    begin(database, models[1], by)
    with database.transaction() as session:
        assert queries.shadows(session, domain="local") == {ALIAS: Shadow(models[1], 0.5)}
        assert queries.shadows(session, domain="elsewhere") == {}
        service.stop(session, ALIAS, by=by)
        assert queries.shadows(session, domain="local") == {}
        with pytest.raises(ShadowNotFound):
            service.stop(session, ALIAS, by=OTHER)


def test_it_stops_with_its_alias_and_stays_stopped_when_the_name_comes_back(
    database: Database, models: tuple[str, str], by: Person
) -> None:
    begin(database, models[1], by)
    with database.transaction() as session:
        service.remove_alias(session, ALIAS, by=by)
        aliases.make(session, ALIAS, Part(models[0], 1.0), by=by)
        assert queries.shadows(session, domain="local") == {}
        service.remove_alias(session, ALIAS, by=by)  # no model answered along


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1.1}, {"max_at_once": 0}, {"within_s": 0}, {"days": 0}])
def test_what_cannot_be_is_refused(
    database: Database, models: tuple[str, str], by: Person, wrong: dict[str, float]
) -> None:
    with database.transaction() as session, pytest.raises(ShadowNotUsable):
        service.answer_along(session, ALIAS, replace(Shadow(models[1]), **wrong), by=by)  # type: ignore[arg-type]


def test_the_alias_s_own_model_and_one_that_is_not_deployed_are_refused(
    database: Database, models: tuple[str, str], by: Person
) -> None:
    with database.transaction() as session, pytest.raises(ShadowNotUsable, match="itself"):
        service.answer_along(session, ALIAS, Shadow(models[0]), by=by)
    with database.transaction() as session:
        serve.undeploy(session, models[1], by=by)
    with database.transaction() as session, pytest.raises(ShadowNotUsable, match="not deployed"):
        service.answer_along(session, ALIAS, Shadow(models[1]), by=by)


def test_pairs_are_measured_over_what_both_answered(database: Database, models: tuple[str, str], by: Person) -> None:
    begin(database, models[1], by)
    assert (measured(database).num_pairs, measured(database).shadow.median_ms) == (0, None)
    found = [pair(models[1], took=took) for took in (1.0, 900.0)]
    found += [pair(models[1], said="There.", took=5.0), pair(models[1], said="")]
    PairSink(database)(tuple(found), {("local", ALIAS): 3})
    now = measured(database)
    assert (now.num_pairs, now.num_same, now.num_different, now.shadow.num_errors) == (4, 2, 1, 1)
    assert (now.sent.median_ms, now.shadow.median_ms) == (10.0, 5.0)
    with database.reading() as session:
        assert queries.one(session, ALIAS, domain="local").num_dropped == 3


def test_what_names_a_person_is_taken_out_of_both_answers(
    database: Database, models: tuple[str, str], by: Person
) -> None:
    begin(database, models[1], by)
    told = "Ask ada@example.com."
    PairSink(database)((pair(models[1], told, told, told),), NOTHING)
    with database.reading() as session:
        row = queries.page(session, ALIAS, domain="local")[0]
        assert (row.question, row.sent_answer, row.shadow_answer) == ("Ask [e-mail].",) * 3


def test_pairs_come_in_pages_newest_first(database: Database, models: tuple[str, str], by: Person) -> None:
    begin(database, models[1], by)
    for number in range(3):
        PairSink(database)((pair(models[1], f"Number {number}?"),), NOTHING)
    with database.reading() as session:
        first = queries.page(session, ALIAS, domain="local", limit=2)
        rest = queries.page(session, ALIAS, domain="local", before=first[-1].id, limit=2)
    assert [row.question for row in (*first, *rest)] == ["Number 2?", "Number 1?", "Number 0?"]


def test_they_become_a_dataset_with_each_question_once(
    database: Database, home: Home, models: tuple[str, str], by: Person
) -> None:
    begin(database, models[1], by)
    with database.transaction() as session, pytest.raises(NoPairs):
        service.make_dataset(session, home, ALIAS, by=by)
    PairSink(database)((pair(models[1]), pair(models[1]), pair(models[1], "Who?")), NOTHING)
    with database.transaction() as session:
        assert service.make_dataset(session, home, ALIAS, by=by).dataset_id.startswith("ds_")
        with pytest.raises(NoPairs):
            service.make_dataset(session, home, ALIAS, by=OTHER)


def test_they_are_deleted_when_their_days_are_over_or_at_once(
    database: Database, models: tuple[str, str], by: Person
) -> None:
    begin(database, models[1], by)
    PairSink(database)((pair(models[1]),), NOTHING)
    keeper, now = PairKeeper(database), clock.now()
    keeper.tick(now)
    assert measured(database).num_pairs == 1
    keeper.tick(now + timedelta(days=15))
    assert measured(database).num_pairs == 0
    PairSink(database)((pair(models[1]),), NOTHING)
    with database.transaction() as session:
        assert service.forget_all(session, ALIAS, by=OTHER) == 0
        assert service.forget_all(session, ALIAS, by=by) == 1
