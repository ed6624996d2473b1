"""Waits until a model can be asked: its engine runs and has it. For the workers of runs, batches and comparisons."""

import time
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import WorkContext
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run.errors import EngineGone
from goldsmith.serve import queries, service
from goldsmith.serve.errors import NoEngineForModel
from goldsmith.serve.types import DeploymentState, EngineState, Target
from goldsmith.storage.ids import Prefix

ENGINE_START_S = 1200.0
"""How long a worker waits for its engine to be ready: a first start loads a model from a slow disk."""
NUM_ENGINE_LOSSES = 3
"""How often in a row, without an answer in between, an engine may be lost before its job fails."""
LOOK_EVERY_S = 0.3


def wait_for_engines(
    context: WorkContext, model_id: str, *, timeout_s: float = ENGINE_START_S
) -> Sequence[Target] | None:
    """Want the model live; every engine that has it, once one does. None when asked to stop.

    Raises JobFailed if it stays away.
    """
    _want(context, model_id)
    end = time.monotonic() + timeout_s
    while not context.should_stop():
        with context.database.reading() as session:
            targets, message = _look(session, model_id)
        if targets:
            return targets
        if time.monotonic() > end:
            raise JobFailed(f"The engine was not ready in time: {message}", kind="engine_not_ready")
        context.report(None, f"waiting for the engine: {message}")
        time.sleep(LOOK_EVERY_S)
    return None


def ask_through_losses(
    context: WorkContext,
    model_id: str,
    ask: Callable[[Sequence[Target]], None],
    *,
    num_done: Callable[[], int],
    timeout_s: float = ENGINE_START_S,
) -> None:
    """Ask a model; when an engine is lost in the midst, ask those that have it then, what is open then.

    `num_done` says how many answers there are, so that only losses without any progress between them add up.
    Returns early when asked to stop. Raises JobFailed when no engine is there for long, or they are lost again and
    again; nobody brings back an engine that is not ours, so that one is not waited for.
    """
    num_lost = 0
    while (targets := wait_for_engines(context, model_id, timeout_s=timeout_s)) is not None:
        num_before = num_done()
        try:
            ask(targets)
        except EngineGone as error:
            num_lost = num_lost + 1 if num_done() == num_before else 1
            if num_lost >= NUM_ENGINE_LOSSES or not any(target.is_ours for target in targets):
                raise JobFailed(error.message, hint=error.hint, kind="engine_gone") from error
        else:
            return


def _want(context: WorkContext, model_id: str) -> None:
    """Its turn has come: from now on the engine has to be there, whatever others wanted in between."""
    if model_id.startswith(f"{Prefix.ENGINE.value}_"):
        return
    job = context.job
    with context.transaction() as session:
        by = people.one(session, job.created_by) or Person(job.created_by, "", job.domain)
        service.deploy(session, model_id, by=by)


def _look(session: Session, model_id: str) -> tuple[Sequence[Target], str]:
    """Every engine that has it, and what is waited for when none does. Raises JobFailed when it failed for good."""
    try:
        target = queries.target_for(session, model_id)
    except NoEngineForModel as error:
        return (), error.message
    engine = queries.one(session, target.engine_id)
    found = queries.targets_for(session, model_id)
    if found or model_id == engine.id:
        return found or (target,), engine.message
    if engine.state == EngineState.FAILED.value and target.is_ours:
        raise JobFailed(f"The engine {engine.name} failed: {engine.message}", kind="engine_failed")
    deployment = queries.deployment_of(session, model_id)
    if deployment.state == DeploymentState.FAILED.value:
        raise JobFailed(f"The model could not be loaded: {deployment.message}", kind="model_not_loaded")
    return (), deployment.message or engine.message or f"{engine.name} is {engine.state}"
