"""What the keeper writes down about engines and deployments, each function in a transaction of its caller.

Knows neither processes nor the network. An engine that is gone takes what was loaded on it along, in the same
transaction, so that no route leads into the void.
"""

from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.errors import JobNotFound
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import ChildId
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.serve import history, queries, resting, service
from goldsmith.serve.engine import EnginePlan
from goldsmith.serve.room import Room, needed_bytes
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.serve.types import (
    DeploymentState,
    EngineKind,
    EngineState,
    HistoryAction,
    Proof,
    WantedDeployment,
    WantedEngine,
    rank_limit,
)
from goldsmith.serve.wanted import MAX_CRASHES, ROOM_ENOUGH, Wanted, backoff
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix


@dataclass(frozen=True)
class Rows:
    """Everything that one tick reads."""

    wanted: Wanted
    engines: dict[str, Engine]
    deployments: dict[str, Deployment]


def read(session: Session, room: Room = ROOM_ENOUGH) -> Rows:
    """What should be, and what was last seen; `room` is what is free on this machine."""
    query = select(Engine).where(Engine.kind != EngineKind.PROVIDER.value).order_by(Engine.id)
    engines = list(session.scalars(query))
    deployments = queries.deployments(session)
    ranks = {d.id: queries.rank_of(session, d.model_id) for d in deployments if d.is_wanted}
    aliased = queries.aliased_models(session)
    at_rest = {engine.id: job for engine, job in resting.at_rest(session)}
    seen = []
    for engine in engines:
        own = [d for d in deployments if d.engine_id == engine.id and d.id in ranks]
        is_aliased = any((d.domain, d.model_id) in aliased for d in own)
        found = _wanted_engine(session, engine, [ranks[d.id] for d in own], is_aliased=is_aliased)
        job = at_rest.get(engine.id)
        seen.append(replace(found, rests_because=resting.because(engine, job)) if job is not None else found)
    room = replace(room, busy_gpus=resting.busy_gpus(session))
    wanted = Wanted(seen, [_wanted_deployment(session, deployment) for deployment in deployments], room)
    return Rows(wanted, {engine.id: engine for engine in engines}, {d.id: d for d in deployments})


def _wanted_engine(session: Session, engine: Engine, ranks: list[int | None], *, is_aliased: bool) -> WantedEngine:
    base = session.get(BaseModel, engine.base_model_id) if engine.base_model_id is not None else None
    return WantedEngine(
        id=engine.id,
        kind=EngineKind(engine.kind),
        is_wanted=engine.is_wanted,
        state=EngineState(engine.state),
        generation=engine.generation,
        max_lora_rank=engine.max_lora_rank,
        needed_rank=rank_limit(ranks) or engine.max_lora_rank,
        num_adapters=sum(rank is not None for rank in ranks),
        num_crashes=engine.num_crashes,
        starting_at=engine.starting_at,
        num_places=engine.max_loras,
        asked_places=engine.num_places or 0,
        needed_bytes=needed_bytes(base.num_parameters) if base is not None else 0,
        gpu=engine.gpu,
        wanted_at=engine.wanted_at,
        is_aliased=is_aliased and engine.copy_of is None,
    )


def _wanted_deployment(session: Session, deployment: Deployment) -> WantedDeployment:
    proof = Proof(deployment.proof)
    return WantedDeployment(
        id=deployment.id,
        model_id=deployment.model_id,
        engine_id=deployment.engine_id,
        is_base=proof is Proof.NOT_NEEDED or deployment.model_id.startswith(f"{Prefix.BASE_MODEL}_"),
        is_wanted=deployment.is_wanted,
        state=DeploymentState(deployment.state),
        generation=deployment.generation,
        proof=proof,
        prove_job_id=deployment.prove_job_id,
        is_prove_job_over=proof is Proof.PROVING and _is_over(session, deployment.prove_job_id),
    )


def _is_over(session: Session, job_id: str | None) -> bool:
    if job_id is None:
        return True
    try:
        return JobState(jobs.one(session, job_id).state).is_over
    except JobNotFound:
        return True


