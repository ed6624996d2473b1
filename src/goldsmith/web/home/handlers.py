"""Home: where I am in the loop and what to do next; and the guided way through it."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from goldsmith.compare.loop import StepName
from goldsmith.web.dependencies import CurrentPerson, ReadSession, TheHome, TheMachine
from goldsmith.web.home.found import guided_page, home_page
from goldsmith.web.pages import render

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
