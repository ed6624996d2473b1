"""Requests to engines that the keeper makes beside its ticks: each in a thread of its own, its outcome picked up later.

Knows no database. A thread is a daemon, so a supervisor that ends waits for none of them.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from goldsmith.errors import GoldsmithError
from goldsmith.serve.engine_client import EngineClient, call
from goldsmith.serve.errors import EngineNotAnswering

T = TypeVar("T")
COUNTER_EVERY_S = 3.0
TOKEN_WITHIN_S = 120.0


@dataclass
class Operation(Generic[T]):
    """Something under way. `outcome` is there once `is_over`; what was not a GoldsmithError is raised when asked."""

    generation: int
    work: Callable[[], T]
    outcome: T | GoldsmithError | None = None
    _surprise: BaseException | None = None
    _done: threading.Event = field(default_factory=threading.Event)

    def start(self) -> "Operation[T]":
        """Begin, in a thread."""
        threading.Thread(target=self._run, name="engine-operation", daemon=True).start()
        return self

    @property
    def is_over(self) -> bool:
        """Whether there is an outcome."""
        return self._done.is_set()

    def result(self) -> T | GoldsmithError:
        """What came out: the value, or the error that the engine or the network gave."""
        if self._surprise is not None:
            raise self._surprise
        if self.outcome is None:
            raise RuntimeError("the operation is not over")
        return self.outcome

    def _run(self) -> None:
        try:
            self.outcome = self.work()
        except GoldsmithError as error:
            self.outcome = error
        except BaseException as error:  # noqa: BLE001 - kept for the keeper's own thread, where it is raised and logged
            self._surprise = error
        finally:
            self._done.set()


@dataclass(frozen=True)
class Door:
    """How an engine is reached."""

    url: str
    key: str | None
    model: str | None
    """The base model's name in the engine; None: whatever it lists."""


@dataclass(frozen=True)
class Look:
    """An engine that gave a sign of life: what it lists."""

    models: dict[str, str | None]
    token_s: float

    @property
    def base_name(self) -> str | None:
        """The name of the model that is no adapter."""
        return next((name for name, parent in self.models.items() if parent is None), None)


def look(door: Door, on_life: Callable[[], None]) -> Look:
    """Wait for a real token; meanwhile call `on_life` whenever the counter of generated tokens moves.

    Raises EngineNotAnswering at once when its door is not open yet.
    """

    async def ask(engine: EngineClient) -> Look:
        if not await engine.is_up():
            raise EngineNotAnswering("The engine's door is not open.")
        models = await engine.models()
        base = door.model or next(name for name, parent in models.items() if parent is None)
        token = asyncio.create_task(engine.health(base))
        last = None
        while not token.done():
            await asyncio.wait({token}, timeout=COUNTER_EVERY_S)
            if not token.done():
                moved = (await engine.counters()).generated_tokens
                if last is not None and moved > last:
                    on_life()
                last = moved
        return Look(models, await token)

    return call(door.url, door.key, ask, timeout_s=TOKEN_WITHIN_S)


def load(door: Door, name: str, folder: Path) -> float:
    """Load an adapter; returns the seconds until it was listed and had answered."""
    return call(door.url, door.key, lambda engine: engine.load_adapter(name, folder))


def unload(door: Door, name: str) -> bool:
    """Take an adapter out."""

    async def ask(engine: EngineClient) -> bool:
        await engine.unload_adapter(name)
        return True

    return call(door.url, door.key, ask)
