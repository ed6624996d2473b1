import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from goldsmith.errors import GoldsmithError
from goldsmith.serve.engine_client import EngineClient, Score, call, make_salt
from goldsmith.serve.errors import (
    EngineFailed,
    EngineKeyRefused,
    EngineNotAnswering,
    EngineRefused,
    LoadNotProved,
    ModelNotLoaded,
    RankNotServable,
)
from goldsmith.storage.files import is_safe_name
from goldsmith.testing import FakeEngine

Ask = Callable[[EngineClient], Coroutine[Any, Any, Any]]


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 8}))
    return tmp_path


def refusal(engine: FakeEngine, ask: Ask, key: str | None = None) -> type[GoldsmithError]:
    with pytest.raises(GoldsmithError) as refused:
        call(engine.url, key, ask, timeout_s=1)
    return type(refused.value)


def test_every_trouble_becomes_one_of_our_errors(adapter: Path, tmp_path: Path) -> None:
    with FakeEngine("base", key="right") as engine:
        assert refusal(engine, lambda c: c.models(), key="wrong") is EngineKeyRefused
        assert refusal(engine, lambda c: c.health("nobody"), key="right") is ModelNotLoaded
        assert refusal(engine, lambda c: c.load_adapter("a", tmp_path / "not there"), key="right") is ModelNotLoaded
        (adapter / "adapter_config.json").write_text(json.dumps({"r": 64}))
        assert refusal(engine, lambda c: c.load_adapter("a", adapter), key="right") is RankNotServable
        wrong_salt = {"messages": [{"role": "user", "content": "x"}], "cache_salt": "a/b"}
        assert refusal(engine, lambda c: c.chat("base", wrong_salt), key="right") is EngineRefused
        engine.faults.answer_500 = True
        assert refusal(engine, lambda c: c.health("base"), key="right") is EngineFailed
        engine.faults.answer_500, engine.faults.hang = False, True
        assert refusal(engine, lambda c: c.health("base"), key="right") is EngineNotAnswering
    assert refusal(engine, lambda c: c.health("base"), key="right") is EngineNotAnswering


def test_loading_is_listing_and_answering(adapter: Path) -> None:
    with FakeEngine("base") as engine:
        seconds = call(engine.url, None, lambda c: c.load_adapter("a", adapter))
        assert 0 < seconds < 1
        assert call(engine.url, None, lambda c: c.models()) == {"base": None, "a": "base"}
        assert [body["model"] for body in engine.requests] == ["a"]
        call(engine.url, None, lambda c: c.load_adapter("a", adapter))
        call(engine.url, None, lambda c: c.unload_adapter("a"))
        call(engine.url, None, lambda c: c.unload_adapter("a"))
        engine.faults.load_in_name_only = True
        assert refusal(engine, lambda c: c.load_adapter("a", adapter)) is LoadNotProved


def test_a_score_is_one_allowed_token_and_nothing_that_kills_an_engine() -> None:
    with FakeEngine("base") as engine:
        scores = [Score("base", (1, 2, 3), token) for token in range(5)]
        found = call(engine.url, None, lambda c: c.token_logprobs(scores, salt=make_salt(), concurrency=2))
        assert len(found) == 5
        assert engine.most_running <= 2
        body = engine.requests[0]
    assert (body["max_tokens"], body["logprobs"], body["temperature"]) == (1, 1, 0)
    assert len(body["allowed_token_ids"]) == 1
    assert "prompt_logprobs" not in body
    assert not is_safe_name(body["cache_salt"])


def test_a_chat_comes_with_its_counts() -> None:
    with FakeEngine("base", answer=lambda *_: "one two") as engine:
        body = {"messages": [{"role": "user", "content": "x"}]}
        answer = call(engine.url, None, lambda c: c.chat("base", body))
        counters = call(engine.url, None, lambda c: c.counters())
    assert (answer.text, answer.finish_reason, answer.answer_tokens) == ("one two", "stop", 2)
    assert (counters.generated_tokens, counters.num_running) == (2.0, 0)
