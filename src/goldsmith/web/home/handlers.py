"""Home: where I am in the loop and what to do next; and the guided way through it."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.compare.loop import StepName
from goldsmith.data import service as data
from goldsmith.data.types import ImportRequest
from goldsmith.demo import story
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheMachine
from goldsmith.web.home.found import guided_page, home_page
from goldsmith.web.pages import redirect, render

pages = APIRouter()


@pages.get("/")
def home(request: Request, session: ReadSession, person: CurrentPerson) -> HTMLResponse:
    """The loop at a glance."""
    return render(request, home_page(session, person), fragment="home/_home.html")


@pages.get("/fine-tuning")
def guided(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    home: TheHome,
    machine: TheMachine,
    step: StepName | None = None,
) -> HTMLResponse:
    """The guided way: six steps, of which one is now."""
    return render(request, guided_page(session, person, home, machine, step), fragment="home/_guided.html")


@pages.post("/sample")
def bring_sample(request: Request, session: Session, home: TheHome, person: CurrentPerson) -> RedirectResponse:
    """Import the sample messages that come with Goldsmith."""
    with story.rows_path().open("rb") as file:
        upload = data.save_upload(home, file, story.rows_path().name)
    version, _ = data.start_import(session, ImportRequest(upload, story.DATASET_NAME), by=person)
    return redirect(request, f"/data/{version.dataset_id}", toast="300 sample messages are coming in.")
