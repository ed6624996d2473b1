"""Several trainings at once: every combination once, all or none, and one that fails stops none of the others."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from tests.factories import make_base_model
from tests.unit.train.small_training import ADA, add_set, add_training_at_provider

from goldsmith import app
from goldsmith.environments import machine
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import write_small_model
from goldsmith.train import groups, queries
from goldsmith.train.dial import Dial
from goldsmith.train.errors import GroupNotFound, NothingVaried, OptionsInvalid, TrainingNotPossible
from goldsmith.train.groups import MOST
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.tables import TrainingGroup, TrainingJob
from goldsmith.train.workshop import Workshop

REQUEST = TrainRequest("tiny", "fake", name="mail")
VALUES = st.dictionaries(
    st.sampled_from(["learning_rate", "lora_rank", "num_epochs", "seed"]),
    st.lists(st.integers(1, 50), min_size=1, max_size=4),
    min_size=1,
)


@pytest.fixture
def workshop(home: Home) -> Workshop:
    return Workshop(home, app.make_backends(), machine.look())


def ready(session: Session, home: Home) -> None:
    write_small_model(home.root / make_base_model(session, by=ADA).folder)
    add_set(session)


def start(session: Session, workshop: Workshop, values: Mapping[str, Sequence[Any]]) -> TrainingGroup:
    return groups.start(session, REQUEST, values, workshop=workshop, by=ADA)


@given(VALUES)
def test_every_combination_comes_once(values: dict[str, list[int]]) -> None:
    number = prod(len(set(some)) for some in values.values())
    if not 2 <= number <= MOST:
        with pytest.raises(NothingVaried):
            groups.variants(REQUEST, values)
        return
    found = groups.variants(REQUEST, values)
    assert len({tuple(one.differs.items()) for one in found}) == len(found) == number
    assert all(one.request.options == one.differs for one in found)


@pytest.mark.parametrize("values", [{}, {"seed": []}, {"seed": [1]}, {"seed": [1, 1]}, {"seed": list(range(MOST + 1))}])
def test_what_is_no_several_trainings_is_refused(values: dict[str, list[int]]) -> None:
    with pytest.raises(NothingVaried):
        groups.variants(REQUEST, values)


def test_the_dial_and_the_share_are_no_options_of_the_backend() -> None:
    quick, thorough = groups.variants(REQUEST, {"dial": ["quick", "thorough"]})
    assert (quick.request.dial, thorough.request.dial, quick.request.options) == (Dial.quick, Dial.thorough, {})
    half, _ = groups.variants(REQUEST, {"share": [0.5, 1.0]})
    assert (half.request.share, half.request.options) == (0.5, {})


def test_a_level_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(OptionsInvalid, match="quick, balanced, thorough"):
        groups.variants(REQUEST, {"dial": ["quick", "loud"]})
    with pytest.raises(OptionsInvalid, match="share"):
        groups.variants(REQUEST, {"share": ["much", 1.0]})


def test_they_are_queued_together_and_say_what_they_differ_in(
    database: Database, home: Home, workshop: Workshop
) -> None:
    with database.transaction() as session:
        ready(session, home)
        group = start(session, workshop, {"learning_rate": ["0.0002", "0.0005"], "lora_rank": [8, 16]})
        found = queries.of_group(session, group.id)
        assert [row.differs for row in found][:2] == [
            {"learning_rate": "0.0002", "lora_rank": 8},
            {"learning_rate": "0.0002", "lora_rank": 16},
        ]
        assert [(row.config["learning_rate"], row.config["lora_rank"]) for row in found] == [
            (0.0002, 8),
            (0.0002, 16),
            (0.0005, 8),
            (0.0005, 16),
        ]
        assert found[0].name == "mail (learning_rate 0.0002, lora_rank 8)"
        assert [job.id for job in jobs.line(session)] == [row.id for row in found]
        assert queries.groups(session, domain=ADA.domain) == [group]
        with pytest.raises(GroupNotFound):
            queries.group(session, group.id, domain="another")


def test_none_is_started_where_one_of_them_cannot_be(database: Database, home: Home, workshop: Workshop) -> None:
    with database.transaction() as session:
        ready(session, home)
    with pytest.raises(OptionsInvalid), database.transaction() as session:
        start(session, workshop, {"num_epochs": [1, 0]})
    with database.reading() as session:
        assert session.query(TrainingJob).count() == 0


def test_one_that_fails_stops_none_of_the_others_and_the_rest_is_cancelled_at_once(
    database: Database, home: Home, workshop: Workshop
) -> None:
    with database.transaction() as session:
        ready(session, home)
        group = start(session, workshop, {"num_epochs": [1, 2, 3]})
        first = queue.claim(session, machine="here", slot="cpu")
        assert first is not None
        queue.move(session, first, JobState.RUNNING, "test")
        queue.fail(session, first, JobFailure("died", "It was killed.", "wait"))
        second = queue.claim(session, machine="here", slot="cpu")
        assert second is not None
        queue.move(session, second, JobState.RUNNING, "test")
        assert groups.cancel_rest(session, group) == 2
        rows = queries.of_group(session, group.id)
        assert [jobs.one(session, row.id).state for row in rows] == ["failed", "running", "cancelled"]
        assert second.stop_requested == "cancel"


def test_what_they_take_is_added_up_only_where_it_is_known_of_every_one(
    database: Database, home: Home, workshop: Workshop
) -> None:
    with database.transaction() as session:
        ready(session, home)
        planned = groups.plan(session, REQUEST, {"num_epochs": [1, 2]}, workshop=workshop, by=ADA)
    assert (planned.num_known, planned.seconds) == (0, None)


def test_a_provider_is_not_asked_for_several_at_once(database: Database, home: Home, workshop: Workshop) -> None:
    with database.transaction() as session:
        training = add_training_at_provider(session, home, "https://api.example.com")
        request = TrainRequest(jobs.one(session, training.id).params["provider"], "openai")
        with pytest.raises(TrainingNotPossible, match="for this machine"):
            groups.plan(session, request, {"num_epochs": [1, 2]}, workshop=workshop, by=ADA)
