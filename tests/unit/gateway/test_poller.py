import asyncio
import threading

import pytest

from goldsmith.gateway.errors import RoutesTooOld
from goldsmith.gateway.poller import Poller
from goldsmith.gateway.routes import Tables


class Source:
    """Tables that can be told to be gone, and a clock that can be set."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.is_gone = False
        self.tables = Tables({})
        self.num_reads = 0
        self.was_read = threading.Event()

    def read(self) -> Tables:
        self.num_reads += 1
        self.was_read.set()
        if self.is_gone:
            raise OSError("the database is away")
        return self.tables


def make(source: Source, *, every_s: float = 3600) -> Poller:
    return Poller(source.read, every_s=every_s, clock=lambda: source.now)


def test_tables_are_used_for_thirty_seconds_and_never_longer() -> None:
    async def look() -> None:
        source = Source()
        poller = make(source)
        assert await poller.tables() is source.tables
        source.is_gone = True
        source.now += 29.9
        assert await poller.tables() is source.tables
        source.now += 0.2
        with pytest.raises(RoutesTooOld):
            await poller.tables()
        await poller.close()

    asyncio.run(look())


def test_tables_that_could_never_be_read_are_not_an_empty_yes() -> None:
    async def look() -> None:
        source = Source()
        source.is_gone = True
        poller = make(source)
        with pytest.raises(RoutesTooOld):
            await poller.tables()
        await poller.close()

    asyncio.run(look())


def test_a_refresh_is_seen_by_the_next_look() -> None:
    async def look() -> None:
        source = Source()
        poller = make(source)
        await poller.tables()
        source.tables = Tables({})
        await asyncio.to_thread(poller.refresh)
        assert await poller.tables() is source.tables
        await poller.close()

    asyncio.run(look())


def test_it_goes_on_looking_after_a_failure() -> None:
    async def look() -> None:
        source = Source()
        source.is_gone = True
        poller = make(source, every_s=0.001)
        poller.start()
        assert await asyncio.to_thread(source.was_read.wait, 5)
        source.is_gone = False
        source.was_read.clear()
        assert await asyncio.to_thread(source.was_read.wait, 5)
        assert await poller.tables() is source.tables
        await poller.close()

    asyncio.run(look())


def test_a_bell_has_it_read_at_once() -> None:
    async def look() -> None:
        source, rung = Source(), [0]
        poller = Poller(source.read, every_s=3600, bell=lambda: rung[0])
        await poller.tables()
        while source.num_reads < 2:  # the first by the watcher itself
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        num_reads = source.num_reads
        rung[0] += 1
        while source.num_reads == num_reads:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        assert source.num_reads == num_reads + 1
        await poller.close()

    asyncio.run(asyncio.wait_for(look(), 10))
