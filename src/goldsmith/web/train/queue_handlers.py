"""The page of the line: what waits for this machine, in its order, which a person can change."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.jobs import line
from goldsmith.jobs.line import Step
from goldsmith.train import waiting
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheMachine
from goldsmith.web.job_access import ChangingJob
from goldsmith.web.pages import redirect, render
from goldsmith.web.train.queue_views import queue_page

pages = APIRouter()


@pages.get("/training/queue")
def show(request: Request, session: ReadSession, person: CurrentPerson, machine: TheMachine) -> HTMLResponse:
    """Everything that waits for a place on this machine, the next one first."""
    found = waiting.line(session, machine, domain=person.domain)
    return render(request, queue_page(found, len(machine.slots)), fragment="train/_queue.html")


@pages.post("/training/queue/{job_id}/{step}")
def move(request: Request, session: Session, job: ChangingJob, step: Step) -> RedirectResponse:
    """Give a job another place among those of the same organisation."""
    place = line.move(session, job, step)
    return redirect(request, f"/training/queue#{job.id}", toast=f"It has place {place} now.")
