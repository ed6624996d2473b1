"""The API over models: the registry, base models and how to get one, and the environments that programs need."""

from pathlib import Path

from fastapi import APIRouter, Response
from sqlalchemy import orm

from goldsmith.compare import queries as comparisons
from goldsmith.environments import folders, locks
from goldsmith.environments import jobs as environments
from goldsmith.environments.types import Environment, EnvironmentName
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import queries, service
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.models.types import BUILTINS, METRICS, Builtin, FromHub
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.storage.files import Home
from goldsmith.web.answers import Id, Limit, not_yet
from goldsmith.web.dependencies import (
    CurrentPerson,
    ReadSession,
    Session,
    TheHome,
    TheImportRoots,
    TheState,
)
from goldsmith.web.described import Responses, under_way
from goldsmith.web.models import export_api, merged_api
from goldsmith.web.models.answers import (
    AvailableAnswer,
    AvailableModelsAnswer,
    BaseModelAnswer,
    BaseModelBody,
    BaseModelsAnswer,
    BuiltinAnswer,
    EnvironmentAnswer,
    EnvironmentsAnswer,
    GettingAnswer,
    LineageAnswer,
    MetricAnswer,
    OneTunedAnswer,
    TunedModelsAnswer,
    TunedShown,
)
from goldsmith.web.waiting import wait_for_job

api = APIRouter(tags=["models"])
api.include_router(export_api.api)
api.include_router(merged_api.api)
THERE: Responses = {200: {"model": GettingAnswer, "description": "It is there already."}}


@api.get("/v1/fine-tuning/models")
def list_tuned(session: ReadSession, person: CurrentPerson, limit: Limit = 200) -> TunedModelsAnswer:
    """Fine-tuned models, newest first."""
    found = queries.all_tuned(session, domain=person.domain, limit=limit)
    return TunedModelsAnswer(models=[TunedShown.model_validate(model) for model in found])


@api.get("/v1/fine-tuning/models/{model_id}")
def one_tuned(session: ReadSession, person: CurrentPerson, model_id: Id) -> OneTunedAnswer:
    """A fine-tuned model with its figures, each with when it was measured, and where it comes from."""
    model = queries.tuned(session, model_id, domain=person.domain)
    measured = {name: model.measured_at.get(name) for name in METRICS}
    metrics = {name: MetricAnswer(value=getattr(model, name), measured=measured[name]) for name in METRICS}
    return OneTunedAnswer(
        **TunedShown.model_validate(model).model_dump(),
        **{name: getattr(model, name) for name in ("training_config", "content_hash", "template_hash", "notes")},
        metrics=metrics,
        lineage=_lineage(session, model),
    )


@api.get("/api/models/available", response_model_exclude_unset=True)
def available(session: ReadSession, person: CurrentPerson) -> AvailableModelsAnswer:
    """Base and fine-tuned models that a caller may choose; archived ones are left out."""
    live = {item.deployment.model_id for item in serve.active(session, domain=person.domain) if item.is_live}
    bases = [_available_base(model, live) for model in queries.bases(session, domain=person.domain)]
    tuned = queries.all_tuned(session, domain=person.domain)
    return AvailableModelsAnswer(models=bases + [_available_tuned(one) for one in tuned if one.status != "archived"])


@api.get("/v1/base-models")
def list_bases(session: ReadSession, person: CurrentPerson) -> BaseModelsAnswer:
    """Base models that are there, and those that can be had at once."""
    found = queries.bases(session, domain=person.domain)
    names = {model.name for model in found}
    builtins = [_builtin(builtin, is_there=builtin.name in names) for builtin in BUILTINS.values()]
    return BaseModelsAnswer(models=[BaseModelAnswer.model_validate(model) for model in found], builtins=builtins)


@api.get("/v1/base-models/{model_id}")
def one_base(session: ReadSession, person: CurrentPerson, model_id: Id) -> BaseModelAnswer:
    """A base model, by id, name or hub id."""
    return BaseModelAnswer.model_validate(queries.base(session, model_id, domain=person.domain))


@api.post("/v1/base-models", status_code=201, responses={**under_way(GettingAnswer), **THERE})
def get_base(
    state: TheState, person: CurrentPerson, roots: TheImportRoots, body: BaseModelBody, response: Response
) -> GettingAnswer:
    """Get a base model: one that comes with Goldsmith, one from a model hub, or one that lies on this machine."""
    with state.database.transaction() as session:
        job = _start(session, body, roots, person, state.home)
    if job is not None:
        job = wait_for_job(state.database, job.id)
    if job is None:
        response.status_code = 200
    elif job.state != JobState.SUCCEEDED.value:
        not_yet(response, f"/v1/jobs/{job.id}")
    with state.database.reading() as session:
        return _getting(session, body, job, person)


