"""What every kind of engine promises to those who ask it: one of ours, one attached by its address, a provider outside.

The fakes play all of them. A kind that `EngineKind` names and nobody knows how to set up here fails.
"""

import asyncio
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.serve.conftest import ModelMaker
from tests.unit.serve.keeping import Keeping

from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.run.engine_reply import RowLetters
from goldsmith.run.errors import EngineGone, EngineKeyNotAccepted
from goldsmith.run.lanes import endpoint_of
from goldsmith.run.sender import Sender
from goldsmith.run.types import CUT_OFF, AnswerRequest, AnswerState, SendLimits, SentAnswer
from goldsmith.serve import outside, queries, recording, service, wanted
from goldsmith.serve.engine import Program, write_key
from goldsmith.serve.tables import Engine
from goldsmith.serve.trial import try_once
from goldsmith.serve.types import EngineKind, Target, key_path
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine
from goldsmith.testing.contracts import RAN_ON

KEY = "the-key-of-this-engine"
SCHEMA = {"type": "object", "properties": {"topic": {"enum": ["billing", "other"]}}}


@dataclass
class Place:
    """An engine of some kind, as a person has set it up."""

    keeping: Keeping
    engine_id: str
    model_id: str
    """What is asked: the base model on it, or the provider itself."""
    theirs: FakeEngine | None = None
    """The server itself, where it is not a process of ours."""

    @property
    def target(self) -> Target:
        with self.keeping.database.reading() as session:
            return queries.target_for(session, self.model_id)

    @property
    def row(self) -> Engine:
        with self.keeping.database.reading() as session:
            return queries.one(session, self.engine_id)

    def until(self, is_so: Callable[[], object]) -> None:
        """Let the keeper work until it is so."""
        self.keeping.until(is_so, within_s=60, tick_within_s=60)

    def ask(self, num: int, *, key: str | None = None, **limits: Any) -> list[SentAnswer]:
        """Ask so many rows, as a run does; what came back, also when it ended early."""
        if key is not None:
            write_key(self.keeping.home, self.engine_id, key)
        answers: list[SentAnswer] = []
        more = limits.pop("request", {})
        endpoint = endpoint_of(self.target, self.keeping.home)
        patience = SendLimits(**{"backoff_s": 0.02, "timeout_s": 30.0, **limits})
        sender = Sender(endpoint, patience, RowLetters(endpoint))
        asyncio.run(sender.send(requests(num, **more), on_answers=answers.extend, should_stop=lambda: False))
        return answers

    def die(self) -> None:
        """End without a word."""
        if self.theirs is not None:
            self.theirs.stop()
        else:
            os.killpg(self.row.pid or 0, signal.SIGKILL)

    def come_back(self) -> None:
        """Be there again: by the keeper where the engine is ours, by whoever runs it where not."""
        if self.theirs is not None:
            self.theirs.start()
        else:
            self.until(lambda: self.row.generation == 2 and self.target.is_ready)


def requests(num: int, **more: Any) -> Iterator[AnswerRequest]:
    for position in range(1, num + 1):
        yield AnswerRequest(f"row_{position}", position, [{"role": "user", "content": f"question {position}"}], **more)


def _ours(keeping: Keeping, base: BaseModel, by: Person, stack: ExitStack) -> Place:
    stack.callback(lambda: keeping.keeper.stop_engines(within_s=2))
    with keeping.database.transaction() as session:
        engine = service.want_engine(session, base.id, by=by)
    write_key(keeping.home, engine.id, KEY)  # as it lies there from an earlier start
    return Place(keeping, engine.id, base.id)


def _attached(keeping: Keeping, base: BaseModel, by: Person, stack: ExitStack) -> Place:
    folder = keeping.home.root / base.folder
    theirs = stack.enter_context(FakeEngine("somebodys-name", key=KEY, base_folder=folder))
    with keeping.database.transaction() as session:
        engine = outside.attach_engine(session, theirs.url, base_model_id=base.id, by=by)
    write_key(keeping.home, engine.id, KEY)
    return Place(keeping, engine.id, base.id, theirs)


def _provider(keeping: Keeping, base: BaseModel, by: Person, stack: ExitStack) -> Place:
    theirs = stack.enter_context(FakeEngine("large-1", key=KEY))
    with keeping.database.transaction() as session:
        engine = outside.add_provider(session, f"{theirs.url}/v1", model="large-1", by=by)
    write_key(keeping.home, engine.id, KEY)
    return Place(keeping, engine.id, engine.id, theirs)


SET_UP: dict[EngineKind, Callable[[Keeping, BaseModel, Person, ExitStack], Place]] = {
    EngineKind.OURS: _ours,
    EngineKind.ATTACHED: _attached,
    EngineKind.PROVIDER: _provider,
}
WITH_ADAPTERS = pytest.mark.parametrize("kind", [EngineKind.OURS, EngineKind.ATTACHED], indirect=True)


@pytest.fixture(params=EngineKind, ids=lambda kind: kind.value)
def kind(request: pytest.FixtureRequest) -> EngineKind:
    return EngineKind(request.param)


