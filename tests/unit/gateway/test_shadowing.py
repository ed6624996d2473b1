"""A second model is asked a copy behind the caller's back, a bounded number at once; what it does harms nobody."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goldsmith.errors import GoldsmithError
from goldsmith.gateway.answers import Answer
from goldsmith.gateway.errors import EngineUnreachable
from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.handing import MAX_ANSWER_BYTES, Dropped
from goldsmith.gateway.routes import Tables
from goldsmith.gateway.shadowing import Shadowing
from goldsmith.people.types import Person
from goldsmith.serve.shadow.types import Pair, Shadow
from goldsmith.serve.types import Proof, Route, RouteTable, Share, Target

ADA = Person("per_1", "Ada")
TARGET = Target("http://second", Path("key"), "ftm_2", "eng_2", is_ready=True)
SHARE = Share("ftm_2", 1.0, TARGET, Proof.PROVED)
ROUTES = RouteTable(datetime.now(UTC), {"ftm_2": Route("ftm_2", "fine_tuned", (SHARE,))})
BODY = {"model": "support", "stream": True, "stream_options": {}, "messages": [{"role": "user", "content": "Hi"}]}
HEADERS = {"x-goldsmith-model": "ftm_1", "x-goldsmith-engine": "eng_1", "x-goldsmith-alias": "support"}
REQUEST = Outgoing("http://first", "/v1/chat/completions", json.dumps(BODY).encode(), None, HEADERS)


class Second:
    """The shadow's engine: answers, refuses, or hangs."""

    def __init__(self, answer: bytes = b'{"choices": []}', error: Exception | None = None) -> None:
        self.answer = answer
        self.error = error
        self.status = 200
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked: list[Outgoing] = []
        self.num_ended = 0

    async def forward(self, request: Outgoing, back: Back) -> None:
        self.asked.append(request)
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.num_ended += 1
            raise
        if self.error is not None:
            raise self.error
        await back.answer(Answer(self.status, self.answer, {"content-type": "application/json"}), {})

    async def close(self) -> None:
        """Nothing is open."""


class Place:
    """A shadowing over a second engine, and what it hands over."""

    def __init__(self, second: Second, shadow: Shadow | None = None, **more: Any) -> None:
        self.second = second
        self.pairs: list[Pair] = []
        self.dropped: dict[tuple[str, str], int] = {}
        self.shadowing = Shadowing(second, self._take, **more)
        rules = {"local": {"support": shadow or Shadow("ftm_2", 1.0)}}
        self.tables = Tables({"local": ROUTES}, {"eng_2": "its key"}, shadows=rules)

    def _take(self, pairs: tuple[Pair, ...], dropped: Dropped) -> None:
        self.pairs.extend(pairs)
        self.dropped.update(dropped)

    async def answer(self, request: Outgoing = REQUEST, status: int = 200, content: bytes = b"{}") -> bytes:
        """The first model answers; what the caller got."""
        got: list[bytes] = []

        async def start(status: int, headers: Mapping[str, str]) -> None:
            del status, headers

        async def chunk(content: bytes, has_more: bool) -> None:
            del has_more
            got.append(content)

        with self.shadowing.watching(request, ADA, self.tables, Back(start, chunk)) as back:
            await back.start(status, {"content-type": "application/json"})
            await back.chunk(content, False)
        return b"".join(got)

    async def settle(self) -> None:
        """Let what is under way go on, and hand over."""
        for _ in range(10):
            await asyncio.sleep(0)
        await self.shadowing.close()


def ask(second: Second, *, num: int = 1, shadow: Shadow | None = None, request: Outgoing = REQUEST) -> Place:
    """So many requests, one after the other; what there is afterwards."""

    async def all_of_them() -> Place:
        place = Place(second, shadow)
        for _ in range(num):
            assert await place.answer(request) == b"{}"
        await place.settle()
        return place

    return asyncio.run(all_of_them())