def starting(session: Session, plan: EnginePlan, message: str) -> Engine:
    """A new start, under a new generation; written before the process is started."""
    engine = queries.one(session, plan.engine_id)
    engine.state = EngineState.STARTING.value
    engine.generation += 1
    engine.max_lora_rank, engine.max_loras = plan.max_lora_rank, plan.max_loras
    engine.takes_priority = True  # see engine._arguments
    engine.port, engine.url, engine.gpu = plan.port, f"http://127.0.0.1:{plan.port}", plan.gpu
    engine.pid = engine.pid_started_at = engine.pid_booted_at = None
    engine.starting_at, engine.ready_at = clock.now(), None
    engine.message = message
    _lose_loads(session, engine)
    return engine


def started(session: Session, engine_id: str, process: ChildId) -> None:
    """The process is there."""
    engine = queries.one(session, engine_id)
    engine.pid, engine.pid_started_at, engine.pid_booted_at = process.pid, process.started_at, process.booted_at


def says(session: Session, engine_id: str, message: str) -> None:
    """What it is doing, in words."""
    queries.one(session, engine_id).message = message


def made_room(session: Session, engine_id: str, for_engine_id: str, because: str) -> None:
    """It leaves for another one that was asked for later. Its models come back when it is wanted again."""
    engine, other = queries.one(session, engine_id), queries.one(session, for_engine_id)
    service.leave(session, engine, f"stopped to make room for {other.name}: {because}")
    other.message = f"starts when {engine.name} has stopped: {because}"


def waits(session: Session, engine_id: str, because: str) -> None:
    """It starts by itself when there is room."""
    queries.one(session, engine_id).message = f"waits for room: {because}"


def ready(session: Session, engine_id: str, base_name: str | None) -> None:
    """A real token came."""
    engine = queries.one(session, engine_id)
    if engine.num_crashes:
        _note(session, engine, HistoryAction.RESTART, f"after {engine.num_crashes} of {MAX_CRASHES} tries")
    engine.state, engine.num_crashes = EngineState.READY.value, 0
    engine.ready_at = engine.last_token_at = clock.now()
    engine.message = ""
    if engine.kind == EngineKind.ATTACHED.value:
        engine.provider_model = engine.provider_model or base_name
        engine.generation += 1
        engine.starting_at = None
        _lose_loads(session, engine)


def token_came(session: Session, engine_id: str) -> None:
    """Another one."""
    queries.one(session, engine_id).last_token_at = clock.now()


def came_back(session: Session, engine_id: str) -> None:
    """It was away and may be another process now, with adapters that nobody loaded: they are proved anew."""
    is_meant = (
        Deployment.engine_id == engine_id,
        Deployment.state == DeploymentState.LOADED.value,
        Deployment.proof.in_([Proof.PROVED.value, Proof.UNPROVED.value]),
    )
    session.execute(update(Deployment).where(*is_meant).values(proof=Proof.UNPROVED.value, prove_job_id=None))


def stopped(session: Session, engine_id: str, because: str | None = None) -> None:
    """It gives no answers any more, as it should be. What already counted as stopped or failed keeps its words."""
    engine = queries.one(session, engine_id)
    if engine.is_wanted and engine.state in (EngineState.STOPPED.value, EngineState.FAILED.value):
        return
    engine.state, engine.ready_at = EngineState.STOPPED.value, None
    if because is not None and engine.is_wanted:
        engine.message = because
    _lose_loads(session, engine)


def died(session: Session, engine_id: str, because: str) -> None:
    """It gives no answers any more, as it should not be; tried again soon, or given up after three in a row."""
    engine = queries.one(session, engine_id)
    engine.ready_at = None
    _lose_loads(session, engine)
    if engine.kind == EngineKind.ATTACHED.value:
        engine.state, engine.message = EngineState.STARTING.value, f"It does not answer ({because}); looking again."
        return
    engine.num_crashes += 1
    engine.pid = engine.pid_started_at = engine.pid_booted_at = None
    _note(session, engine, HistoryAction.CRASH, because)
    if engine.num_crashes >= MAX_CRASHES:
        engine.state = EngineState.FAILED.value
        engine.message = f"It died {engine.num_crashes} times in a row: {because}. It is not tried again by itself."
        return
    wait_s = backoff(engine.num_crashes).total_seconds()
    engine.state = EngineState.STOPPED.value
    engine.message = (
        f"It died: {because}. Starting again in {wait_s:.0f} s (try {engine.num_crashes + 1} of {MAX_CRASHES})."
    )


