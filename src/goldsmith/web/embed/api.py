"""Tokens for the servers of other applications (`api`), and what their pages ask for with one (`embed`).

Whatever is added to `embed` is opened by tokens, and read by pages of the origins that the settings name.
"""

from fastapi import APIRouter

from goldsmith.connect.embedding import service
from goldsmith.jobs.types import StopRequest
from goldsmith.web.answers import Id
from goldsmith.web.dependencies import ReadSession, Session, TheHome, TheSettings, TheWorkshop
from goldsmith.web.embed.access import TheGrant, TheHolder, TheMint, TheStarSource
from goldsmith.web.embed.answers import (
    ExportBody,
    ModelBody,
    NowAnswer,
    PartComparison,
    PartDeployment,
    PartSet,
    PartTraining,
    StarsAnswer,
    TokenAnswer,
    TokenBody,
    TrainingBody,
)
from goldsmith.web.embed.found import comparison_of, deployment_of, now_of, training_of

api = APIRouter(prefix="/v1/embed", tags=["embedding"])
embed = APIRouter(prefix="/v1/embed", tags=["embedding"])


@api.post("/tokens", status_code=201)
def make_token(session: Session, holder: TheHolder, mint: TheMint, body: TokenBody) -> TokenAnswer:
    """A token for a page of the application whose server asks, good for some minutes and for one person's scope.

    It ends sooner when the key is revoked with which it was asked for.
    """
    grant = service.grant(session, holder, body.scope, body.may, minutes=body.minutes)
    said = body.model_dump(include={"philosopher", "domain", "may"})
    return TokenAnswer(token=mint.make(grant), expires_at=grant.expires_at, **said)


@embed.get("/now")
def now(session: ReadSession, grant: TheGrant) -> NowAnswer:
    """Everything that the parts of a page show, however many there are."""
    return now_of(session, grant)


@embed.get("/stars")
def stars(session: ReadSession, grant: TheGrant, source: TheStarSource) -> StarsAnswer:
    """How many gold stars the philosopher has, and if none the nearest reason."""
    return StarsAnswer.model_validate(service.find_stars(session, grant, source))


@embed.post("/training-sets", status_code=201)
def export(session: Session, home: TheHome, grant: TheGrant, source: TheStarSource, body: ExportBody) -> PartSet:
    """Make a training set of the philosopher's gold stars."""
    made = service.export(session, home, grant, source, name=body.name, system_text=body.system_message)
    return PartSet.model_validate(made)


@embed.post("/trainings", status_code=201)
def train(
    session: Session, grant: TheGrant, workshop: TheWorkshop, settings: TheSettings, body: TrainingBody
) -> PartTraining:
    """Train a base model on one of the philosopher's training sets."""
    request = body.request(settings.fine_tuning_backend)
    return training_of(session, service.train_on(session, grant, request, workshop=workshop))


@embed.post("/trainings/{job_id}/pause")
def pause(session: Session, grant: TheGrant, job_id: Id) -> PartTraining:
    """Save after the current step and stop; it can go on later."""
    return training_of(session, service.stop(session, grant, job_id, StopRequest.PAUSE))


@embed.post("/trainings/{job_id}/cancel")
def cancel(session: Session, grant: TheGrant, job_id: Id) -> PartTraining:
    """Stop for good; the last checkpoint is kept."""
    return training_of(session, service.stop(session, grant, job_id, StopRequest.CANCEL))


@embed.post("/trainings/{job_id}/resume")
def resume(session: Session, grant: TheGrant, job_id: Id) -> PartTraining:
    """Go on from the last checkpoint, as a new attempt of the same job."""
    return training_of(session, service.resume(session, grant, job_id))


@embed.post("/deployments", status_code=202)
def deploy(session: Session, grant: TheGrant, body: ModelBody) -> PartDeployment:
    """Have a fine-tuned model live; nobody's engine is stopped for it. `now` says when it answers."""
    return deployment_of(session, service.deploy(session, grant, body.model_id))


@embed.post("/deployments/undo")
def undeploy(session: Session, grant: TheGrant, body: ModelBody) -> PartDeployment:
    """Take it off its engine again."""
    return deployment_of(session, service.undeploy(session, grant, body.model_id))


@embed.post("/comparisons", status_code=201)
def compare(session: Session, grant: TheGrant, body: ModelBody) -> PartComparison:
    """Put a fine-tuned model beside its base on the exam that was held back from its training."""
    return comparison_of(session, service.compare_with_base(session, grant, body.model_id))
