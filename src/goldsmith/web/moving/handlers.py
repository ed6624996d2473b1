"""The pages of a move from OpenAI: choose files, look what would become of them, bring them in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.connect.openai import moving
from goldsmith.data import service as data
from goldsmith.jobs import queries as jobs
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome
from goldsmith.web.job_access import ReadJob
from goldsmith.web.job_lines import job_line
from goldsmith.web.moving.found import move_page, planned, uploads_of
from goldsmith.web.moving.views import NewMovePage, plan_page
from goldsmith.web.pages import redirect, render

pages = APIRouter()
PATH = "/from-openai"
Kept = Annotated[list[str], Form(alias="file", max_length=200)]


@pages.get(PATH)
def new(request: Request, session: ReadSession, person: CurrentPerson) -> HTMLResponse:
    """Choose files; below stands what was brought before."""
    found = jobs.page(session, domain=person.domain, kind=moving.KIND, limit=20)
    return render(request, NewMovePage("Bring what you kept at OpenAI", tuple(map(job_line, found))))


@pages.post(f"{PATH}/look")
def look(request: Request, home: TheHome, files: list[UploadFile]) -> HTMLResponse:
    """What the files hold, what would become of them, what has no counterpart. Nothing is made."""
    uploads = [data.save_upload(home, file.file, file.filename or "file.jsonl") for file in files]
    return render(request, plan_page(planned(home, uploads)))


@pages.post(PATH)
def bring(
    request: Request,
    session: Session,
    person: CurrentPerson,
    home: TheHome,
    kept: Kept,
    star_answers: Annotated[bool, Form()] = False,
) -> RedirectResponse:
    """Make what was shown."""
    plan = planned(home, uploads_of(home, kept))
    job = moving.start(session, plan.starring_all() if star_answers else plan, by=person)
    return redirect(request, f"{PATH}/{job.id}")


@pages.get(f"{PATH}/{{job_id}}")
def one_move(request: Request, job: ReadJob) -> HTMLResponse:
    """How far it is, and what came of it."""
    return render(request, move_page(job), fragment="moving/_move.html")
