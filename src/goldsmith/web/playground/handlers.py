"""The page of the playground: ask two models the same, give what is right a gold star."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse

from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheState
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.pages import render
from goldsmith.web.playground.forms import AskForm, SayForm
from goldsmith.web.playground.found import asked, begun_with, playground_page, say

pages = APIRouter()
Ask = Annotated[Filled[AskForm], Depends(form_of(AskForm))]
Say = Annotated[Filled[SayForm], Depends(form_of(SayForm))]
ModelName = Annotated[str | None, Query(max_length=255)]


@pages.get("/playground")
def playground(
    request: Request, session: ReadSession, person: CurrentPerson, a: ModelName = None, b: ModelName = None
) -> HTMLResponse:
    """Where one asks."""
    return render(request, playground_page(session, person, begun_with(a, b)))


@pages.post("/playground")
def ask(request: Request, state: TheState, person: CurrentPerson, form: Ask) -> HTMLResponse:
    """Ask, and show both answers when they are there; a page with JavaScript asks the gateway itself."""
    tried = asked(state, person, form.usable) if form.is_usable else None
    with state.database.reading() as session:
        page = playground_page(session, person, tried, fields=form.fields)
    return render(request, page, status=200 if form.is_usable else 422)


@pages.post("/playground/said")
def mark(request: Request, session: Session, person: CurrentPerson, form: Say) -> HTMLResponse:
    """Star an answer, or what it should have been; then it is kept."""
    tried, said = say(session, form.usable, by=person)
    return render(request, playground_page(session, person, tried, said=said))
