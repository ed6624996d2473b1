import asyncio
from collections.abc import Mapping

import pytest

from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.traffic import MAX_KEYS, Traffic
from goldsmith.serve.counts import Counts, TrafficKey

KEY = TrafficKey(10, "local", "support", 7, "ftm_1")
HEADERS = {"x-goldsmith-model": "ftm_1", "x-goldsmith-engine": "eng_1", "x-goldsmith-alias": "support"}


class Sink:
    """Takes sums, or is told not to."""

    def __init__(self) -> None:
        self.taken: list[Mapping[TrafficKey, Counts]] = []
        self.is_broken = False

    def __call__(self, counted: Mapping[TrafficKey, Counts]) -> None:
        if self.is_broken:
            raise OSError("the database is away")
        self.taken.append(counted)


async def nothing(*_: object) -> None:
    """Nobody is there."""


def test_an_answer_is_counted_for_its_model_alias_and_version() -> None:
    async def ask() -> None:
        request = Outgoing("http://x", "/v1/chat/completions", b"", None, HEADERS, version=7)
        with traffic.watching(request, "local", Back(nothing, nothing)) as back:
            await back.start(200, {"content-type": "application/json"})
            await back.chunk(b"{}", False)
        await traffic.hand_over()

    sink = Sink()
    traffic = Traffic(sink, clock=lambda: 600.0)
    asyncio.run(ask())
    assert [(key, counts.num_requests, counts.num_timed) for key, counts in sink.taken[0].items()] == [(KEY, 1, 1)]


def test_an_answer_that_breaks_off_is_an_error_and_raises_as_before() -> None:
    traffic = Traffic(sink := Sink(), clock=lambda: 600.0)
    request = Outgoing("http://x", "/v1/chat/completions", b"", None, HEADERS, version=7)

    def breaks() -> None:
        with traffic.watching(request, "local", Back(nothing, nothing)):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        breaks()
    asyncio.run(traffic.hand_over())
    assert sink.taken[0][KEY].num_errors == 1


def test_what_could_not_be_kept_is_added_to_what_came_since() -> None:
    async def count() -> None:
        traffic.add(KEY, Counts(num_requests=2))
        sink.is_broken = True
        await traffic.hand_over()
        traffic.add(KEY, Counts(num_requests=3))
        sink.is_broken = False
        await traffic.hand_over()
        await traffic.hand_over()

    traffic = Traffic(sink := Sink())
    asyncio.run(count())
    assert [[counts.num_requests for counts in taken.values()] for taken in sink.taken] == [[5]]


def test_memory_is_bounded_when_nobody_takes_anything() -> None:
    traffic = Traffic()
    for minute in range(MAX_KEYS + 50):
        traffic.add(KEY._replace(minute=minute), Counts(num_requests=2))
    assert traffic.num_forgotten == 100


def test_it_is_handed_over_by_itself_and_at_the_end() -> None:
    async def count() -> None:
        traffic.start()
        traffic.add(KEY, Counts(num_requests=1))
        while not sink.taken:
            await asyncio.sleep(0.005)
        traffic.add(KEY, Counts(num_requests=4))
        await traffic.close()

    traffic = Traffic(sink := Sink(), every_s=0.01)
    asyncio.run(asyncio.wait_for(count(), 10))
    assert sum(counts.num_requests for taken in sink.taken for counts in taken.values()) == 5
