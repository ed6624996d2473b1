"""The pages of runs: choose rows, model and question, see how far it is, read what came back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse

from goldsmith.data import queries as data_queries
from goldsmith.run import prompts, queries, service
from goldsmith.run.downloads import DOWNLOADS, DownloadFormat
from goldsmith.run.types import RunRequest
from goldsmith.stars.types import AnswerFilter
from goldsmith.web.answers import Before
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheState
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.job_access import go_on
from goldsmith.web.pages import redirect, render
from goldsmith.web.run.answers import CURSOR
from goldsmith.web.run.form import RunForm
from goldsmith.web.run.found import (
    checked,
    new_run_page,
    own_version,
    prompt_name,
    query_of,
    run_page,
    runs_page,
    version_for,
    with_model,
)

pages = APIRouter()
Form = Annotated[Filled[RunForm], Depends(form_of(RunForm))]
Cursor = Annotated[str | None, Query(pattern=CURSOR)]


@pages.get("/runs")
def runs(request: Request, session: ReadSession, person: CurrentPerson, before: Before = None) -> HTMLResponse:
    """Every run, newest first."""
    return render(request, runs_page(request, session, person, before), fragment="run/_runs.html")


@pages.get("/runs/new")
def new(
    request: Request,
    state: TheState,
    session: ReadSession,
    person: CurrentPerson,
    dataset: str | None = None,
    model: str | None = None,
) -> HTMLResponse:
    """What to ask, about which rows, and who answers."""
    version = version_for(session, dataset, person)
    page = with_model(new_run_page(state, session, person, version=version), model)
    return render(request, page, fragment="run/_needs.html")


@pages.get("/runs/preview")
def preview_again(request: Request) -> RedirectResponse:
    """A look is the answer to a form that was sent; whoever opens its address begins with the form."""
    return redirect(request, "/runs/new")


@pages.post("/runs/preview")
def preview(request: Request, state: TheState, session: ReadSession, person: CurrentPerson, form: Form) -> HTMLResponse:
    """What the first three rows would ask; saves nothing."""
    version = own_version(session, form.posted("dataset_version"), person)
    fields, is_wrong = checked(form, version)
    previews = [] if is_wrong else prompts.preview(session, form.usable.draft, version.id)
    page = new_run_page(state, session, person, version=version, fields=fields, previews=previews)
    return render(request, page, status=422 if is_wrong else 200)


@pages.post("/runs", response_model=None)
def start(
    request: Request, state: TheState, session: Session, person: CurrentPerson, form: Form
) -> HTMLResponse | RedirectResponse:
    """Keep the wording and start the run; the model's engine is started when it is not there."""
    version = own_version(session, form.posted("dataset_version"), person)
    fields, is_wrong = checked(form, version)
    if is_wrong:
        return render(request, new_run_page(state, session, person, version=version, fields=fields), status=422)
    asked = form.usable
    wording = prompts.save_prompt(session, prompt_name(session, asked, version, person), asked.draft, by=person)
    wanted = RunRequest(version.id, wording.id, asked.model, name=asked.name or None, options=asked.options)
    return redirect(request, f"/runs/{service.start(session, wanted, by=person).id}")


@pages.get("/runs/{run_id}")
def run(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    run_id: str,
    filter: AnswerFilter | None = None,  # noqa: A002 - the name in the address
    after: Cursor = None,
) -> HTMLResponse:
    """One run: progress, failures, answers."""
    found = queries.one(session, run_id, domain=person.domain)
    return render(request, run_page(request, session, found, query_of(filter, after)), fragment="run/_run.html")


@pages.get("/runs/{run_id}/answers.{file_format}", response_class=StreamingResponse)
def download(
    state: TheState, session: ReadSession, person: CurrentPerson, run_id: str, file_format: DownloadFormat
) -> StreamingResponse:
    """All answers as a file."""
    found = queries.one(session, run_id, domain=person.domain)
    data_queries.version(session, found.dataset_version_id or "", must_be_complete=False)
    kind = DOWNLOADS[file_format]
    headers = {"content-disposition": f'attachment; filename="{found.id}.{file_format.value}"'}
    return StreamingResponse(kind.pieces(state.database, found.id), media_type=kind.media_type, headers=headers)


@pages.post("/runs/{run_id}/retry")
def retry(request: Request, session: Session, person: CurrentPerson, run_id: str) -> RedirectResponse:
    """Ask again what has failed; good answers stay."""
    found = queries.one(session, run_id, domain=person.domain)
    service.retry_failed(session, found.id, by=person)
    return redirect(request, f"/runs/{found.id}", toast="The failed rows are asked again.")


@pages.post("/runs/{run_id}/pause")
def pause(request: Request, session: Session, person: CurrentPerson, run_id: str) -> RedirectResponse:
    """Stop after the answers that are on their way."""
    service.pause(session, run_id, by=person)
    return redirect(request, f"/runs/{run_id}", toast="Asked to pause; answers on their way are kept.")


@pages.post("/runs/{run_id}/cancel")
def cancel(request: Request, session: Session, person: CurrentPerson, run_id: str) -> RedirectResponse:
    """Stop for good; the answers that are there stay."""
    service.cancel(session, run_id, by=person)
    return redirect(request, f"/runs/{run_id}", toast="Asked to stop; the answers that are there stay.")


@pages.post("/runs/{run_id}/resume")
def resume(request: Request, session: Session, person: CurrentPerson, run_id: str) -> RedirectResponse:
    """Go on with the rows that have no answer yet."""
    found = queries.one(session, run_id, domain=person.domain)
    go_on(session, service.job_of(session, found), person)
    return redirect(request, f"/runs/{found.id}", toast="Queued again; it goes on where it was.")
