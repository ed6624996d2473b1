"""The pages of learning curves: the trainings before they start, their start, and what they say about more stars."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.compare import curves, queries
from goldsmith.compare.curves import CurveRequest
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheWorkshop
from goldsmith.web.pages import redirect, render
from goldsmith.web.train.curve_found import one_page, planned_page
from goldsmith.web.train.several_form import TheSeveral, left_to_dial

pages = APIRouter()


@pages.post("/training/curves/plan")
def plan(
    request: Request, session: ReadSession, person: CurrentPerson, workshop: TheWorkshop, form: TheSeveral
) -> HTMLResponse:
    """What would be started; nothing starts."""
    asked = CurveRequest(left_to_dial(form.start).usable)
    planned = curves.plan(session, asked, workshop=workshop, by=person)
    return render(request, planned_page(planned, form, workshop))


@pages.post("/training/curves")
def start(
    request: Request, session: Session, person: CurrentPerson, workshop: TheWorkshop, form: TheSeveral
) -> RedirectResponse:
    """Queue the trainings."""
    asked = CurveRequest(left_to_dial(form.start).usable)
    curve = curves.start(session, asked, workshop=workshop, by=person)
    return redirect(request, f"/training/curves/{curve.id}", toast="Queued. They start one after the other.")


@pages.get("/training/curves/{curve_id}")
def show(request: Request, session: ReadSession, person: CurrentPerson, curve_id: str) -> HTMLResponse:
    """What the trainings say about more stars."""
    curve = queries.curve(session, curve_id, domain=person.domain)
    return render(request, one_page(session, curve), fragment="train/_curve.html")
