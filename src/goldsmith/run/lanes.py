"""Asks every engine that has a model at once: the next request goes to whichever has a free place.

Each engine is a lane: a sender of its own that takes from one source of requests. A lane whose engine is lost leaves
its requests open; who called asks for what is open then. Called by the workers of runs, batches and comparisons.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from goldsmith.run.engine_reply import Asked, Letters, Sent
from goldsmith.run.errors import EngineGone
from goldsmith.run.sender import Sender
from goldsmith.run.types import Endpoint, SendLimits
from goldsmith.serve.types import Target
from goldsmith.storage.files import Home

Open = TypeVar("Open")
PATIENCE_OF_SEVERAL = 1 / 3
"""A lane waits less for its engine to come back where others go on: what it holds can be asked there."""


class Source(Generic[Open, Asked, Sent]):
    """What is open, handed out once each, to whichever lane asks next. `write` makes a request for one target."""

    def __init__(
        self,
        opened: Iterable[Open],
        *,
        write: Callable[[Open, Target], Asked],
        letters: Callable[[Endpoint], Letters[Asked, Sent]],
    ) -> None:
        self._opened = iter(opened)
        self._write = write
        self.letters = letters
        self._lock = threading.Lock()

    def lane(self, target: Target) -> Iterator[Asked]:
        """The requests of one lane. Lanes run in threads; the source and what writes from it need not know."""
        while True:
            with self._lock:
                try:
                    asked = self._write(next(self._opened), target)
                except StopIteration:
                    return
            yield asked


def ask(
    targets: Sequence[Target],
    source: Source[Open, Asked, Sent],
    *,
    home: Home,
    limits: SendLimits,
    on_answers: Callable[[list[Sent]], None],
    should_stop: Callable[[], bool],
) -> None:
    """Ask all that is open, as many at once of each engine as `limits` say; `on_answers` is never called twice at once.

    Raises what ended a lane, once all have ended: EngineGone only where nothing worse happened.
    """
    own = limits if len(targets) == 1 else replace(limits, engine_wait_s=limits.engine_wait_s * PATIENCE_OF_SEVERAL)
    lock = threading.Lock()

    def keep(answers: list[Sent]) -> None:
        with lock:
            on_answers(answers)

    async def one(target: Target) -> None:
        endpoint = endpoint_of(target, home)
        sender = Sender(endpoint, own, source.letters(endpoint))
        await sender.send(source.lane(target), on_answers=keep, should_stop=should_stop)

    async def every() -> list[BaseException | None]:
        return await asyncio.gather(*(one(target) for target in targets), return_exceptions=True)

    problems = [found for found in asyncio.run(every()) if found is not None]
    if problems:
        raise min(problems, key=lambda problem: isinstance(problem, EngineGone))


def endpoint_of(target: Target, home: Home) -> Endpoint:
    """Where to send, with the key read from its file."""
    return Endpoint(
        url=target.url,
        model_name=target.model_name,
        engine_id=target.engine_id,
        key=target.read_key(home.root),
        is_ours=target.is_ours,
        takes_priority=target.takes_priority,
    )
