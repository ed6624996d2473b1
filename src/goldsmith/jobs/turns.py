"""When those who wait for a slot are likely to begin: the line is played through with what is known. Pure.

What is not known is not made up: a slot whose work nobody can foretell is taken to stay busy, and who could begin only
there has no time. So a time that is told is rather too late than too early.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A job in the line: how long it will take (None: nobody knows), and the slot that it must have (None: any)."""

    id: str
    seconds: float | None
    wanted_slot: str | None = None


def begins(busy: Mapping[str, float | None], line: Sequence[Waiting]) -> dict[str, float | None]:
    """Job → seconds from now until it begins. `busy`: every slot → seconds until it is free, 0 where it is, or None."""
    free = {slot: seconds for slot, seconds in busy.items() if seconds is not None}
    found: dict[str, float | None] = {}
    for waiting in line:
        fitting = [slot for slot in free if waiting.wanted_slot in (None, slot)]
        if not fitting:
            found[waiting.id] = None
            continue
        slot = min(fitting, key=lambda each: free[each])
        found[waiting.id] = at = free.pop(slot)
        if waiting.seconds is not None:
            free[slot] = at + waiting.seconds
    return found
