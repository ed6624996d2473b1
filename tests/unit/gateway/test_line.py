"""Waiting is bounded, in time and in number."""

import asyncio
import time

from goldsmith.gateway.line import Line, Place


async def wait_to_the_end(place: Place, name: str = "eng_1") -> int:
    times = 0
    try:
        while await place.wait(name):
            times += 1
    finally:
        place.leave()
    return times


def test_without_patience_nobody_waits() -> None:
    assert asyncio.run(wait_to_the_end(Line().join())) == 0


def test_a_caller_looks_again_and_again_until_the_patience_is_over() -> None:
    began = time.monotonic()
    assert asyncio.run(wait_to_the_end(Line(0.2, look_every_s=0.05).join())) >= 2
    assert 0.15 < time.monotonic() - began < 2


def test_a_full_line_sends_away_at_once_and_has_room_again_when_somebody_leaves() -> None:
    async def run() -> tuple[int, bool, bool]:
        line = Line(5, max_waiting=2, look_every_s=0.01)
        first, second, third = line.join(), line.join(), line.join()
        assert await first.wait("eng_1")
        assert await second.wait("eng_1")
        is_third_in = await third.wait("eng_1")
        is_other_in = await line.join().wait("eng_2")
        assert not is_third_in
        first.leave()
        first.leave()
        return line.num_waiting["eng_1"], await third.wait("eng_1"), is_other_in

    assert asyncio.run(run()) == (1, True, True)


def test_who_is_broken_off_leaves_the_line() -> None:
    async def run() -> int:
        line = Line(10, look_every_s=0.01)
        task = asyncio.create_task(wait_to_the_end(line.join()))
        await asyncio.sleep(0.05)
        assert line.num_waiting["eng_1"] == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return line.num_waiting["eng_1"]

    assert asyncio.run(run()) == 0
