"""The page of Aristotle: is it there, whose stars came in, bring them in, write back what was said here."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.connect import queries, returning, service
from goldsmith.connect.bringing import service as bringing
from goldsmith.connect.types import WriteState
from goldsmith.web.answers import Id
from goldsmith.web.connect.forms import BringForm, EveryForm
from goldsmith.web.connect.found import ARISTOTLE, aristotle, aristotle_page, checked, with_schedule
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheSources, TheState
from goldsmith.web.format import counted
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.pages import redirect, render

pages = APIRouter()
Form = Annotated[Filled[BringForm], Depends(form_of(BringForm))]
EveryOf = Annotated[Filled[EveryForm], Depends(form_of(EveryForm))]
PATH = "/settings/aristotle"


@pages.get(PATH)
def show(request: Request, session: ReadSession, person: CurrentPerson, sources: TheSources) -> HTMLResponse:
    """The connection and what came over it."""
    return render(request, aristotle_page(session, sources, person))


@pages.post(f"{PATH}/test")
def test(request: Request, session: ReadSession, person: CurrentPerson, sources: TheSources) -> HTMLResponse:
    """Look what is there, and say it."""
    service.check_operator(person)
    found = checked(aristotle(sources))
    return render(request, aristotle_page(session, sources, person, tested=found))


@pages.post(PATH, response_model=None)
def bring(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, sources: TheSources, form: Form
) -> HTMLResponse | RedirectResponse:
    """Bring the stars in, and make a training set of them."""
    if form.value is None:
        return render(request, aristotle_page(session, sources, person, fields=form.fields), status=422)
    asked = form.value
    brought = service.export(session, home, aristotle(sources), asked.wish, asked.request, by=person)
    made = brought.training_set
    left_out = sum(brought.left_out.values())
    toast = (
        f"{counted(made.num_learn + made.num_exam, 'gold star')} came in{f', {left_out} left out' if left_out else ''}."
    )
    return redirect(request, f"/training-sets/{made.id}", toast=toast)


@pages.post(f"{PATH}/stars/{{scope_id}}/schedule", response_model=None)
def schedule(
    request: Request, session: Session, person: CurrentPerson, sources: TheSources, scope_id: Id, form: EveryOf
) -> HTMLResponse | RedirectResponse:
    """Have a scope's stars come in by themselves, or no more."""
    if form.value is None:
        page = with_schedule(aristotle_page(session, sources, person), scope_id, form.fields)
        return render(request, page, status=422)
    scope = bringing.schedule(session, scope_id, form.value.every_minutes, by=person)
    how = f"every {counted(scope.every_minutes, 'minute')}" if scope.every_minutes else "only when somebody asks"
    return redirect(request, f"{PATH}#scopes", toast=f"The stars of {scope.philosopher} come in {how}.")


@pages.post(f"{PATH}/write-back")
def write_back(request: Request, state: TheState, person: CurrentPerson, sources: TheSources) -> RedirectResponse:
    """Write stars that were given or taken here into Aristotle."""
    source = aristotle(sources)
    with state.database.reading() as session:
        scopes = queries.scopes(session, source=ARISTOTLE, domain=person.domain)
    ends = [returning.write_back(state.database, source, scope.id) for scope in scopes]
    num, num_left = (sum(end.get(state.value, 0) for end in ends) for state in (WriteState.done, WriteState.conflict))
    left = f" {counted(num_left, 'star')} left as changed there since; see below." if num_left else ""
    return redirect(request, PATH, toast=f"{counted(num, 'star')} written back.{left}")
