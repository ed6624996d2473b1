"""The pages of models: all of them, one, and what can be done with one."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.models import queries
from goldsmith.models import service as models
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import FromHub
from goldsmith.serve import queries as serve
from goldsmith.serve import service
from goldsmith.serve.types import parts_of
from goldsmith.web import alias_words
from goldsmith.web.dependencies import (
    AfterSwitch,
    CurrentPerson,
    ReadSession,
    Session,
    TheHome,
    TheImportRoots,
    TheState,
)
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.models import export_handlers, merged_handlers
from goldsmith.web.models.found import HubForm, ImportForm, Returned, base_page, model_page, models_page
from goldsmith.web.pages import redirect, render

pages = APIRouter()
pages.include_router(export_handlers.pages)
pages.include_router(merged_handlers.pages)
Filling = Annotated[Filled[ImportForm], Depends(form_of(ImportForm))]
HubFilling = Annotated[Filled[HubForm], Depends(form_of(HubForm))]


@pages.get("/models")
def all_models(
    request: Request, session: ReadSession, person: CurrentPerson, home: TheHome, roots: TheImportRoots
) -> HTMLResponse:
    """Every model, how to get more, and the engines."""
    return render(request, models_page(session, person, home, roots), fragment="models/_models.html")


@pages.post("/models", response_model=None)
def bring(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, roots: TheImportRoots, form: Filling
) -> HTMLResponse | RedirectResponse:
    """Import a model that lies on this machine."""
    if not form.is_usable:
        return render(request, models_page(session, person, home, roots, Returned(path=form.fields)), status=422)
    path = Path(form.usable.path).expanduser()
    models.start_path(session, path, name=form.usable.name, roots=roots, by=person)
    return redirect(request, "/models", toast=f"Importing {form.usable.name}. You can close this page; it goes on.")


@pages.post("/models/hub", response_model=None)
def bring_from_hub(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, roots: TheImportRoots, form: HubFilling
) -> HTMLResponse | RedirectResponse:
    """Bring a model from a model hub."""
    if not form.is_usable:
        return render(request, models_page(session, person, home, roots, Returned(hub=form.fields)), status=422)
    wanted = FromHub(form.usable.hub_id, name=form.usable.name)
    job = models.start_hub(session, wanted, by=person, home=home)
    toast = f"{job.title}: you can close this page; it goes on." if job else "It is there already."
    return redirect(request, "/models", toast=toast)


@pages.get("/models/{model_id}")
def one_model(request: Request, session: ReadSession, person: CurrentPerson, model_id: str) -> HTMLResponse:
    """One model: how it stands, what was measured, from where it comes."""
    row = queries.any_model(session, model_id, domain=person.domain)
    if isinstance(row, BaseModel):
        return render(request, base_page(request, session, row), fragment="models/_base.html")
    return render(request, model_page(request, session, row), fragment="models/_model.html")


@pages.post("/models/{model_id}/deploy")
def deploy(request: Request, session: Session, person: CurrentPerson, model_id: str) -> RedirectResponse:
    """Have it on an engine; the keeper does it."""
    service.deploy(session, model_id, by=person)
    return redirect(
        request, f"/models/{model_id}", toast="On its way to the engine.", undo=f"/models/{model_id}/undeploy"
    )


@pages.post("/models/{model_id}/undeploy")
def undeploy(request: Request, session: Session, person: CurrentPerson, model_id: str) -> RedirectResponse:
    """Take it off its engine."""
    service.undeploy(session, model_id, by=person)
    return redirect(request, f"/models/{model_id}", toast="Taken off the engine.", undo=f"/models/{model_id}/deploy")


@pages.post("/models/{model_id}/prove")
def prove(request: Request, session: Session, person: CurrentPerson, model_id: str) -> RedirectResponse:
    """Prove its load once more."""
    service.prove_again(session, model_id, by=person)
    return redirect(request, f"/models/{model_id}", toast="It is being proved again.")


@pages.post("/models/{model_id}/default")
def make_default(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, model_id: str
) -> RedirectResponse:
    """Give it to callers who name no model; answers when the next one gets it."""
    with state.database.transaction() as session:
        name = queries.any_model(session, model_id, domain=person.domain).name
        service.switch(session, model_id, by=person)
        undo = f"/models/{model_id}/undo" if service.can_undo_switch(session, by=person) else None
    after_switch()
    return redirect(request, f"/models/{model_id}", toast=f"{name} is the default now.", undo=undo)


@pages.post("/models/{model_id}/undo")
def undo_default(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, model_id: str
) -> RedirectResponse:
    """Go back to the model that was the default before."""
    with state.database.transaction() as session:
        alias = service.undo_switch(session, by=person)
        names = alias_words.shares(parts_of(alias.targets), serve.model_names(session))
    after_switch()
    return redirect(request, f"/models/{model_id}", toast=f"{names} is the default again.")
