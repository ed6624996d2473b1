"""The pages of several trainings: shown before they start, started together, beside each other, and cancelled."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.train import groups, queries
from goldsmith.train.recipe import backend_of
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheWorkshop
from goldsmith.web.pages import redirect, render
from goldsmith.web.train.found import new_page, with_tried
from goldsmith.web.train.group_found import one_page, planned_page
from goldsmith.web.train.several_form import TheSeveral
from goldsmith.web.train.views import DEFAULT_BACKEND

pages = APIRouter()


@pages.post("/training/several")
def plan(
    request: Request, session: ReadSession, person: CurrentPerson, workshop: TheWorkshop, form: TheSeveral
) -> HTMLResponse:
    """What would be started; nothing starts."""
    if form.start.request is None:
        chosen = backend_of(request.query_params.get("backend", DEFAULT_BACKEND), workshop.backends)
        page = new_page(session, person, workshop, form.start.fields, chosen)
        return render(request, with_tried(page, chosen, dict(form.posted)), status=422)
    planned = groups.plan(session, form.start.request, form.values, workshop=workshop, by=person)
    return render(request, planned_page(planned, form, workshop))


@pages.post("/training/several/start")
def start(
    request: Request, session: Session, person: CurrentPerson, workshop: TheWorkshop, form: TheSeveral
) -> RedirectResponse:
    """Queue all of them."""
    group = groups.start(session, form.start.usable, form.values, workshop=workshop, by=person)
    return redirect(request, f"/training/groups/{group.id}", toast="Queued. They start one after the other.")


@pages.get("/training/groups/{group_id}")
def show(
    request: Request, session: ReadSession, person: CurrentPerson, workshop: TheWorkshop, group_id: str
) -> HTMLResponse:
    """Several trainings beside each other."""
    group = queries.group(session, group_id, domain=person.domain)
    return render(request, one_page(session, group, workshop), fragment="train/_group.html")


@pages.post("/training/groups/{group_id}/cancel")
def cancel(request: Request, session: Session, person: CurrentPerson, group_id: str) -> RedirectResponse:
    """Cancel what has not ended."""
    num_cancelled = groups.cancel_rest(session, queries.group(session, group_id, domain=person.domain))
    return redirect(request, f"/training/groups/{group_id}", toast=f"Asked {num_cancelled} of them to stop.")
