"""Says on an engine that more adapters are asked for than it holds ready at once.

vLLM takes the least recently used one out then, and brings it back when somebody asks for it: nothing is lost, but who
asks waits. The supervisor ticks the keeper; the message stands wherever the engine's state is shown.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.serve import queries
from goldsmith.serve.tables import TrafficMinute
from goldsmith.serve.types import EngineState
from goldsmith.storage.database import Database
from goldsmith.storage.ids import Prefix

EVERY = timedelta(seconds=30)
WITHIN = timedelta(minutes=10)
_SWAPS = "It swaps adapters: "


class CrowdingKeeper:
    """The keeper of what is said about crowded engines."""

    name: ClassVar[str] = "crowding"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Write down what changed about any engine of ours."""
        if self._next is not None and now < self._next:
            return
        self._next = now + EVERY
        with self._database.reading() as session:
            found = changes(session, now)
        if found:
            with self._database.transaction() as session:
                for engine_id, sentence in found.items():
                    queries.one(session, engine_id).message = sentence


def changes(session: Session, now: datetime) -> dict[str, str]:
    """What is to be said from now on, by engine; engines about which it is said already are left out."""
    hot = _hot(session, now - WITHIN)
    found: dict[str, str] = {}
    for engine in queries.of_ours(session):
        is_ours_to_say = not engine.message or engine.message.startswith(_SWAPS)
        if engine.state != EngineState.READY.value or not is_ours_to_say:
            continue
        num_hot = sum(one.is_wanted and one.model_id in hot for one in queries.deployments(session, engine.id))
        sentence = said(num_hot, engine.max_loras)
        if sentence != engine.message:
            found[engine.id] = sentence
    return found


def said(num_hot: int, num_places: int) -> str:
    """The sentence about so many adapters that were asked for, and so many places; empty when all fit."""
    if num_hot <= num_places:
        return ""
    return (
        f"{_SWAPS}{num_hot} were asked for in the last {WITHIN.seconds // 60} minutes, and it holds {num_places} ready "
        "at once, so some callers wait for theirs. Give it more places."
    )


def _hot(session: Session, since: datetime) -> frozenset[str]:
    """Fine-tuned models that somebody asked for through the gateway."""
    query = select(TrafficMinute.model_id).where(TrafficMinute.minute >= since, TrafficMinute.num_requests > 0)
    is_tuned = TrafficMinute.model_id.startswith(f"{Prefix.FINE_TUNED_MODEL}_")
    return frozenset(session.scalars(query.where(is_tuned).distinct()))