def test_a_copy_goes_to_the_second_model_whole_and_both_answers_are_handed_over() -> None:
    place = ask(Second(b'{"choices": [1]}'))
    copy = place.second.asked[0]
    assert (copy.url, copy.key, json.loads(copy.body)["model"]) == ("http://second", "its key", "ftm_2")
    assert {"stream", "stream_options"} & set(json.loads(copy.body)) == set()
    pair = place.pairs[0]
    assert (pair.answer, pair.error, pair.shadow_model_id) == (b'{"choices": [1]}', "", "ftm_2")
    assert (pair.sent.answer, pair.sent.model_id, pair.sent.request) == (b"{}", "ftm_1", REQUEST.body)
    assert pair.duration_ms is not None


def test_the_caller_has_its_answer_before_the_second_model_is_asked_and_a_hanging_one_is_no_matter() -> None:
    async def hang() -> None:
        place = Place(second := Second(), Shadow("ftm_2", 1.0, max_at_once=2))
        second.go_on.clear()
        for _ in range(5):
            assert await place.answer() == b"{}"
        assert second.asked == [], "nobody waited for it"
        await place.settle()
        assert (len(second.asked), second.num_ended) == (2, 2), "broken off at the end"
        assert place.dropped == {("local", "support"): 3}

    asyncio.run(hang())


def test_room_is_free_again_when_a_copy_is_answered() -> None:
    async def twice() -> None:
        place = Place(Second(), Shadow("ftm_2", 1.0, max_at_once=1))
        for _ in range(2):
            await place.answer()
            for _ in range(10):
                await asyncio.sleep(0)
        await place.settle()
        assert (len(place.pairs), place.dropped) == (2, {})

    asyncio.run(twice())


def test_what_takes_too_long_is_broken_off_and_said() -> None:
    async def wait() -> None:
        place = Place(second := Second(), Shadow("ftm_2", 1.0, within_s=0.001))
        second.go_on.clear()
        await place.answer()
        await asyncio.sleep(0.02)
        await place.settle()
        assert second.num_ended == 1
        assert "longer than 0.001 s" in place.pairs[0].error

    asyncio.run(wait())


@pytest.mark.parametrize(
    ("error", "words"),
    [(EngineUnreachable("It is away."), "It is away."), (RuntimeError("secret"), "RuntimeError while it answered.")],
)
def test_an_engine_that_fails_is_written_down_and_nothing_else(error: GoldsmithError | Exception, words: str) -> None:
    found = ask(Second(error=error), num=2).pairs
    assert [(pair.error, pair.answer) for pair in found] == [(words, b"")] * 2


def test_an_error_and_an_answer_without_end_are_no_answers() -> None:
    broken = Second()
    broken.status = 503
    assert ask(broken).pairs[0].error == "It answered with status 503."
    assert "longer than 512 kB" in ask(Second(b"x" * (MAX_ANSWER_BYTES + 1))).pairs[0].error


@pytest.mark.parametrize(
    ("shadow", "headers"),
    [
        (Shadow("ftm_1", 1.0), HEADERS),
        (Shadow("ftm_2", 0.0), HEADERS),
        (Shadow("ftm_2", 1.0), {**HEADERS, "x-goldsmith-alias": "another"}),
    ],
)
def test_what_nobody_asked_for_is_not_copied(shadow: Shadow, headers: Mapping[str, str]) -> None:
    place = ask(Second(), shadow=shadow, request=replace(REQUEST, headers=headers))
    assert (place.second.asked, place.pairs, place.dropped) == ([], [], {})


def test_of_a_share_only_those_are_copied_whom_the_dice_choose_and_errors_never() -> None:
    async def four() -> None:
        dice = iter([0.1, 0.9, 0.24, 0.25, 0.1])
        place = Place(Second(), Shadow("ftm_2", 0.25), dice=lambda: next(dice))
        for _ in range(4):
            await place.answer()
        await place.answer(status=503)
        await place.settle()
        assert len(place.second.asked) == 2

    asyncio.run(four())


def test_a_model_that_leads_nowhere_is_written_down() -> None:
    place = ask(Second(), shadow=Shadow("ftm_gone", 1.0))
    assert place.second.asked == []
    assert "ftm_gone" in place.pairs[0].error
