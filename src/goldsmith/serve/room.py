"""Whether an engine fits beside what runs, and who leaves when it does not. Pure: numbers in, a decision out.

On a machine without a GPU the room is free memory. On one with GPUs it is a GPU of its own for each engine, because
vLLM takes nine tenths of the one it gets.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from goldsmith.serve.types import EngineKind, EngineState, SeenEngine, WantedEngine

ANSWER_BYTES = 2 * 1024**3
"""What a CPU engine keeps for answers: `VLLM_CPU_KVCACHE_SPACE` of `engine.py`."""
PROGRAM_BYTES = 2 * 1024**3
"""What vLLM 0.32 itself takes on a CPU: 4.4 GiB were measured with 135 million parameters (0.5 GiB in float32)."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Room:
    """What engines may take on this machine now. `num_gpus` is 0 where memory is what counts."""

    free_bytes: int
    num_gpus: int = 0
    busy_gpus: Mapping[int, datetime] = field(default_factory=dict)
    """Those on which a job works, and since when."""


@dataclass(frozen=True)
class Lack:
    """Why an engine cannot start yet, and the engine that leaves for it; None: nobody can, or one does already."""

    because: str
    leaving: WantedEngine | None


def needed_bytes(num_parameters: int) -> int:
    """Memory of a CPU engine, in bytes: the weights in float32, room for answers, the program."""
    return 4 * num_parameters + ANSWER_BYTES + PROGRAM_BYTES


def lack(
    engine: WantedEngine, engines: Sequence[WantedEngine], seen: Mapping[str, SeenEngine], room: Room
) -> Lack | None:
    """None when there is room for this engine now."""
    alive = [one for one in engines if _is_alive(one, seen) and one.id != engine.id]
    because = _lacks_gpu(engine, engines, seen, room) if room.num_gpus else _lacks_memory(engine, room)
    if because is None:
        return None
    is_somebody_going = any(not one.is_wanted for one in alive)  # what it frees is waited for
    return Lack(because, None if is_somebody_going else _who_leaves(engine, alive))


def free_gpu(
    engine: WantedEngine, engines: Collection[WantedEngine], seen: Mapping[str, SeenEngine], room: Room
) -> int | None:
    """The last GPU that this engine may have, as trainings take the first; None without one."""
    taken = {one.gpu for one in engines if _is_alive(one, seen)} | _with_jobs(engine, engines, room)
    return next((number for number in reversed(range(room.num_gpus)) if number not in taken), None)


def is_starting(engine: WantedEngine, seen: Mapping[str, SeenEngine]) -> bool:
    """Whether it is still filling the memory that it will take, so that what is free now says little."""
    return _is_alive(engine, seen) and engine.state is EngineState.STARTING


def _with_jobs(engine: WantedEngine, engines: Collection[WantedEngine], room: Room) -> set[int]:
    """GPUs on which a job works, or is about to because an engine rests for it.

    An engine that was there before the job comes back to its own GPU: the job lets it, as soon as it need not rest.
    """
    lent = {one.gpu for one in engines if one.rests_because and one.gpu is not None}
    wanted_at = engine.wanted_at or _LONG_AGO
    return lent | {gpu for gpu, since in room.busy_gpus.items() if gpu != engine.gpu or wanted_at > since}


def _lacks_gpu(
    engine: WantedEngine, engines: Collection[WantedEngine], seen: Mapping[str, SeenEngine], room: Room
) -> str | None:
    if free_gpu(engine, engines, seen, room) is not None:
        return None
    training = " or a training" if _with_jobs(engine, engines, room) else ""
    return f"it needs a GPU of its own, and all {room.num_gpus} have an engine{training}"


def _lacks_memory(engine: WantedEngine, room: Room) -> str | None:
    if engine.needed_bytes <= room.free_bytes:
        return None
    return f"it needs about {_gib(engine.needed_bytes)} of memory, and {_gib(room.free_bytes)} is free"


def _who_leaves(engine: WantedEngine, alive: Collection[WantedEngine]) -> WantedEngine | None:
    """Whoever was wanted longest ago, those first that no stable name leads to; nobody who was wanted later."""
    own = engine.wanted_at or _LONG_AGO
    older = [one for one in alive if (one.wanted_at or _LONG_AGO) < own]
    return min(older, key=lambda one: (one.is_aliased, one.wanted_at or _LONG_AGO, one.id), default=None)


def _is_alive(engine: WantedEngine, seen: Mapping[str, SeenEngine]) -> bool:
    return engine.kind is EngineKind.OURS and seen.get(engine.id, SeenEngine()).is_alive


def _gib(num_bytes: int) -> str:
    return f"{num_bytes / 1024**3:.1f} GiB"
