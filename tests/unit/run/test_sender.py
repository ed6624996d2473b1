import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from goldsmith.run.engine_reply import RowLetters
from goldsmith.run.errors import EngineGone, ModelNotAtProvider
from goldsmith.run.sender import Sender
from goldsmith.run.types import AnswerRequest, AnswerState, Endpoint, SendLimits, SentAnswer
from goldsmith.testing import FakeEngine


def make_requests(num: int, **more: Any) -> Iterator[AnswerRequest]:
    for position in range(1, num + 1):
        messages = [{"role": "user", "content": f"question {position}"}]
        yield AnswerRequest(f"row_{position}", position, messages, **more)


def rows_to(endpoint: Endpoint, limits: SendLimits) -> Sender[AnswerRequest, SentAnswer]:
    return Sender(endpoint, limits, RowLetters(endpoint))


def send(
    engine: FakeEngine,
    requests: Iterator[AnswerRequest],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    key: str | None = None,
    on_answers: Callable[[list[SentAnswer]], None] = lambda _: None,
    **limits: Any,
) -> list[SentAnswer]:
    answers: list[SentAnswer] = []

    def keep(batch: list[SentAnswer]) -> None:
        answers.extend(batch)
        on_answers(batch)

    endpoint = Endpoint(engine.url, engine.base_model, "eng_1", key=key)
    sender = rows_to(endpoint, SendLimits(**{"backoff_s": 0.01, "timeout_s": 5.0, **limits}))
    asyncio.run(sender.send(requests, on_answers=keep, should_stop=should_stop))
    return answers


def test_every_row_is_answered_once_with_what_was_measured() -> None:
    with FakeEngine(answer=lambda model, messages, body: "yes, " + messages[-1]["content"]) as engine:
        answers = send(engine, make_requests(50))
    assert sorted(answer.position for answer in answers) == list(range(1, 51))
    one = next(answer for answer in answers if answer.position == 7)
    assert (one.text, one.state, one.finish_reason) == ("yes, question 7", AnswerState.ANSWERED, "stop")
    assert one.prompt_tokens == len("question 7")
    assert one.answer_tokens == 3
    assert one.duration_ms is not None
    assert (one.served_by, one.num_tries) == ("eng_1", 1)


def test_never_more_requests_at_once_than_allowed_and_as_many() -> None:
    with FakeEngine(delay_s=0.02) as engine:
        send(engine, make_requests(40), concurrency=8)
        assert engine.most_running == 8


def test_requests_are_pulled_as_they_are_sent() -> None:
    num_pulled = num_written = most_ahead = 0

    def requests() -> Iterator[AnswerRequest]:
        nonlocal num_pulled, most_ahead
        for request in make_requests(1500):
            num_pulled += 1
            most_ahead = max(most_ahead, num_pulled - num_written)
            yield request

    def count(batch: list[SentAnswer]) -> None:
        nonlocal num_written
        num_written += len(batch)

    with FakeEngine() as engine:
        send(engine, requests(), concurrency=4, on_answers=count)
    assert num_written == 1500
    assert most_ahead <= 600


def test_the_body_is_what_the_engine_wants() -> None:
    schema = {"type": "object", "properties": {"topic": {"enum": ["a"]}}}
    with FakeEngine() as engine:
        answers = send(engine, make_requests(1, max_tokens=9, temperature=0.5, seed=None, answer_schema=schema))
        body = engine.requests[0]
    assert body["messages"] == [{"role": "user", "content": "question 1"}]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("base", 9, 0.5)
    assert "seed" not in body
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert answers[0].text == '{"topic": "a"}'


def test_a_row_that_fails_again_and_again_is_failed_with_the_engines_words() -> None:
    with FakeEngine() as engine:
        engine.faults.answer_500 = True
        answers = send(engine, make_requests(2), num_tries=3, concurrency=1)
    assert [answer.state for answer in answers] == [AnswerState.FAILED] * 2
    assert answers[0].num_tries == 3
    assert "500" in (answers[0].error or "")
    assert "EngineCore" in (answers[0].error or "")


