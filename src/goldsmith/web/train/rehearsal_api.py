"""The API over rehearsals: a few real steps that tell what a training would take."""

from typing import Any

from fastapi import APIRouter, Response

from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.train import service
from goldsmith.train.queries import rehearsal
from goldsmith.train.rehearsing import forecast_of
from goldsmith.web.answers import ApiAnswer, Id, made
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheWorkshop
from goldsmith.web.train.answers import TrainBody

api = APIRouter(tags=["fine-tuning"])


class ForecastAnswer(ApiAnswer):
    """What the training will take on this machine as it is now."""

    duration_s: float
    step_s: float
    """A usual step."""
    tokens_per_s: float
    peak_memory_mb: float
    disk_mb: float
    """Checkpoints that are kept, and the adapter."""
    num_steps: int
    num_rehearsed: int
    """Steps that were really done for it."""


class EngineTrialAnswer(ApiAnswer):
    """Whether the engine of the base model takes such an adapter."""

    is_tried: bool
    is_accepted: bool | None = None
    load_s: float | None = None
    because: str | None = None


class RehearsalAnswer(ApiAnswer):
    """A rehearsal; `forecast` is null until it has succeeded."""

    id: str
    state: JobState
    message: str
    backend: str
    training_set_id: str
    base_model_id: str
    options: dict[str, Any]
    forecast: ForecastAnswer | None
    engine: EngineTrialAnswer | None
    failure: dict[str, Any] | None

    @classmethod
    def of(cls, job: Job) -> "RehearsalAnswer":
        """A rehearsal's job as the API shows it."""
        found, engine = forecast_of(job.result), (job.result or {}).get("engine")
        return cls(
            id=job.id,
            state=JobState(job.state),
            message=job.message,
            backend=job.params["backend"],
            training_set_id=job.params["training_set_id"],
            base_model_id=job.params["base_model_id"],
            options=job.params["options"],
            forecast=ForecastAnswer.model_validate(found) if found is not None else None,
            engine=EngineTrialAnswer(**engine) if engine is not None else None,
            failure=job.failure,
        )


@api.post("/v1/fine-tuning/rehearsals", status_code=201)
def rehearse(
    session: Session, person: CurrentPerson, workshop: TheWorkshop, body: TrainBody, response: Response
) -> RehearsalAnswer:
    """Do a few real steps of a training, and tell its time, memory and disk. Refuses what a start refuses."""
    job = service.rehearse(session, body.request, workshop=workshop, by=person)
    made(response, f"/v1/fine-tuning/rehearsals/{job.id}")
    return RehearsalAnswer.of(job)


@api.get("/v1/fine-tuning/rehearsals/{job_id}")
def one(session: ReadSession, person: CurrentPerson, job_id: Id) -> RehearsalAnswer:
    """A rehearsal, with what it found once it is over."""
    return RehearsalAnswer.of(rehearsal(session, job_id, domain=person.domain))