def _note(session: Session, engine: Engine, action: HistoryAction, why: str) -> None:
    """An engine of ours died or came back by itself: written where people look for what changed about what is live."""
    by = Person("goldsmith", "Goldsmith", engine.domain)
    config = {"engine_id": engine.id, "why": why}
    history.record(session, action, engine.base_model_id or engine.id, by=by, config=config)


def cannot_start(session: Session, engine_id: str, because: str) -> None:
    """Nothing that time would heal; a person has to do something."""
    engine = queries.one(session, engine_id)
    engine.state, engine.message = EngineState.FAILED.value, because


def _lose_loads(session: Session, engine: Engine) -> None:
    lost = update(Deployment).where(Deployment.engine_id == engine.id, Deployment.state == DeploymentState.LOADED.value)
    session.execute(lost.values(state=DeploymentState.WAITING.value, message="waits for its engine"))


def loaded(session: Session, deployment_id: str, *, generation: int, load_s: float | None) -> None:
    """The engine lists it, and it answered. A fine-tuned model is to be proved, each load anew."""
    deployment = queries.deployment(session, deployment_id)
    deployment.state, deployment.generation = DeploymentState.LOADED.value, generation
    deployment.loaded_at, deployment.load_s = clock.now(), load_s
    deployment.message = ""
    if deployment.proof != Proof.NOT_NEEDED.value:
        deployment.proof, deployment.prove_job_id = Proof.UNPROVED.value, None
        _mark_model(session, deployment)
        queue_proof(session, deployment)


def _mark_model(session: Session, deployment: Deployment) -> None:
    model = session.get(FineTunedModel, deployment.model_id)
    if model is not None and queries.one(session, deployment.engine_id).copy_of is None:
        model.status, model.deployed_at, model.updated_at = "deployed", clock.now(), clock.now()
        model.deployment_config = {"engine_id": deployment.engine_id, "load_s": deployment.load_s}


def not_loaded(session: Session, deployment_id: str, *, generation: int, because: str) -> None:
    """The engine refused it; it is tried again with the next start of the engine, or when it is deployed again."""
    deployment = queries.deployment(session, deployment_id)
    deployment.state, deployment.generation = DeploymentState.FAILED.value, generation
    deployment.message = because


def unloaded(session: Session, deployment_id: str) -> None:
    """It is not on the engine."""
    queries.deployment(session, deployment_id).state = DeploymentState.UNLOADED.value


def queue_proof(session: Session, deployment: Deployment) -> None:
    """Have the load proved; the job takes the machine's slot, because what it measures wants quiet."""
    by = people.one(session, deployment.created_by) or Person(deployment.created_by, "", deployment.domain)
    name = queries.model_names(session).get(deployment.model_id, deployment.model_id)
    params = {"deployment_id": deployment.id, "generation": deployment.generation}
    new = NewJob("prove", f"Prove {name}", params, subject_id=deployment.model_id, needs_slot=True)
    deployment.prove_job_id = queue.add(session, new, by=by).id
    deployment.proof = Proof.PROVING.value


def unproved(session: Session, deployment_id: str) -> None:
    """The job that should prove it ended without a receipt; said, and not tried again for ever."""
    deployment = queries.deployment(session, deployment_id)
    if deployment.proof != Proof.PROVING.value:
        return
    deployment.proof = Proof.UNPROVED.value
    because = "its job is gone"
    if deployment.prove_job_id is not None:
        job = jobs.one(session, deployment.prove_job_id)
        because = (job.failure or {}).get("summary") or job.because
    deployment.message = f"It could not be proved: {because}"
