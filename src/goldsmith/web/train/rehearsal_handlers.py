"""The pages of rehearsals: begin one, and what it found."""

from fastapi import APIRouter, Request
from sqlalchemy import orm
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.models import queries as models
from goldsmith.stars import queries as stars
from goldsmith.train import service
from goldsmith.train.queries import rehearsal
from goldsmith.train.recipe import backend_of
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheMachine, TheWorkshop
from goldsmith.web.job_access import go_on
from goldsmith.web.pages import redirect, render
from goldsmith.web.train.found import new_page
from goldsmith.web.train.rehearsal_views import rehearsal_page
from goldsmith.web.train.start_form import TheStart
from goldsmith.web.train.views import DEFAULT_BACKEND

pages = APIRouter()


@pages.post("/training/rehearse", response_model=None)
def begin(
    request: Request, session: Session, person: CurrentPerson, workshop: TheWorkshop, form: TheStart
) -> HTMLResponse | RedirectResponse:
    """Queue a rehearsal of what the form says, or show what cannot be used."""
    if form.request is None:
        chosen = backend_of(request.query_params.get("backend", DEFAULT_BACKEND), workshop.backends)
        return render(request, new_page(session, person, workshop, form.fields, chosen), status=422)
    job = service.rehearse(session, form.request, workshop=workshop, by=person)
    return redirect(request, f"/training/rehearsals/{job.id}", toast="Queued. It takes a minute or two.")


@pages.get("/training/rehearsals/{job_id}")
def show(
    request: Request, session: ReadSession, person: CurrentPerson, machine: TheMachine, job_id: str
) -> HTMLResponse:
    """What the training would take."""
    job = rehearsal(session, job_id, domain=person.domain)
    place = jobs.place_in_queue(session, job) if job.state == JobState.QUEUED.value else None
    page = rehearsal_page(job, place=place, machine=machine, names=_names(session, job))
    return render(request, page, fragment="train/_rehearsal.html")


@pages.post("/training/rehearsals/{job_id}/cancel")
def cancel(request: Request, session: Session, person: CurrentPerson, job_id: str) -> RedirectResponse:
    """Stop it."""
    queue.ask_to_stop(session, rehearsal(session, job_id, domain=person.domain), StopRequest.CANCEL)
    return redirect(request, f"/training/rehearsals/{job_id}", toast="Asked to stop.")


@pages.post("/training/rehearsals/{job_id}/resume")
def again(request: Request, session: Session, person: CurrentPerson, job_id: str) -> RedirectResponse:
    """Try it once more."""
    go_on(session, rehearsal(session, job_id, domain=person.domain), person)
    return redirect(request, f"/training/rehearsals/{job_id}", toast="Queued again.")


def _names(session: orm.Session, job: Job) -> tuple[str, str]:
    training_set = stars.training_set(session, job.params["training_set_id"], domain=job.domain)
    return training_set.name, models.base(session, job.params["base_model_id"], domain=job.domain).name
