"""The page of a shadow: a second model answers along, and how it does."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.serve.shadow import service
from goldsmith.web.answers import Before
from goldsmith.web.dependencies import AfterSwitch, CurrentPerson, ReadSession, Session, TheHome, TheState
from goldsmith.web.format import counted
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.pages import redirect, render
from goldsmith.web.shadow.forms import ShadowForm
from goldsmith.web.shadow.found import shadow_page

pages = APIRouter()
Form = Annotated[Filled[ShadowForm], Depends(form_of(ShadowForm))]


@pages.get("/aliases/{alias}/shadow")
def shadow(
    request: Request, session: ReadSession, person: CurrentPerson, alias: str, before: Before = None
) -> HTMLResponse:
    """How it does, and the pairs."""
    return render(request, shadow_page(request, session, person, alias, before=before))


@pages.post("/aliases/{alias}/shadow", response_model=None)
def answer_along(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str, form: Form
) -> HTMLResponse | RedirectResponse:
    """From now on a model answers along."""
    if form.value is None:
        with state.database.reading() as session:
            return render(request, shadow_page(request, session, person, alias, fields=form.fields), status=422)
    with state.database.transaction() as session:
        service.answer_along(session, alias, form.value.shadow, by=person)
    after_switch()
    return redirect(request, f"/aliases/{alias}/shadow", toast="It answers along from now on; nobody is sent that.")


@pages.post("/aliases/{alias}/shadow/stop")
def stop(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str
) -> RedirectResponse:
    """It answers along no more."""
    with state.database.transaction() as session:
        service.stop(session, alias, by=person)
    after_switch()
    return redirect(request, f"/aliases/{alias}/shadow", toast="It answers along no more.")


@pages.post("/aliases/{alias}/shadow/dataset")
def make_dataset(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, alias: str
) -> RedirectResponse:
    """A dataset of the pairs."""
    version = service.make_dataset(session, home, alias, by=person)
    return redirect(request, f"/data/{version.dataset_id}", toast="The pairs are becoming a dataset.")


@pages.post("/aliases/{alias}/shadow/forget")
def forget(request: Request, session: Session, person: CurrentPerson, alias: str) -> RedirectResponse:
    """Delete the pairs now."""
    num = service.forget_all(session, alias, by=person)
    return redirect(request, f"/aliases/{alias}/shadow", toast=f"{counted(num, 'pair')} deleted.")
