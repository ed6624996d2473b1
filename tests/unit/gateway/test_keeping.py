"""What is to be kept is handed over behind the caller's back, in bounded memory."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.handing import MAX_ANSWER_BYTES
from goldsmith.gateway.keeping import KeepingLine
from goldsmith.people.types import Person
from goldsmith.serve.kept.types import EVERYTHING, Exchange, Handed, Keeping

ADA = Person("per_1", "Ada")
HEADERS = {"x-goldsmith-model": "ftm_1", "x-goldsmith-engine": "eng_1", "x-goldsmith-alias": "support"}
ALL = {EVERYTHING: Keeping(1.0)}
REQUEST = Outgoing("http://x", "/v1/chat/completions", b'{"messages": []}', None, HEADERS)


class Sink:
    """Takes portions, or is told not to."""

    def __init__(self) -> None:
        self.taken: list[Handed] = []
        self.is_broken = False

    def __call__(self, handed: Handed) -> None:
        if self.is_broken:
            raise OSError("the database is away")
        self.taken.append(handed)

    @property
    def kept(self) -> list[Exchange]:
        return [exchange for handed in self.taken for exchange in handed.exchanges]

    @property
    def num_dropped(self) -> int:
        return sum(sum(handed.num_dropped.values()) for handed in self.taken)


async def answer(
    line: KeepingLine,
    *parts: bytes,
    rules: Any = ALL,
    status: int = 200,
    kind: str = "application/json",
    is_whole: bool = True,
) -> list[bytes]:
    """Pass an answer on; what the caller got."""
    got: list[bytes] = []

    async def start(status: int, headers: Any) -> None:
        del status, headers

    async def chunk(content: bytes, has_more: bool) -> None:
        del has_more
        got.append(content)

    with line.watching(REQUEST, ADA, rules, Back(start, chunk)) as back:
        await back.start(status, {"content-type": kind})
        for part in parts:
            await back.chunk(part, True)
        if is_whole:
            await back.chunk(b"", False)
    return got


def run(line: KeepingLine, ask: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    async def both() -> None:
        await ask()
        await line.close()

    asyncio.run(both())


def test_an_answer_passes_unchanged_and_is_handed_over_afterwards() -> None:
    line = KeepingLine(sink := Sink())

    async def ask() -> None:
        assert await answer(line, b"data: 1\n\n", b"data: 2\n\n", kind="text/event-stream") == [
            b"data: 1\n\n",
            b"data: 2\n\n",
            b"",
        ]
        assert sink.taken == [], "nobody waits for it"

    run(line, ask)
    found = sink.kept[0]
    assert (found.answer, found.is_stream, found.request) == (b"data: 1\n\ndata: 2\n\n", True, REQUEST.body)
    assert (found.domain, found.asked_by, found.alias, found.model_id) == ("local", "per_1", "support", "ftm_1")


@pytest.mark.parametrize("rules", [{}, {EVERYTHING: Keeping(0.0)}, {EVERYTHING: Keeping(1.0), "support": Keeping(0.0)}])
def test_without_a_rule_nothing_is_kept(rules: Any) -> None:
    line = KeepingLine(sink := Sink())
    run(line, lambda: answer(line, b"{}", rules=rules))
    assert sink.taken == []


def test_of_a_share_only_those_are_kept_whom_the_dice_choose() -> None:
    dice = iter([0.1, 0.9, 0.24, 0.25])
    line = KeepingLine(sink := Sink(), dice=lambda: next(dice))

    async def ask() -> None:
        for _ in range(4):
            await answer(line, b"{}", rules={EVERYTHING: Keeping(0.25)})

    run(line, ask)
    assert len(sink.kept) == 2


def test_errors_and_half_answers_are_not_kept() -> None:
    line = KeepingLine(sink := Sink())

    async def ask() -> None:
        await answer(line, b"{}", status=503)
        await answer(line, b"{", is_whole=False)

    run(line, ask)
    assert sink.kept == []


def test_an_answer_that_breaks_off_raises_as_before_and_gives_its_room_back() -> None:
    line = KeepingLine(sink := Sink(), max_bytes=2000)

    async def breaks() -> None:
        async def nothing(*_: object) -> None:
            return

        with line.watching(REQUEST, ADA, ALL, Back(nothing, nothing)) as back:
            await back.start(200, {})
            await back.chunk(b"x" * 1000, True)
            raise ConnectionError

    async def ask() -> None:
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await breaks()
        await answer(line, b"x" * 1000)

    run(line, ask)
    assert (len(sink.kept), sink.num_dropped) == (1, 0)


def test_what_finds_no_room_is_dropped_and_counted_and_the_caller_gets_it_all_the_same() -> None:
    line = KeepingLine(sink := Sink(), max_bytes=3000)

    async def ask() -> None:
        for _ in range(5):
            assert b"".join(await answer(line, b"x" * 1000)) == b"x" * 1000
        assert len(b"".join(await answer(line, b"x" * MAX_ANSWER_BYTES, b"x"))) == MAX_ANSWER_BYTES + 1

    run(line, ask)
    assert (len(sink.kept), sink.num_dropped) == (1, 5)


def test_what_the_database_does_not_take_is_tried_again() -> None:
    line = KeepingLine(sink := Sink())
    sink.is_broken = True

    async def ask() -> None:
        await answer(line, b"{}")
        assert not await line.hand_over()
        sink.is_broken = False

    run(line, ask)
    assert len(sink.kept) == 1


def test_it_is_handed_over_by_itself() -> None:
    line = KeepingLine(sink := Sink(), every_s=0.01)

    async def ask() -> None:
        line.start()
        line.start()
        await answer(line, b"{}")
        for _ in range(300):
            if sink.kept:
                return
            await asyncio.sleep(0.01)

    run(line, ask)
    assert len(sink.kept) == 1
