"""Memory that engines have, and give to a training that needs it: whose, when, and back. Used by trainings as jobs."""

import time

from sqlalchemy.orm import Session

from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.serve import queries as serve
from goldsmith.serve import resting
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineState
from goldsmith.train.recipe import EnginesRest
from goldsmith.train.tables import ENGINES_REST

OUT_WITHIN_S = 60.0
BACK_WITHIN_S = 300.0
LOOK_EVERY_S = 0.5


def who_rests(session: Session, job: Job, machine: MachineFacts) -> list[Engine]:
    """The engines that give their memory to this job, which has its slot already."""
    wish = EnginesRest(job.params.get(ENGINES_REST, EnginesRest.auto))
    if wish is EnginesRest.never or job.slot is None or (wish is EnginesRest.auto and not machine.gpus):
        return []
    return resting.on_gpu(session, machine.slots.index(job.slot) if machine.gpus else None)


def take(context: WorkContext, machine: MachineFacts) -> None:
    """Have the engines leave, and wait until their memory is free. Raises JobFailed when one does not end."""
    with context.transaction() as session:
        job = jobs.one(session, context.job.id)
        engines = who_rests(session, job, machine)
        resting.begin(session, job, engines)
        names = {engine.id: engine.name for engine in engines}
    if not names:
        return
    context.report(None, f"waits until {' and '.join(names.values())} has given its memory back")
    if not resting.wait_until_out(context.home, names, within_s=OUT_WITHIN_S, should_stop=context.should_stop):
        raise JobFailed(
            f"An engine did not end within {OUT_WITHIN_S:.0f} s, and the training needs its memory.",
            hint="Stop the engine under Settings and resume the training, or start it so that engines stay.",
            kind="engine_stays",
        )


def give_back(context: WorkContext) -> list[str]:
    """Have the engines that rested start again though the job goes on. Returns their ids."""
    with context.transaction() as session:
        job = jobs.one(session, context.job.id)
        rested = [engine.id for engine, other in resting.at_rest(session) if other.id == job.id]
        resting.begin(session, job, [])
    return rested


def wait_until_back(context: WorkContext, engine_id: str) -> None:
    """Wait until an engine answers again, or cannot, or for as long as a start takes at most."""
    end = time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < end and not context.should_stop():
        with context.database.reading() as session:
            engine = serve.one(session, engine_id)
        if not engine.is_wanted or engine.state in (EngineState.READY.value, EngineState.FAILED.value):
            return
        context.report(None, f"waits for {engine.name}: {engine.message}")
        time.sleep(LOOK_EVERY_S)
