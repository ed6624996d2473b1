"""The API over merged models: base models that were made of a fine-tuned one, on engines of their own."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import orm

from goldsmith.jobs.states import JobState
from goldsmith.models import queries
from goldsmith.models.tables import FineTunedModel
from goldsmith.serve import queries as serve
from goldsmith.serve.errors import DeploymentNotFound
from goldsmith.serve.merged import service
from goldsmith.web.answers import ApiAnswer, Id, not_yet
from goldsmith.web.dependencies import CurrentPerson, ReadSession, TheState
from goldsmith.web.described import under_way
from goldsmith.web.waiting import wait_for_job

api = APIRouter()


class SpeedAnswer(ApiAnswer):
    """What merging brought, measured in one engine, in turn. Tokens a second are of answers, with 8 callers at once."""

    adapter_tokens_per_second: float
    merged_tokens_per_second: float
    times: float
    was_idle: bool
    """False: others were asking meanwhile, so this is rough."""
    sentence: str


class MergedAnswer(ApiAnswer):
    """A fine-tuned model's merged one, and the job that makes it. What is not there yet is null."""

    model_id: str
    merged_model: str | None
    """The id by which it is called; its weights never change."""
    name: str | None
    state: JobState | None
    """Of the job that merges it; null: nobody asked for it, or it came another way."""
    job_id: str | None
    message: str | None
    proof: str | None
    check: dict[str, Any] | None
    """The rows that adapter and merged weights were asked before they were kept, with both answers."""
    speed: SpeedAnswer | None


@api.get("/v1/fine-tuning/models/{model_id}/merged")
def one_merged(session: ReadSession, person: CurrentPerson, model_id: Id) -> MergedAnswer:
    """How far a fine-tuned model's merged one is, whether it is proved, and what it brought."""
    return _shown(session, queries.tuned(session, model_id, domain=person.domain))


@api.post("/v1/fine-tuning/models/{model_id}/merged", responses=under_way(MergedAnswer))
def merge(state: TheState, person: CurrentPerson, model_id: Id, response: Response) -> MergedAnswer:
    """Merge a fine-tuned model and deploy what came out; 202 while a job is at it."""
    with state.database.transaction() as session:
        model = queries.tuned(session, model_id, domain=person.domain)
        job = service.start(session, model, by=person, home=state.home)
    if job is not None:
        job = wait_for_job(state.database, job.id)
        if job.state != JobState.SUCCEEDED.value:
            not_yet(response, f"/v1/fine-tuning/models/{model.id}/merged")
    with state.database.reading() as session:
        return _shown(session, model)


def _shown(session: orm.Session, model: FineTunedModel) -> MergedAnswer:
    found = service.look(session, model)
    return MergedAnswer(
        model_id=model.id,
        merged_model=found.model.id if found.model is not None else None,
        name=found.model.name if found.model is not None else None,
        state=JobState(found.job.state) if found.job is not None else None,
        job_id=found.job.id if found.job is not None else None,
        message=found.job.message if found.job is not None else None,
        proof=_proof(session, found.model.id) if found.model is not None else None,
        check=(found.job.result or {}).get("check") if found.job is not None else None,
        speed=SpeedAnswer(**found.speed) if found.speed is not None else None,
    )


def _proof(session: orm.Session, base_id: str) -> str | None:
    try:
        return serve.deployment_of(session, base_id).proof
    except DeploymentNotFound:
        return None
