"""Work for a caller ends when the caller has gone, whether the server tells it or it has to be waited for."""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from goldsmith.gateway.exchange import EndedWhenGone, Receive, watching
from goldsmith.wire.asgi import GONE, Stop


class Caller:
    """Somebody who may go, and a server that says so in one of the two ways."""

    def __init__(self, *, is_told: bool) -> None:
        self.is_told = is_told
        self._gone = asyncio.Event()
        self._call: Callable[[], None] | None = None

    def go(self) -> None:
        self._gone.set()
        if self._call is not None:
            self._call()

    def when_gone(self, call: Callable[[], None]) -> Stop:
        self._call = call
        return self.no_longer

    def no_longer(self) -> None:
        self._call = None

    def request(self) -> tuple[dict[str, Any], Receive]:
        """Scope and `receive`."""

        async def receive() -> MutableMapping[str, Any]:
            await self._gone.wait()
            return {"type": "http.disconnect"}

        return {"extensions": {GONE: self.when_gone}} if self.is_told else {}, receive


@pytest.mark.parametrize("is_told", [True, False])
def test_work_is_broken_off_when_the_caller_goes_and_that_is_no_error(is_told: bool) -> None:
    async def run() -> list[str]:
        caller, done = Caller(is_told=is_told), ["begun"]
        asyncio.get_running_loop().call_later(0.01, caller.go)
        with EndedWhenGone(watching(*caller.request())):
            await asyncio.sleep(30)
            done.append("ended")
        await asyncio.sleep(0)  # what comes after it goes on undisturbed
        return done

    assert asyncio.run(run()) == ["begun"]


@pytest.mark.parametrize("is_told", [True, False])
def test_who_goes_after_the_work_disturbs_nobody(is_told: bool) -> None:
    async def run() -> str:
        caller = Caller(is_told=is_told)
        with EndedWhenGone(watching(*caller.request())):
            await asyncio.sleep(0)
        caller.go()
        await asyncio.sleep(0.01)
        return "undisturbed"

    assert asyncio.run(run()) == "undisturbed"


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("goes_too", [True, False])
def test_a_server_that_ends_ends_the_work_whoever_has_gone(is_told: bool, goes_too: bool) -> None:
    async def work(caller: Caller) -> None:
        with EndedWhenGone(watching(*caller.request())):
            await asyncio.sleep(30)

    async def run() -> bool:
        caller = Caller(is_told=is_told)
        task = asyncio.get_running_loop().create_task(work(caller))
        await asyncio.sleep(0.01)
        if goes_too:
            caller.go()
            for _ in range(0 if is_told else 2):  # until who waits for it has heard it, and the work has not yet
                await asyncio.sleep(0)
        task.cancel()
        assert task.cancelling() == 1 + goes_too
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(run())


@pytest.mark.parametrize("is_told", [True, False])
def test_an_error_of_the_work_is_seen(is_told: bool) -> None:
    async def run() -> None:
        with EndedWhenGone(watching(*Caller(is_told=is_told).request())):
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        asyncio.run(run())
