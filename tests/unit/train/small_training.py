"""A training with one exam row and what was answered to it, made without running anything."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session
from tests.factories import make_base_model

from goldsmith import app
from goldsmith.environments import machine
from goldsmith.jobs import queue
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.serve import engine as engines
from goldsmith.serve import outside
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.storage.files import Home
from goldsmith.testing import write_small_model
from goldsmith.train import service
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.tables import TrainingJob
from goldsmith.train.workshop import Workshop
from goldsmith.wire.events import Event, EventKind

ADA = Person("per_1", "Ada")
Said = Sequence[tuple[int, list[dict[str, Any]]]]
SAID: Said = (
    (0, [{"row_id": "row_1", "text": "I do not", "is_cut": True}]),
    (4, [{"row_id": "row_1", "text": " on its way", "is_cut": False}]),
    (8, [{"row_id": "row_1", "text": "on the way", "is_cut": False}]),
)


def add_set(session: Session, *, by: Person = ADA) -> TrainingSet:
    """One row to learn and one exam row."""
    who = {"domain": by.domain, "created_by": by.id}
    made = TrainingSet(
        id="set_1", name="stars", format="chatml", folder="training-sets/set_1", num_learn=12, num_exam=1,
        num_dropped=0, manifest={}, content_hash="0", **who,
    )  # fmt: skip
    messages = [{"role": "user", "content": "where is it"}, {"role": "assistant", "content": "on its way"}]
    rows = [
        TrainingSetRow(
            training_set_id="set_1",
            side=side,
            position=1,
            row_id=row_id,
            answer_id="",
            mark_id=0,
            stratum="",
            messages=messages,
            expected="on its way",
        )
        for side, row_id in (("learn", "row_0"), ("exam", "row_1"))
    ]
    session.add(made)
    session.flush()
    session.add_all(rows)
    session.flush()
    return made


def add_training_at_provider(session: Session, home: Home, url: str, *, by: Person = ADA) -> TrainingJob:
    """A queued training of the same rows at the provider of this address."""
    add_set(session, by=by)
    engine = outside.add_provider(session, url, model="small-1", by=by, name="the provider")
    engines.write_key(home, engine.id, "sk-test")
    workshop = Workshop(home, app.make_backends(), machine.look())
    return service.start(session, TrainRequest(engine.id, "openai"), workshop=workshop, by=by)


def add_training(session: Session, home: Home, *, said: Said, by: Person = ADA) -> TrainingJob:
    """A queued training of one row to learn and one exam row, with these answers by step."""
    write_small_model(home.root / make_base_model(session, by=by).folder)
    add_set(session, by=by)
    workshop = Workshop(home, app.make_backends(), machine.look())
    training = service.start(session, TrainRequest("tiny", "fake"), workshop=workshop, by=by)
    for number, (step, answers) in enumerate(said, start=1):
        event = Event(number, 1e9, EventKind.SAMPLED, {"step": step, "answers": answers})
        queue.record(session, session.get_one(Job, training.id), event, source="train")
    return training
