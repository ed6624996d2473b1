"""What to do about the difference between what should be live and what is. Pure: no database, no network, no clock.

Called by the keeper on every tick with what the database says and what it saw; the keeper performs what comes out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from goldsmith.serve import room as rooms
from goldsmith.serve.room import Room
from goldsmith.serve.types import (
    DeploymentState,
    EngineKind,
    EngineState,
    Proof,
    SeenEngine,
    WantedDeployment,
    WantedEngine,
)

MAX_CRASHES = 3
DEAD_AFTER_S = 30.0
START_WITHIN_S = 900.0
ROOM_ENOUGH = Room(free_bytes=2**63)


@dataclass(frozen=True)
class StartEngine:
    """Start the process with this limit of ranks, and places for at least so many adapters, on this GPU."""

    engine_id: str
    max_lora_rank: int
    num_adapters: int
    gpu: int | None = None


@dataclass(frozen=True)
class MakeRoom:
    """Want this engine no more, because another one that was asked for later does not fit beside it."""

    engine_id: str
    for_engine_id: str
    because: str


@dataclass(frozen=True)
class WaitForRoom:
    """It cannot start yet, and says why."""

    engine_id: str
    because: str


@dataclass(frozen=True)
class StopEngine:
    """Ask the process to end; it is killed when it does not."""

    engine_id: str
    because: str


@dataclass(frozen=True)
class MarkStopped:
    """The process is gone, as it should be."""

    engine_id: str


@dataclass(frozen=True)
class MarkReady:
    """A real token came."""

    engine_id: str


@dataclass(frozen=True)
class MarkDead:
    """It died, or lives and gives no token; what is left of it is killed."""

    engine_id: str
    because: str


@dataclass(frozen=True)
class LoadAdapter:
    """Bring a model into the engine."""

    deployment_id: str


@dataclass(frozen=True)
class UnloadAdapter:
    """Take a model out of the engine."""

    deployment_id: str


@dataclass(frozen=True)
class MarkLoaded:
    """A base model is there as soon as its engine is."""

    deployment_id: str


@dataclass(frozen=True)
class MarkUnloaded:
    """Nothing has to be asked of the engine: the model is not there."""

    deployment_id: str


@dataclass(frozen=True)
class QueueProof:
    """Have the load proved."""

    deployment_id: str


@dataclass(frozen=True)
class MarkUnproved:
    """The job that should prove the load ended without a receipt."""

    deployment_id: str


EngineAction = StartEngine | MakeRoom | WaitForRoom | StopEngine | MarkStopped | MarkReady | MarkDead
Note = MarkLoaded | MarkUnloaded | QueueProof | MarkUnproved
DeploymentAction = LoadAdapter | UnloadAdapter | Note
Action = EngineAction | DeploymentAction


@dataclass(frozen=True)
class Wanted:
    """What the database says, and the room that there is for engines."""

    engines: Sequence[WantedEngine]
    deployments: Sequence[WantedDeployment]
    room: Room = ROOM_ENOUGH


def reconcile(
    wanted: Wanted, seen: Mapping[str, SeenEngine], now: datetime, *, dead_after_s: float = DEAD_AFTER_S
) -> list[Action]:
    """What to do now. Doing it, and asking again, ends with nothing to do."""
    actions: list[Action] = []
    for engine in wanted.engines:
        if engine.kind is not EngineKind.PROVIDER:
            action = _engine_action(engine, wanted, seen, now, dead_after_s)
            is_second_start = isinstance(action, StartEngine) and any(isinstance(one, StartEngine) for one in actions)
            if action is not None and not is_second_start:
                actions.append(action)
    stopping = {action.engine_id for action in actions if isinstance(action, (StopEngine, MarkDead, MarkStopped))}
    for engine in wanted.engines:
        if engine.id not in stopping:
            own = [deployment for deployment in wanted.deployments if deployment.engine_id == engine.id]
            actions += _for_deployments(engine, own, seen.get(engine.id, SeenEngine()))
    return actions


def _for_deployments(engine: WantedEngine, deployments: Sequence[WantedDeployment], facts: SeenEngine) -> list[Action]:
    actions: list[Action] = []
    for deployment in deployments:
        actions += _deployment_actions(deployment, engine, facts)
    if not facts.has_room and any(isinstance(action, LoadAdapter) for action in actions):
        return [StopEngine(engine.id, "its places for adapters are used up; it starts again with empty ones")]
    return actions


def backoff(num_crashes: int) -> timedelta:
    """How long after its last start an engine that crashed so often waits for the next."""
    return timedelta(seconds=0 if num_crashes == 0 else 2.0**num_crashes)


def _engine_action(
    engine: WantedEngine, wanted: Wanted, seen: Mapping[str, SeenEngine], now: datetime, dead_after_s: float
) -> EngineAction | None:
    facts = seen.get(engine.id, SeenEngine())
    if not engine.is_wanted:
        return _leave(engine, facts)
    if engine.rests_because and engine.kind is EngineKind.OURS:
        return _rest(engine, facts)
    if not facts.is_alive:
        if engine.state in (EngineState.STARTING, EngineState.READY):
            return MarkDead(engine.id, "its process ended")
        return _begin(engine, wanted, seen, now)
    if engine.kind is EngineKind.OURS and engine.state in (EngineState.STOPPED, EngineState.FAILED):
        return StopEngine(engine.id, "left over from an earlier start")
    if engine.kind is EngineKind.OURS and engine.needed_rank > engine.max_lora_rank:
        return StopEngine(engine.id, f"it starts again to take adapters up to rank {engine.needed_rank}")
    if engine.kind is EngineKind.OURS and engine.asked_places > engine.num_places:
        return StopEngine(engine.id, f"it starts again with {engine.asked_places} places for adapters")
    return _watch(engine, facts, now, dead_after_s)


def _leave(engine: WantedEngine, facts: SeenEngine) -> EngineAction | None:
    if facts.is_alive and engine.kind is EngineKind.OURS:
        return StopEngine(engine.id, "it is not needed any more")
    return None if engine.state is EngineState.STOPPED else MarkStopped(engine.id)


def _rest(engine: WantedEngine, facts: SeenEngine) -> EngineAction | None:
    if facts.is_alive:
        return StopEngine(engine.id, engine.rests_because)
    is_down = engine.state in (EngineState.STOPPED, EngineState.FAILED)
    return None if is_down else MarkStopped(engine.id)


def _begin(engine: WantedEngine, wanted: Wanted, seen: Mapping[str, SeenEngine], now: datetime) -> EngineAction | None:
    is_too_early = engine.starting_at is not None and now < engine.starting_at + backoff(engine.num_crashes)
    # One start at a time: an engine that still fills its memory leaves unsaid how much is free.
    is_another_starting = any(rooms.is_starting(other, seen) for other in wanted.engines if other.id != engine.id)
    if engine.state is not EngineState.STOPPED or is_another_starting or is_too_early:
        return None
    lack = rooms.lack(engine, wanted.engines, seen, wanted.room)
    if lack is None:
        gpu = rooms.free_gpu(engine, wanted.engines, seen, wanted.room)
        return StartEngine(engine.id, engine.needed_rank, engine.num_adapters, gpu)
    if lack.leaving is not None:
        return MakeRoom(lack.leaving.id, engine.id, lack.because)
    return WaitForRoom(engine.id, lack.because)


def _watch(engine: WantedEngine, facts: SeenEngine, now: datetime, dead_after_s: float) -> EngineAction | None:
    if engine.state is EngineState.READY:
        return (
            MarkDead(engine.id, f"no token came for {facts.silent_s:.0f} s") if facts.silent_s > dead_after_s else None
        )
    if facts.has_answered:
        return MarkReady(engine.id)
    is_late = engine.starting_at is not None and now > engine.starting_at + timedelta(seconds=START_WITHIN_S)
    if is_late and engine.kind is EngineKind.OURS and engine.state is EngineState.STARTING:
        return MarkDead(engine.id, f"it did not answer within {START_WITHIN_S / 60:.0f} minutes")
    return None


def _deployment_actions(
    deployment: WantedDeployment, engine: WantedEngine, facts: SeenEngine
) -> Iterator[DeploymentAction]:
    if deployment.id in facts.busy_with or engine.kind is EngineKind.PROVIDER:
        return
    is_ready = engine.state is EngineState.READY
    is_there = deployment.state is DeploymentState.LOADED and deployment.generation == engine.generation
    if not deployment.is_wanted:
        yield from _take_away(deployment, is_there=is_ready and is_there)
    elif is_ready and deployment.is_base:
        if not is_there:
            yield MarkLoaded(deployment.id)
        else:
            yield from _prove(deployment)  # merged weights have something to prove, others do not
    elif is_ready:
        is_listed = facts.listed is None or deployment.model_id in facts.listed
        has_failed = deployment.state is DeploymentState.FAILED and deployment.generation == engine.generation
        if is_there and is_listed:
            yield from _prove(deployment)
        elif not has_failed:
            yield LoadAdapter(deployment.id)


def _take_away(deployment: WantedDeployment, *, is_there: bool) -> Iterator[DeploymentAction]:
    if is_there and not deployment.is_base:
        yield UnloadAdapter(deployment.id)
    elif deployment.state is not DeploymentState.UNLOADED:
        yield MarkUnloaded(deployment.id)


def _prove(deployment: WantedDeployment) -> Iterator[DeploymentAction]:
    if deployment.proof is Proof.UNPROVED and deployment.prove_job_id is None:
        yield QueueProof(deployment.id)
    elif deployment.proof is Proof.PROVING and deployment.is_prove_job_over:
        yield MarkUnproved(deployment.id)
