"""Waits until a model can be asked: its engine runs and has it. For the workers of runs, batches and comparisons."""

import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import WorkContext
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run.errors import EngineGone
from goldsmith.run.types import Endpoint
from goldsmith.serve import queries, service
from goldsmith.serve.errors import NoEngineForModel
from goldsmith.serve.types import DeploymentState, EngineState, Target
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix

ENGINE_START_S = 1200.0
"""How long a worker waits for its engine to be ready: a first start loads a model from a slow disk."""
NUM_ENGINE_LOSSES = 3
"""How often in a row, without an answer in between, an engine may be lost before its job fails."""
LOOK_EVERY_S = 0.3


def wait_for_engine(context: WorkContext, model_id: str, *, timeout_s: float = ENGINE_START_S) -> Target | None:
    """Want the model live; the target once it is ready, None when asked to stop. Raises JobFailed if it stays away."""
    _want(context, model_id)
    end = time.monotonic() + timeout_s
    while not context.should_stop():
        with context.database.reading() as session:
            target, message = _look(session, model_id)
        if target is not None and target.is_ready:
            return target
        if time.monotonic() > end:
            raise JobFailed(f"The engine was not ready in time: {message}", kind="engine_not_ready")
        context.report(None, f"waiting for the engine: {message}")
        time.sleep(LOOK_EVERY_S)
    return None


def ask_through_losses(
    context: WorkContext,
    model_id: str,
    ask: Callable[[Target], None],
    *,
    num_done: Callable[[], int],
    timeout_s: float = ENGINE_START_S,
) -> None:
    """Ask a model; when its engine is lost in the midst, wait until it is back and ask again, what is open then.

    `num_done` says how many answers there are, so that only losses without any progress between them add up.
    Returns early when asked to stop. Raises JobFailed when the engine stays away, or is lost again and again; nobody
    brings back an engine that is not ours, so that one is not waited for.
    """
    num_lost = 0
    while (target := wait_for_engine(context, model_id, timeout_s=timeout_s)) is not None:
        num_before = num_done()
        try:
            ask(target)
        except EngineGone as error:
            num_lost = num_lost + 1 if num_done() == num_before else 1
            if num_lost >= NUM_ENGINE_LOSSES or not target.is_ours:
                raise JobFailed(error.message, hint=error.hint, kind="engine_gone") from error
        else:
            return


def endpoint_of(target: Target, home: Home) -> Endpoint:
    """Where to send, with the key read from its file."""
    return Endpoint(
        url=target.url,
        model_name=target.model_name,
        engine_id=target.engine_id,
        key=target.read_key(home.root),
        is_ours=target.is_ours,
    )


def _want(context: WorkContext, model_id: str) -> None:
    """Its turn has come: from now on the engine has to be there, whatever others wanted in between."""
    if model_id.startswith(f"{Prefix.ENGINE.value}_"):
        return
    job = context.job
    with context.transaction() as session:
        by = people.one(session, job.created_by) or Person(job.created_by, "", job.domain)
        service.deploy(session, model_id, by=by)


def _look(session: Session, model_id: str) -> tuple[Target | None, str]:
    """The target, and what it is waiting for. Raises JobFailed when it has failed for good."""
    try:
        target = queries.target_for(session, model_id)
    except NoEngineForModel as error:
        return None, error.message
    engine = queries.one(session, target.engine_id)
    if engine.state == EngineState.FAILED.value and target.is_ours:
        raise JobFailed(f"The engine {engine.name} failed: {engine.message}", kind="engine_failed")
    if target.is_ready or model_id == engine.id:
        return target, engine.message
    deployment = queries.deployment_of(session, model_id)
    if deployment.state == DeploymentState.FAILED.value:
        raise JobFailed(f"The model could not be loaded: {deployment.message}", kind="model_not_loaded")
    return target, deployment.message or engine.message or f"{engine.name} is {engine.state}"
