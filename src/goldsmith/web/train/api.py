"""The API over trainings: start one, watch its curve and its events, stop it and let it go on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import orm
from starlette.responses import StreamingResponse

from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import StopRequest
from goldsmith.stars import queries as star_queries
from goldsmith.train import queries, repeating, service
from goldsmith.train.alarms import alarms_of, best_of
from goldsmith.train.backends.base import Backend
from goldsmith.train.samples import sampled_rows
from goldsmith.train.tables import DIAL, TrainingJob
from goldsmith.web.answers import Before, Id, Limit, made
from goldsmith.web.dependencies import (
    CurrentPerson,
    ReadSession,
    Session,
    TheBackends,
    TheMachine,
    TheStream,
    TheWorkshop,
)
from goldsmith.web.job_access import go_on
from goldsmith.web.job_events import STREAM, After, EventsAnswer, LastEventId, events_of
from goldsmith.web.train import curve_api, group_api, queue_api, rehearsal_api
from goldsmith.web.train.answers import (
    ALIASES,
    AlarmAnswer,
    BackendAnswer,
    BackendsAnswer,
    BestAnswer,
    DialAnswer,
    LookAnswer,
    OneTrainingAnswer,
    PointAnswer,
    ProblemAnswer,
    SampledRowAnswer,
    TrainBody,
    TrainingAnswer,
    TrainingsAnswer,
    TrainingShown,
    options_of,
)
from goldsmith.web.train.looks import TheLook, TheSeenRows

api = APIRouter(tags=["fine-tuning"])
api.include_router(rehearsal_api.api)
api.include_router(queue_api.api)
api.include_router(group_api.api)
api.include_router(curve_api.api)


def _read_training(session: ReadSession, person: CurrentPerson, job_id: Id) -> TrainingJob:
    return queries.one(session, job_id, domain=person.domain)


def _changing_training(session: Session, person: CurrentPerson, job_id: Id) -> TrainingJob:
    return queries.one(session, job_id, domain=person.domain)


ReadTraining = Annotated[TrainingJob, Depends(_read_training)]
ChangingTraining = Annotated[TrainingJob, Depends(_changing_training)]


@api.get("/v1/fine-tuning/backends")
def list_backends(backends: TheBackends, machine: TheMachine) -> BackendsAnswer:
    """Every way to train, with what can be chosen."""
    return BackendsAnswer(backends=[_backend(backend, machine) for backend in backends.values()])


@api.get("/v1/fine-tuning/look")
def look(looked: TheLook, rows: TheSeenRows) -> LookAnswer:
    """What a base model would learn from a training set, before anything starts: counts, and some rows in parts."""
    if looked.refused is not None:
        raise looked.refused
    return LookAnswer.of(looked, rows)


@api.post("/v1/fine-tuning/jobs", status_code=201)
def start(
    session: Session,
    person: CurrentPerson,
    workshop: TheWorkshop,
    body: TrainBody,
    response: Response,
) -> TrainingAnswer:
    """Train a base model on a training set. What cannot work is refused before anything starts."""
    training = service.start(session, body.request, workshop=workshop, by=person)
    made(response, f"/v1/fine-tuning/jobs/{training.id}")
    return _training(session, training)


@api.get("/v1/fine-tuning/jobs")
def list_trainings(
    session: ReadSession, person: CurrentPerson, before: Before = None, limit: Limit = 50
) -> TrainingsAnswer:
    """Trainings, newest first."""
    found = queries.page(session, domain=person.domain, before=before, limit=limit)
    more = found[-1].id if len(found) == limit else None
    return TrainingsAnswer(jobs=[_training(session, training) for training in found], before=more)


@api.get("/v1/fine-tuning/jobs/{job_id}")
def one(session: ReadSession, training: ReadTraining) -> OneTrainingAnswer:
    """A training with its curve."""
    points, best = queries.series(session, training.id), None
    if (found := best_of(points)) is not None:
        best = BestAnswer.model_validate(found)
    return OneTrainingAnswer(
        **_training(session, training).model_dump(),
        series=[PointAnswer.model_validate(point) for point in points],
        best=best,
        alarms=[AlarmAnswer.model_validate(alarm) for alarm in alarms_of(points)],
        samples=[SampledRowAnswer.model_validate(row) for row in sampled_rows(session, training)],
    )


@api.get("/v1/fine-tuning/jobs/{job_id}/events", response_model=EventsAnswer, responses=STREAM)
def events(
    request: Request,
    session: ReadSession,
    stream: TheStream,
    training: ReadTraining,
    *,
    after: After = 0,
    last_event_id: LastEventId = None,
) -> EventsAnswer | StreamingResponse:
    """What happened so far as a list; with `Accept: text/event-stream`, and what happens from now on."""
    job = job_queries.one(session, training.id)
    return events_of(request, session, job, stream=stream, after=last_event_id or after)


@api.post("/v1/fine-tuning/jobs/{job_id}/cancel")
def cancel(session: Session, training: ChangingTraining) -> TrainingAnswer:
    """Stop for good; the last checkpoint is kept."""
    queue.ask_to_stop(session, job_queries.one(session, training.id), StopRequest.CANCEL)
    return _training(session, training)


@api.post("/v1/fine-tuning/jobs/{job_id}/pause")
def pause(session: Session, training: ChangingTraining) -> TrainingAnswer:
    """Save after the current step and stop; it can go on later."""
    queue.ask_to_stop(session, job_queries.one(session, training.id), StopRequest.PAUSE)
    return _training(session, training)


@api.post("/v1/fine-tuning/jobs/{job_id}/keep")
def keep(session: Session, training: ChangingTraining) -> TrainingAnswer:
    """End now; the checkpoint with the lowest exam loss (without an exam the last) becomes the model."""
    service.keep(session, training)
    return _training(session, training)


@api.post("/v1/fine-tuning/jobs/{job_id}/again", status_code=201)
def again(
    session: Session, person: CurrentPerson, workshop: TheWorkshop, training: ChangingTraining, response: Response
) -> TrainingAnswer:
    """Train once more with the same bytes in the same order and the same settings, as a training of its own."""
    repeated = repeating.again(session, training, workshop=workshop, by=person)
    made(response, f"/v1/fine-tuning/jobs/{repeated.id}")
    return _training(session, repeated)


@api.post("/v1/fine-tuning/jobs/{job_id}/resume")
def resume(session: Session, person: CurrentPerson, training: ChangingTraining) -> TrainingAnswer:
    """Go on from the last checkpoint, as a new attempt of the same job."""
    go_on(session, job_queries.one(session, training.id), person)
    return _training(session, training)


def _training(session: orm.Session, training: TrainingJob) -> TrainingAnswer:
    job = job_queries.one(session, training.id)
    set_id = training.training_set_id
    training_set = star_queries.training_set(session, set_id, domain=training.domain) if set_id is not None else None
    shown = TrainingShown.model_validate(training).model_dump()
    return TrainingAnswer(
        **{**shown, "status": job.state, "progress": job.progress},
        training_set=training_set.name if training_set is not None else None,
        dial=DialAnswer(**job.params[DIAL]) if DIAL in job.params else None,
        state=JobState(job.state),
        stop_requested=job.stop_requested,
        attempt=job.attempt,
        message=job.message,
        failure=job.failure,
    )


def _backend(backend: Backend, machine: MachineFacts) -> BackendAnswer:
    defaults = backend.options()
    plan = backend.plan(defaults, machine)
    return BackendAnswer(
        name=backend.name,
        aliases=ALIASES.get(backend.name, []),
        environment=plan.environment.value if plan.environment is not None else None,
        at_provider=plan.at_provider,
        problems=[ProblemAnswer.model_validate(problem) for problem in backend.check(defaults, machine)],
        options=options_of(backend),
    )