@api.get("/v1/environments")
def list_environments(session: ReadSession, home: TheHome) -> EnvironmentsAnswer:
    """Every environment of heavy programs: what is there, and what installing it takes."""
    return EnvironmentsAnswer(environments=[_environment(session, one) for one in folders.page(home=home.root)])


@api.post("/v1/environments/{name}/install", responses=under_way(EnvironmentAnswer))
def install(
    session: Session, person: CurrentPerson, home: TheHome, name: EnvironmentName, response: Response
) -> EnvironmentAnswer:
    """Install an environment; 202 while a job is at it, 200 when it is there."""
    job = environments.start_install(session, name, home=home.root, by=person)
    if job is not None:
        not_yet(response, f"/v1/jobs/{job.id}")
    return _environment(session, folders.find(name, home=home.root))


def _start(session: orm.Session, body: BaseModelBody, roots: tuple[Path, ...], by: Person, home: Home) -> Job | None:
    if body.hub_id is not None:
        wanted = FromHub(body.hub_id, revision=body.revision, name=body.name)
        return service.start_hub(session, wanted, by=by, home=home)
    if body.path is not None:
        return service.start_path(session, body.path, name=body.name or "", roots=roots, by=by)
    return service.start_builtin(session, body.builtin or "", by=by)


def _getting(session: orm.Session, body: BaseModelBody, job: Job | None, person: Person) -> GettingAnswer:
    state = JobState(job.state) if job is not None else JobState.SUCCEEDED
    model = None
    if state is JobState.SUCCEEDED:
        made = (job.result or {}).get("base_model_id") if job is not None else None
        wanted = service.hub_id_of(body.wanted) if body.hub_id and not body.name else body.wanted
        model = queries.base(session, made or wanted, domain=person.domain)
    return GettingAnswer(
        model=BaseModelAnswer.model_validate(model) if model is not None else None,
        state=state,
        job_id=job.id if job is not None else None,
        message=job.message if job is not None else "It is there.",
    )


def _builtin(builtin: Builtin, *, is_there: bool) -> BuiltinAnswer:
    shown = {name: getattr(builtin, name) for name in ("name", "hub_id", "licence", "download_bytes")}
    return BuiltinAnswer(**shown, is_there=is_there)


def _available_base(model: BaseModel, live: set[str]) -> AvailableAnswer:
    status = "deployed" if model.id in live else "available"
    size_gb = round(model.size_bytes / 1e9, 3)
    return AvailableAnswer(id=model.id, name=model.name, type="base", status=status, size_gb=size_gb)


def _available_tuned(model: FineTunedModel) -> AvailableAnswer:
    names = ("id", "name", "status", "base_model", "version", "win_rate", "deployed_at")
    return AvailableAnswer(type="fine_tuned", **{name: getattr(model, name) for name in names})


def _lineage(session: orm.Session, model: FineTunedModel) -> LineageAnswer:
    deployments = [one.id for one in serve.deployments(session) if one.model_id == model.id]
    compared = comparisons.page(session, domain=model.domain, model_id=model.id)
    return LineageAnswer(
        base_model=f"/v1/base-models/{model.base_model_id}",
        training_job=f"/v1/fine-tuning/jobs/{model.training_job_id}" if model.training_job_id else None,
        training_set=f"/v1/training-sets/{model.training_set_id}" if model.training_set_id else None,
        prompt_version=model.prompt_version_id,
        deployments=[f"/v1/deployments/{deployment_id}" for deployment_id in deployments],
        comparisons=[f"/v1/fine-tuning/comparisons/{comparison.id}" for comparison in compared],
    )


def _environment(session: orm.Session, found: Environment) -> EnvironmentAnswer:
    job = job_queries.newest_of(session, found.name.value, environments.KIND)
    is_at_work = job is not None and not JobState(job.state).is_over
    names = ("name", "status", "is_installed", "size_bytes", "python_version")
    shown = EnvironmentAnswer(
        **{name: getattr(found, name) for name in names}, job_id=job.id if job is not None and is_at_work else None
    )
    if locks.this_target(found.name) not in locks.targets(found.name):
        return shown
    hint = locks.install_time_hint(found.name)
    known = {"install_minutes": hint.minutes, "install_size_bytes": hint.size_bytes, "lock": hint.status}
    return shown.model_copy(update=known)
