"""Several engines asked at once: all of them work, and one that is lost loses nothing."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from goldsmith.data.tables import DatasetVersion
from goldsmith.people.types import Person
from goldsmith.run import lanes, queries, service
from goldsmith.run.engine_reply import RowLetters
from goldsmith.run.errors import EngineGone, EngineKeyNotAccepted
from goldsmith.run.jobs import RunKind
from goldsmith.run.tables import PromptVersion, Run
from goldsmith.run.types import AnswerRequest, RunOptions, RunRequest, SendLimits, SentAnswer
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import Target
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine

LIMITS = SendLimits(concurrency=4, backoff_s=0.01, engine_wait_s=0.6)


def target(engine: FakeEngine, engine_id: str) -> Target:
    return Target(engine.url, Path("secrets/none"), "bm_1", engine_id, is_ready=True)


def requests(num: int) -> Iterator[AnswerRequest]:
    for number in range(num):
        yield AnswerRequest(f"row_{number}", number, [{"role": "user", "content": f"m{number}"}])


def ask(
    home: Home, engines: Sequence[FakeEngine], num: int, *, on_answers: Callable[[list[SentAnswer]], None] | None = None
) -> list[SentAnswer]:
    answers: list[SentAnswer] = []

    def keep(some: list[SentAnswer]) -> None:
        answers.extend(some)
        if on_answers is not None:
            on_answers(some)

    lanes.ask(
        [target(engine, f"eng_{number}") for number, engine in enumerate(engines)],
        lanes.Source(requests(num), write=lambda request, _: request, letters=RowLetters),
        home=home,
        limits=LIMITS,
        on_answers=keep,
        should_stop=lambda: False,
    )
    return answers


def test_every_request_is_asked_once_and_both_engines_work(home: Home, engines: list[FakeEngine]) -> None:
    answers = ask(home, engines, 200)
    assert sorted(answer.row_id for answer in answers) == sorted(f"row_{number}" for number in range(200))
    assert [len(engine.requests) > 40 for engine in engines] == [True, True]
    assert sum(len(engine.requests) for engine in engines) == 200


def test_the_quicker_engine_is_asked_more(home: Home, engines: list[FakeEngine]) -> None:
    engines[1].delay_s = 0.1
    ask(home, engines, 200)
    assert len(engines[0].requests) > 2 * len(engines[1].requests)


def test_answers_are_handed_over_one_call_at_a_time(home: Home, engines: list[FakeEngine]) -> None:
    inside = threading.Lock()

    def slowly(_: list[SentAnswer]) -> None:
        assert inside.acquire(blocking=False)
        time.sleep(0.02)
        inside.release()

    assert len(ask(home, engines, 60, on_answers=slowly)) == 60


def test_what_a_lost_engine_held_stays_open_and_the_other_goes_on(home: Home, engines: list[FakeEngine]) -> None:
    engines[1].faults.die_after = 5
    answers: list[SentAnswer] = []
    with pytest.raises(EngineGone):
        ask(home, engines, 200, on_answers=answers.extend)
    assert len({answer.row_id for answer in answers}) == len(answers)
    assert 180 <= len(answers) < 200


def test_a_key_that_is_refused_counts_more_than_an_engine_that_is_lost(home: Home, engines: list[FakeEngine]) -> None:
    engines[0].faults.die_after = 5
    with FakeEngine("bm_1", key="secret") as locked, pytest.raises(EngineKeyNotAccepted):
        ask(home, [engines[0], locked], 50)


def test_a_run_goes_on_with_the_other_engine_and_no_row_is_lost_or_twice(
    database: Database,
    ana: Person,
    make_version: Callable[..., DatasetVersion],
    prompt: PromptVersion,
    both: list[FakeEngine],
    context_for: Callable[..., Any],
) -> None:
    version = make_version([{"message": f"message {number}"} for number in range(120)])
    request = RunRequest(version.id, prompt.id, "tiny", options=RunOptions(concurrency=4))
    with database.transaction() as session:
        run = service.start(session, request, by=ana)
    both[1].faults.die_after = 7

    def report_and_notice(*_: Any) -> None:
        if both[1].num_answers >= 7:
            with database.transaction() as session:
                session.get_one(Engine, "eng_1").state = "starting"  # as the keeper would

    context = context_for(run.job_id)
    object.__setattr__(context, "report", report_and_notice)
    result = RunKind(limits=LIMITS).work("answer", context)
    assert (result["num_answered"], result["num_failed"]) == (120, 0)
    with database.reading() as session:
        rows = [found.answer.row_id for found in queries.answers(session, session.get_one(Run, run.id).id, limit=500)]
    assert len(rows) == len(set(rows)) == 120
    assert len(both[1].requests) >= 7