@pytest.fixture
def place(
    kind: EngineKind,
    database: Database,
    home: Home,
    fake_program: Program,
    base: BaseModel,
    by: Person,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> Iterator[Place]:
    """An engine of this kind that is ready."""
    record_property(RAN_ON, f"engine {kind.value}")
    for module in (wanted, recording):
        monkeypatch.setattr(module, "backoff", lambda num_crashes: timedelta(seconds=0))
    with ExitStack() as stack:
        made = SET_UP[kind](Keeping(database, home, fake_program), base, by, stack)
        made.until(lambda: made.target.is_ready)
        yield made


def test_its_key_lies_in_a_file_of_its_owner_and_in_no_table(place: Place) -> None:
    path = place.keeping.home.root / key_path(place.engine_id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY not in str({column.name: getattr(place.row, column.name) for column in Engine.__table__.columns})
    assert KEY not in repr(endpoint_of(place.target, place.keeping.home))


def test_every_row_is_answered_once_with_what_was_measured(place: Place) -> None:
    answers = place.ask(30, concurrency=8)
    assert sorted(answer.position for answer in answers) == list(range(1, 31))
    for answer in answers:
        assert (answer.state, answer.finish_reason) == (AnswerState.ANSWERED, "stop")
        assert answer.text
        assert answer.duration_ms is not None
        assert (answer.served_by, answer.num_tries) == (place.engine_id, 1)
        assert min(answer.prompt_tokens or 0, answer.answer_tokens or 0) > 0


def test_an_answer_is_cut_off_where_it_must_be_and_says_so(place: Place) -> None:
    (answer,) = place.ask(1, request={"max_tokens": 1})
    assert (answer.finish_reason, answer.answer_tokens) == (CUT_OFF, 1)


def test_json_that_was_asked_for_is_what_comes(place: Place) -> None:
    (answer,) = place.ask(1, request={"answer_schema": SCHEMA})
    assert answer.text == '{"topic": "billing"}'


def test_a_refused_key_ends_it_at_once_and_the_right_one_goes_on(place: Place) -> None:
    with pytest.raises(EngineKeyNotAccepted):
        place.ask(30, key="wrong")
    assert len(place.ask(3, key=KEY)) == 3


def test_trying_it_once_says_in_a_sentence_how_it_went(place: Place) -> None:
    target = place.target
    good, refused = (try_once(target.url, key, target.model_name) for key in (KEY, "wrong"))
    assert good.is_ok
    assert not refused.is_ok
    assert "refuses the key" in refused.sentence


def test_an_engine_that_dies_and_comes_back_loses_no_row(place: Place) -> None:
    assert len(place.ask(3)) == 3
    place.die()
    again = threading.Timer(0.3, place.come_back)
    again.start()
    answers = place.ask(40, engine_wait_s=60.0)
    again.join()
    assert sorted(answer.position for answer in answers) == list(range(1, 41))
    assert {answer.state for answer in answers} == {AnswerState.ANSWERED}


def test_an_engine_that_stays_away_ends_it(place: Place) -> None:
    place.die()
    with pytest.raises(EngineGone, match="cannot be reached"):
        place.ask(3, engine_wait_s=0.2)


def test_removed_it_is_asked_no_more_and_only_ours_ends(place: Place, kind: EngineKind, by: Person) -> None:
    url, name = place.target.url, place.target.model_name
    with place.keeping.database.transaction() as session:
        outside.remove_engine(session, place.engine_id, by=by)
    place.until(lambda: not place.target.is_ready)
    if kind is EngineKind.OURS:
        place.until(lambda: not try_once(url, KEY, name, within_s=1).is_ok)
    else:
        assert place.keeping.keeper.stop_engines(within_s=2) == 0
        assert try_once(url, KEY, name).is_ok


@WITH_ADAPTERS
def test_a_deployed_model_is_loaded_and_proved(place: Place, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    deploy(place, model.id, by)
    assert place.keeping.deployment(model.id).load_s is not None
    assert place.keeping.prove(model.id)["outcome"] == "proved"
    place.model_id = model.id
    assert place.target.model_name == model.id
    assert len(place.ask(3)) == 3


@WITH_ADAPTERS
def test_after_its_death_it_has_every_adapter_again(place: Place, make_model: ModelMaker, by: Person) -> None:
    names = [make_model(name).id for name in ("first", "second")]
    for name in names:
        deploy(place, name, by)
    proofs = [place.keeping.deployment(name).prove_job_id for name in names]
    place.die()
    if place.theirs is not None:
        place.theirs.adapters.clear()
    place.come_back()
    place.until(lambda: place.keeping.listed() >= set(names) and all(map(place.keeping.is_loaded, names)))
    if place.theirs is None:
        assert not {place.keeping.deployment(name).prove_job_id for name in names} & set(proofs)
    place.model_id = names[1]
    assert len(place.ask(3)) == 3


def deploy(place: Place, model_id: str, by: Person) -> None:
    with place.keeping.database.transaction() as session:
        service.deploy(session, model_id, by=by)
    place.until(lambda: place.keeping.is_loaded(model_id))
