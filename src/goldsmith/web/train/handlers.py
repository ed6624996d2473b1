"""The pages of training: the list, the form that starts one, and one while it runs and afterwards."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.jobs import queue
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.train import queries, repeating, service
from goldsmith.train.dial import Dial
from goldsmith.train.recipe import backend_of
from goldsmith.web.dependencies import (
    CurrentPerson,
    ReadSession,
    Session,
    TheWorkshop,
)
from goldsmith.web.job_access import go_on, job_for
from goldsmith.web.pages import redirect, render
from goldsmith.web.train import curve_handlers, found, group_handlers, queue_handlers, rehearsal_handlers
from goldsmith.web.train.found import new_page, training_page, trainings_page, turned, with_tried
from goldsmith.web.train.looks import Show, TheLook, TheSeenRows, look_page
from goldsmith.web.train.side_by_side import MOST
from goldsmith.web.train.start_form import TheStart, start_fields
from goldsmith.web.train.views import DEFAULT_BACKEND

pages = APIRouter()
pages.include_router(rehearsal_handlers.pages)
pages.include_router(queue_handlers.pages)
pages.include_router(group_handlers.pages)
pages.include_router(curve_handlers.pages)


def _changing(session: Session, person: CurrentPerson, training_id: str) -> Job:
    return job_for(session, queries.one(session, training_id, domain=person.domain).id, person)


ChangingTraining = Annotated[Job, Depends(_changing)]
"""The job of the training of the address, in the writing session of the request."""


@pages.get("/training")
def trainings(request: Request, session: ReadSession, person: CurrentPerson, before: str | None = None) -> HTMLResponse:
    """Every training, newest first."""
    return render(request, trainings_page(request, session, person, before), fragment="train/_trainings.html")


@pages.get("/training/new")
def new(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    workshop: TheWorkshop,
    backend: str = DEFAULT_BACKEND,
    dial: Dial | None = None,
) -> HTMLResponse:
    """The form; with a dial its numbers are those that fit rows and model."""
    chosen = backend_of(backend, workshop.backends)
    values = turned(session, person, workshop, chosen, request.query_params, dial)
    page = new_page(session, person, workshop, start_fields(chosen, values), chosen, dial)
    page = with_tried(page, chosen, request.query_params)
    return render(request, page, fragment="train/_needs.html")


@pages.get("/training/look")
def look(request: Request, looked: TheLook, rows: TheSeenRows, show: Show = "", after: int = 0) -> HTMLResponse:
    """What a model would learn, row by row; nothing starts."""
    return render(request, look_page(request, looked, rows, show=show, after=after), fragment="train/_look.html")


@pages.post("/training/new", response_model=None)
def start(
    request: Request, session: Session, person: CurrentPerson, workshop: TheWorkshop, form: TheStart
) -> HTMLResponse | RedirectResponse:
    """Queue a training, or show what cannot be used."""
    if form.request is None:
        chosen = backend_of(request.query_params.get("backend", DEFAULT_BACKEND), workshop.backends)
        return render(request, new_page(session, person, workshop, form.fields, chosen), status=422)
    training = service.start(session, form.request, workshop=workshop, by=person)
    return redirect(request, f"/training/{training.id}", toast="Queued. It starts as soon as the machine is free.")


@pages.get("/training/side-by-side", response_model=None)
def side_by_side(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    workshop: TheWorkshop,
    training: Annotated[list[str] | None, Query(max_length=50)] = None,
) -> HTMLResponse | RedirectResponse:
    """Some trainings beside each other; without at least two back to the list, which says how."""
    chosen = list(dict.fromkeys(training or ()))[:MOST]
    if len(chosen) < 2:
        return redirect(request, "/training", toast="Mark at least two trainings to see them side by side.")
    rows = [queries.one(session, each, domain=person.domain) for each in chosen]
    return render(request, found.side_by_side(session, rows, backends=workshop.backends, machine=workshop.machine))


@pages.get("/training/{training_id}")
def training(
    request: Request, session: ReadSession, person: CurrentPerson, workshop: TheWorkshop, training_id: str
) -> HTMLResponse:
    """One training, live."""
    row = queries.one(session, training_id, domain=person.domain)
    page = training_page(session, row, backends=workshop.backends, machine=workshop.machine)
    return render(request, page, fragment="train/_training.html")


@pages.post("/training/{training_id}/pause")
def pause(request: Request, session: Session, job: ChangingTraining) -> RedirectResponse:
    """Save after the present step, and stop."""
    queue.ask_to_stop(session, job, StopRequest.PAUSE)
    return redirect(request, f"/training/{job.id}", toast="Asked to pause; it saves first.")


@pages.post("/training/{training_id}/cancel")
def cancel(request: Request, session: Session, job: ChangingTraining) -> RedirectResponse:
    """Stop for good; its checkpoints stay."""
    queue.ask_to_stop(session, job, StopRequest.CANCEL)
    return redirect(request, f"/training/{job.id}", toast="Asked to stop.")


@pages.post("/training/{training_id}/keep")
def keep(request: Request, session: Session, job: ChangingTraining) -> RedirectResponse:
    """End now; its best checkpoint becomes the model."""
    service.keep(session, queries.one(session, job.id, domain=job.domain))
    return redirect(request, f"/training/{job.id}", toast="Asked to end and keep the best.")


@pages.post("/training/{training_id}/again")
def again(
    request: Request, session: Session, person: CurrentPerson, workshop: TheWorkshop, job: ChangingTraining
) -> RedirectResponse:
    """The same training once more."""
    training = queries.one(session, job.id, domain=job.domain)
    repeated = repeating.again(session, training, workshop=workshop, by=person)
    return redirect(
        request, f"/training/{repeated.id}", toast="Queued: the same rows, the same order, the same settings."
    )


@pages.post("/training/{training_id}/resume")
def resume(request: Request, session: Session, person: CurrentPerson, job: ChangingTraining) -> RedirectResponse:
    """Go on from the last checkpoint, as a new attempt."""
    go_on(session, job, person)
    return redirect(request, f"/training/{job.id}", toast="Queued again; it goes on from its last checkpoint.")