def test_a_row_with_a_problem_is_not_sent_and_comes_back_failed() -> None:
    with FakeEngine() as engine:
        answers = send(engine, make_requests(1, problem="The row is empty."))
        assert engine.requests == []
    assert (answers[0].error, answers[0].num_tries) == ("The row is empty.", 0)


def test_an_engine_that_stays_away_ends_it_with_what_was_answered_kept() -> None:
    with FakeEngine() as engine:
        engine.faults.die_after = 5
        kept: list[SentAnswer] = []
        with pytest.raises(EngineGone, match="cannot be reached"):
            send(engine, make_requests(30), concurrency=1, engine_wait_s=0.2, on_answers=kept.extend)
    assert [answer.position for answer in kept] == [1, 2, 3, 4, 5]


def test_an_engine_that_only_ever_fails_is_ill_and_the_rows_are_not() -> None:
    with FakeEngine() as engine:
        engine.faults.answer_500 = True
        kept: list[SentAnswer] = []
        with pytest.raises(EngineGone, match="EngineCore"):
            send(engine, make_requests(100), engine_wait_s=0.1, on_answers=kept.extend)
    assert len(kept) < 10


def test_a_model_that_is_not_back_yet_is_waited_for() -> None:
    with FakeEngine("base") as engine:
        engine.base_model = "later"
        timer = threading.Timer(0.3, lambda: setattr(engine, "base_model", "base"))
        timer.start()
        endpoint = Endpoint(engine.url, "base", "eng_1")
        answers: list[SentAnswer] = []
        sender = rows_to(endpoint, SendLimits(backoff_s=0.02))
        asyncio.run(sender.send(make_requests(3), on_answers=answers.extend, should_stop=lambda: False))
        timer.join()
    assert {answer.state for answer in answers} == {AnswerState.ANSWERED}


def test_a_model_that_a_provider_does_not_have_is_not_waited_for() -> None:
    with FakeEngine("theirs") as engine:
        sender = rows_to(Endpoint(engine.url, "mistyped", "eng_1", is_ours=False), SendLimits())
        kept: list[SentAnswer] = []
        asking = sender.send(make_requests(30), on_answers=kept.extend, should_stop=lambda: False)
        with pytest.raises(ModelNotAtProvider, match="has no mistyped"):
            asyncio.run(asking)
    assert kept == []


def test_a_hanging_engine_costs_a_row_its_tries_and_no_more() -> None:
    with FakeEngine() as engine:
        engine.faults.hang = True
        answers = send(engine, make_requests(2), timeout_s=0.1, num_tries=2)
        engine.faults.hang = False
    assert [answer.error for answer in answers] == ["No answer came within 0.1 s."] * 2
    assert answers[0].num_tries == 2


def test_asked_to_stop_it_writes_what_came_and_pulls_no_more() -> None:
    is_asked = threading.Event()
    with FakeEngine(delay_s=0.05) as engine:
        began = time.monotonic()
        answers = send(
            engine,
            make_requests(100_000),
            concurrency=4,
            should_stop=is_asked.is_set,
            on_answers=lambda _: is_asked.set(),
        )
    assert time.monotonic() - began < 3
    assert 1 <= len(answers) < 100


def test_what_the_writer_raises_ends_it_as_it_is() -> None:
    class LostError(Exception):
        pass

    def lose(_: list[SentAnswer]) -> None:
        raise LostError

    with FakeEngine() as engine, pytest.raises(LostError):
        send(engine, make_requests(1000), on_answers=lose)


def test_answers_come_in_batches() -> None:
    sizes: list[int] = []
    with FakeEngine() as engine:
        endpoint = Endpoint(engine.url, "base", "eng_1")
        keep = lambda batch: sizes.append(len(batch))  # noqa: E731
        asyncio.run(
            rows_to(endpoint, SendLimits()).send(make_requests(200), on_answers=keep, should_stop=lambda: False)
        )
    assert sum(sizes) == 200
    assert len(sizes) < 40
