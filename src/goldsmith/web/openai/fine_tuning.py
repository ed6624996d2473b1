"""`/v1/fine_tuning/jobs`: OpenAI's fine-tuning API over our trainings, newest first everywhere."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.train import queries, service
from goldsmith.train.tables import TrainingJob
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheSettings, TheWorkshop
from goldsmith.web.job_access import go_on
from goldsmith.web.openai import found, shapes
from goldsmith.web.openai.bodies import NewFineTuning

openai = APIRouter(prefix="/v1/fine_tuning/jobs", tags=["OpenAI"])
Limit = Annotated[int, Query(ge=1, le=100)]
After = Annotated[str | None, Query(max_length=64, description="The last id of the page before.")]


def _read(session: ReadSession, person: CurrentPerson, job_id: str) -> TrainingJob:
    return queries.one(session, job_id, domain=person.domain)


def _changing(session: Session, person: CurrentPerson, job_id: str) -> Job:
    return jobs.one(session, queries.one(session, job_id, domain=person.domain).id)


ReadTraining = Annotated[TrainingJob, Depends(_read)]
ChangingJob = Annotated[Job, Depends(_changing)]


@openai.post("")
def create(
    session: Session, person: CurrentPerson, workshop: TheWorkshop, settings: TheSettings, body: NewFineTuning
) -> dict[str, Any]:
    """Queue a training."""
    backend = settings.fine_tuning_backend
    request = body.to_request(lambda file_id: found.chat_file(session, file_id, domain=person.domain), backend=backend)
    training = service.start(session, request, workshop=workshop, by=person)
    return shapes.job(training, jobs.one(session, training.id))


@openai.get("")
def list_jobs(session: ReadSession, person: CurrentPerson, after: After = None, limit: Limit = 20) -> dict[str, Any]:
    """Trainings."""
    trainings = queries.page(session, domain=person.domain, before=after, limit=limit + 1)
    by_id = found.jobs_of(session, [training.id for training in trainings])
    return shapes.page([shapes.job(training, by_id[training.id]) for training in trainings], limit=limit)


@openai.get("/{job_id}")
def one_job(session: ReadSession, training: ReadTraining) -> dict[str, Any]:
    """One training."""
    return shapes.job(training, jobs.one(session, training.id))


@openai.post("/{job_id}/cancel")
def cancel(session: Session, job: ChangingJob) -> dict[str, Any]:
    """Stop it for good; what runs saves first."""
    queue.ask_to_stop(session, job, StopRequest.CANCEL)
    return shapes.job(session.get_one(TrainingJob, job.id), job)


@openai.post("/{job_id}/pause")
def pause(session: Session, job: ChangingJob) -> dict[str, Any]:
    """Stop it so that it can go on later."""
    queue.ask_to_stop(session, job, StopRequest.PAUSE)
    return shapes.job(session.get_one(TrainingJob, job.id), job)


@openai.post("/{job_id}/resume")
def resume(session: Session, person: CurrentPerson, job: ChangingJob) -> dict[str, Any]:
    """Queue it again: it goes on from its last checkpoint."""
    go_on(session, job, person)
    return shapes.job(session.get_one(TrainingJob, job.id), job)


@openai.get("/{job_id}/events")
def events(session: ReadSession, training: ReadTraining, after: After = None, limit: Limit = 20) -> dict[str, Any]:
    """What happened."""
    before = shapes.event_number(after) if after else None
    listed = found.newest_events(session, training.id, before=before, limit=limit + 1)
    return shapes.page([shapes.event(each) for each in listed], limit=limit)


@openai.get("/{job_id}/checkpoints")
def checkpoints(session: ReadSession, training: ReadTraining, after: After = None, limit: Limit = 10) -> dict[str, Any]:
    """Points from which it can go on."""
    before = shapes.event_number(after.replace("ftckpt-", "ftevent-")) if after else None
    saved = found.newest_events(session, training.id, kind="saved", before=before, limit=limit + 1)
    points = {point.step: point for point in queries.series(session, training.id)}
    return shapes.page([shapes.checkpoint(each, points) for each in saved], limit=limit)
