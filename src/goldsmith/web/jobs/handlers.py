"""The activity pages: every job, and one."""

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse

from goldsmith.jobs import notices, queries, queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import StopRequest
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheStream
from goldsmith.web.job_access import ChangingJob, ReadJob, go_on
from goldsmith.web.jobs.found import activity_page
from goldsmith.web.jobs.support import TheBundle
from goldsmith.web.jobs.views import job_page
from goldsmith.web.pages import forget_surroundings, redirect, render, render_alone

NUM_EVENTS = 200
pages = APIRouter()


@pages.get("/activity")
def activity(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    state: JobState | None = None,
    before: str | None = None,
) -> HTMLResponse:
    """Every job, newest first."""
    page = activity_page(request, session, person, state=state, before=before)
    return render(request, page, fragment="jobs/_activity.html")


@pages.get("/activity/bell")
def bell(request: Request, session: ReadSession, person: CurrentPerson) -> HTMLResponse:
    """How many notices wait, for an open page."""
    num_notices = len(notices.unread(session, by=person))
    return HTMLResponse(render_alone(request, "parts/bell.html", num_notices=num_notices))


@pages.post("/activity/dismiss")
def dismiss_all(request: Request, session: Session, person: CurrentPerson) -> RedirectResponse:
    """All notices were seen."""
    notices.dismiss(session, by=person)
    forget_surroundings(request, person)
    return redirect(request, "/activity")


@pages.post("/activity/{job_id}/dismiss")
def dismiss(request: Request, session: Session, person: CurrentPerson, job_id: str) -> RedirectResponse:
    """One notice was seen."""
    notices.dismiss(session, by=person, job_ids=[job_id])
    forget_surroundings(request, person)
    return redirect(request, "/activity#notices")


@pages.get("/activity/{job_id}")
def job(request: Request, session: ReadSession, home: TheHome, found: ReadJob) -> HTMLResponse:
    """One job with its progress, its failure and its log."""
    events = queries.newest_events(session, found.id, limit=NUM_EVENTS)
    page = job_page(found, events, place=queries.place_in_queue(session, found), home=home)
    return render(request, page, fragment="jobs/_job.html")


@pages.get("/activity/{job_id}/bundle", response_class=Response)
def bundle(made: TheBundle) -> Response:
    """What somebody who helps needs to know of it, as one file."""
    return made


@pages.post("/activity/{job_id}/cancel")
def cancel(request: Request, session: Session, job: ChangingJob) -> RedirectResponse:
    """Stop it for good; what it has kept stays."""
    queue.ask_to_stop(session, job, StopRequest.CANCEL)
    return redirect(request, f"/activity/{job.id}", toast="Asked to stop.")


@pages.post("/activity/{job_id}/pause")
def pause(request: Request, session: Session, job: ChangingJob) -> RedirectResponse:
    """Stop it so that it can go on later."""
    queue.ask_to_stop(session, job, StopRequest.PAUSE)
    return redirect(request, f"/activity/{job.id}", toast="Asked to pause; it saves first.")


@pages.post("/activity/{job_id}/resume")
def resume(request: Request, session: Session, person: CurrentPerson, job: ChangingJob) -> RedirectResponse:
    """Queue it again, as a new attempt that goes on where the last one was."""
    go_on(session, job, person)
    return redirect(request, f"/activity/{job.id}", toast="Queued again.")


@pages.get("/stream")
def stream(person: CurrentPerson, stream: TheStream, job: str | None = None) -> StreamingResponse:
    """Everything that changes, for open pages."""
    return stream.response(person.domain, job_id=job)
