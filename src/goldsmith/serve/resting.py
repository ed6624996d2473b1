"""Engines that give their memory to a job: they stop, stay wanted, and start again by themselves when it is over.

Nothing has to be undone, whatever dies: an engine rests for as long as the job that it rests for is at work. vLLM's own
sleep is not used, because the switch that it needs also lets anybody on this machine run code in the engine
(`docs/decisions/0023`).
"""

import time
from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.jobs import child
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.states import ACTIVE
from goldsmith.jobs.tables import Job
from goldsmith.serve import engine as processes
from goldsmith.serve import queries
from goldsmith.serve.engine import EngineFiles
from goldsmith.serve.tables import Engine
from goldsmith.storage.files import Home

LOOK_EVERY_S = 0.2


def begin(session: Session, job: Job, engines: Collection[Engine]) -> None:
    """Have these engines rest while the job is at work, and no others for it; the keeper stops them."""
    for engine in session.scalars(select(Engine).where(Engine.rests_for == job.id)):
        if engine not in engines:
            engine.rests_for = None
    for engine in engines:
        engine.rests_for, engine.message = job.id, because(engine, job)
    session.flush()


def because(engine: Engine, job: Job) -> str:
    """Why it rests; what another organisation does is not told."""
    what = job.title if job.domain == engine.domain else "work of another organisation"
    return f"at rest for “{what}”, which has its memory now; it starts again by itself"


def on_gpu(session: Session, gpu: int | None) -> list[Engine]:
    """Engines of ours that a job on this GPU shares memory with; without a GPU every one does."""
    return [engine for engine in queries.of_ours(session) if gpu is None or engine.gpu == gpu]


def busy_gpus(session: Session) -> dict[int, datetime]:
    """GPUs on which a job works, by their numbers, and since when."""
    found = [(job.slot or "", job.started_at or job.created_at) for job in jobs.in_slots(session)]
    return {int(slot.removeprefix("gpu")): since for slot, since in found if slot.startswith("gpu")}


def at_rest(session: Session) -> list[tuple[Engine, Job]]:
    """Engines that rest now, each with the job at work that has its memory."""
    states = [state.value for state in ACTIVE]
    query = select(Engine, Job).join(Job, Job.id == Engine.rests_for).where(Job.state.in_(states))
    return [(engine, job) for engine, job in session.execute(query)]


def wait_until_out(
    home: Home, engine_ids: Collection[str], *, within_s: float, should_stop: Callable[[], bool] = lambda: False
) -> bool:
    """Wait until their processes, and what these had started, are gone and their memory is free, or until told to stop.

    False: one is still there after `within_s`.
    """
    end = time.monotonic() + within_s
    files = [EngineFiles.of(home, engine_id) for engine_id in engine_ids]
    while any(processes.find(each) is not None for each in files):
        if should_stop():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_EVERY_S)
    for each in files:
        child.kill_leftovers(each.pid_file)
    return True
