"""The pages of comparisons: the list with the form that starts one, and one with its verdict."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.compare import queries, service
from goldsmith.compare.service import ComparisonRequest
from goldsmith.jobs import queue
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.web.compare.found import EXAM, Against, Look, StartForm, comparison_page, comparisons_page, look_of
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.job_access import go_on, job_for
from goldsmith.web.pages import redirect, render

pages = APIRouter()
Place = Annotated[int, Query(ge=0, le=1_000_000)]


def _look(show: str = "changed", against: Against = "base", after: Place = 0) -> Look:
    return look_of(show, against, after)


def _changing(session: Session, person: CurrentPerson, comparison_id: str) -> Job:
    return job_for(session, queries.one(session, comparison_id, domain=person.domain).job_id or "", person)


TheLook = Annotated[Look, Depends(_look)]
ChangingComparison = Annotated[Job, Depends(_changing)]
"""The job of the comparison of the address, in the writing session of the request."""
Filling = Annotated[Filled[StartForm], Depends(form_of(StartForm))]


@pages.get("/model-comparison")
def comparisons(
    request: Request, session: ReadSession, person: CurrentPerson, before: str | None = None
) -> HTMLResponse:
    """Every comparison, newest first."""
    page = comparisons_page(request, session, person, before=before)
    return render(request, page, fragment="compare/_comparisons.html")


@pages.post("/model-comparison", response_model=None)
def start(request: Request, session: Session, person: CurrentPerson, form: Filling) -> HTMLResponse | RedirectResponse:
    """Queue a comparison of a fine-tuned model with its base."""
    if not form.is_usable:
        page = comparisons_page(request, session, person)
        return render(request, page, status=422)
    chosen = form.usable
    version_id = None if chosen.rows == EXAM else chosen.rows
    wanted = ComparisonRequest([chosen.model], dataset_version_id=version_id)
    comparison = service.start(session, wanted, by=person)
    return redirect(request, f"/model-comparison/{comparison.id}", toast="Queued. You can close this page.")


@pages.get("/model-comparison/{comparison_id}")
def comparison(
    request: Request, session: ReadSession, person: CurrentPerson, comparison_id: str, look: TheLook
) -> HTMLResponse:
    """One comparison: while it runs how far it is, then the verdict and the rows."""
    row = queries.one(session, comparison_id, domain=person.domain)
    return render(request, comparison_page(request, session, row, look), fragment="compare/_comparison.html")


@pages.post("/model-comparison/{comparison_id}/pause")
def pause(request: Request, session: Session, comparison_id: str, job: ChangingComparison) -> RedirectResponse:
    """Stop after the answers that are on their way."""
    queue.ask_to_stop(session, job, StopRequest.PAUSE)
    return redirect(request, f"/model-comparison/{comparison_id}", toast="Asked to pause; answers are kept.")


@pages.post("/model-comparison/{comparison_id}/cancel")
def cancel(request: Request, session: Session, comparison_id: str, job: ChangingComparison) -> RedirectResponse:
    """Stop for good; its answers stay."""
    queue.ask_to_stop(session, job, StopRequest.CANCEL)
    return redirect(request, f"/model-comparison/{comparison_id}", toast="Asked to stop.")


@pages.post("/model-comparison/{comparison_id}/resume")
def resume(
    request: Request, session: Session, person: CurrentPerson, comparison_id: str, job: ChangingComparison
) -> RedirectResponse:
    """Ask what is still open."""
    go_on(session, job, person)
    return redirect(request, f"/model-comparison/{comparison_id}", toast="Queued again.")
