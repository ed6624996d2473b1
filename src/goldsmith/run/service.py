"""The verbs of runs: start, pause, cancel, resume, ask failed rows again. They write rows; a worker acts on them."""

from dataclasses import asdict

from sqlalchemy.orm import Session

from goldsmith.data import queries as data_queries
from goldsmith.data.errors import DatasetNotFound
from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.models import queries as model_queries
from goldsmith.people.types import Person
from goldsmith.run import queries
from goldsmith.run.errors import NothingToRetry, RunOptionsNotUsable, RunWithoutJob
from goldsmith.run.messages import check_variables
from goldsmith.run.tables import Run
from goldsmith.run.types import RunKindName, RunOptions, RunRequest
from goldsmith.serve import queries as serve_queries
from goldsmith.serve import service as serve_service
from goldsmith.serve.errors import EngineNotFound
from goldsmith.serve.types import EngineKind
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id

JOB_KIND = "run"
ENGINE_PREFIX = f"{Prefix.ENGINE.value}_"

_LIMITS: tuple[tuple[str, float, float], ...] = (
    ("max_rows", 1, 100_000_000),
    ("max_tokens", 1, 1_000_000),
    ("temperature", 0, 2),
    ("seed", 0, 2**63 - 1),
    ("concurrency", 1, 512),
    ("timeout_s", 1, 3600),
)


def start(session: Session, request: RunRequest, *, by: Person) -> Run:
    """Write the run with its job, and want the engine that it needs, unless others are before it in the queue.

    Raises PromptVariableUnknown, RunOptionsNotUsable, and what says that a part is not there.
    """
    _check_options(request.options)
    version = _dataset_version(session, request.dataset_version_id, by)
    wording = queries.prompt_version(session, request.prompt_version_id, domain=by.domain)
    check_variables(wording, version.columns)
    model_id, model_name, is_provider = _model(session, request.model_id, by)
    dataset = session.get_one(Dataset, version.dataset_id)
    run = Run(
        id=new_id(Prefix.RUN),
        name=((request.name or "").strip() or f"{model_name} on {dataset.name}")[:255],
        kind=RunKindName.MODEL.value,
        dataset_version_id=version.id,
        prompt_version_id=wording.id,
        model_id=model_id,
        options=asdict(request.options),
        num_rows=min(version.num_rows, request.options.max_rows or version.num_rows),
        domain=by.domain,
        created_by=by.id,
    )
    session.add(run)
    session.flush()
    if not is_provider and not _is_slot_taken(session, by):
        want_model(session, model_id, by=by)
    _queue(session, run, {"run_id": run.id}, needs_slot=not is_provider, by=by)
    return run


def pause(session: Session, run_id: str, *, by: Person) -> Job:
    """Stop after the answers that are on their way. Raises RunWithoutJob, MoveNotAllowed."""
    return _ask_to_stop(session, run_id, StopRequest.PAUSE, by)


def cancel(session: Session, run_id: str, *, by: Person) -> Job:
    """Stop for good; the answers that are there stay. Raises RunWithoutJob, MoveNotAllowed."""
    return _ask_to_stop(session, run_id, StopRequest.CANCEL, by)


def resume(session: Session, run_id: str, *, by: Person) -> Job:
    """Go on with the rows that have no answer yet. Raises RunWithoutJob, MoveNotAllowed."""
    run = queries.one(session, run_id, domain=by.domain)
    job = job_of(session, run)
    queue.again(session, job, f"resumed by {by.name}")
    return job


def retry_failed(session: Session, run_id: str, *, by: Person) -> Job:
    """Ask again what failed; good answers stay as they are. Raises NothingToRetry, RunWithoutJob, MoveNotAllowed."""
    run = queries.one(session, run_id, domain=by.domain)
    job = job_of(session, run)
    if queries.progress(session, run_id).num_failed == 0:
        raise NothingToRetry(f"No answer of {run.name} has failed.")
    params = {**job.params, "retry_before": clock.now().isoformat()}
    if job.state == JobState.SUCCEEDED.value:
        return _queue(session, run, params, needs_slot=job.needs_slot, by=by)
    queue.again(session, job, f"{by.name} asks the failed rows again")
    job.params = params
    session.flush()
    return job


def want_model(session: Session, model_id: str, *, by: Person) -> None:
    """Have the model live on an engine; the run's own worker asks again when its turn has come."""
    if not model_id.startswith(ENGINE_PREFIX):
        serve_service.deploy(session, model_id, by=by)


def job_of(session: Session, run: Run) -> Job:
    """The job that makes, or made, the run's answers. Raises RunWithoutJob."""
    if run.job_id is None:
        source = "with a file" if run.kind == RunKindName.IMPORTED.value else "from the playground"
        raise RunWithoutJob(f"The answers of {run.name} came {source}.")
    return job_queries.one(session, run.job_id)


def _queue(session: Session, run: Run, params: dict[str, str], *, needs_slot: bool, by: Person) -> Job:
    new = NewJob(JOB_KIND, f"Run {run.name}", params, subject_id=run.id, needs_slot=needs_slot)
    job = queue.add(session, new, by=by)
    run.job_id = job.id
    session.flush()
    return job


def _ask_to_stop(session: Session, run_id: str, request: StopRequest, by: Person) -> Job:
    job = job_of(session, queries.one(session, run_id, domain=by.domain))
    queue.ask_to_stop(session, job, request)
    return job


def _check_options(options: RunOptions) -> None:
    for name, least, most in _LIMITS:
        value = getattr(options, name)
        if value is not None and not least <= value <= most:
            raise RunOptionsNotUsable(f"{name} is {value}; it must be from {least:,} to {most:,}.")


def _dataset_version(session: Session, version_id: str, by: Person) -> DatasetVersion:
    version = data_queries.version(session, version_id)
    if version.domain != by.domain:
        raise DatasetNotFound(f"There is no dataset version {version_id}.")
    return version


def _model(session: Session, name: str, by: Person) -> tuple[str, str, bool]:
    """Id, name, and whether it is at an outside provider."""
    if name.startswith(ENGINE_PREFIX):
        engine = serve_queries.one(session, name)
        is_there = engine.domain == by.domain and engine.is_wanted
        if not is_there or engine.kind != EngineKind.PROVIDER.value:
            raise EngineNotFound(f"There is no provider {name}.")
        return engine.id, engine.provider_model or engine.name, True
    model = model_queries.any_model(session, name, domain=by.domain)
    return model.id, model.name, model_queries.is_at_provider(session, model)


def _is_slot_taken(session: Session, by: Person) -> bool:
    """Whether another job works with a model now or soon: its engine must not be taken away from it."""
    states = [JobState.QUEUED, JobState.STARTING, JobState.RUNNING]
    return any(job.needs_slot for job in job_queries.page(session, domain=by.domain, states=states))
