"""The page of kept traffic: what is kept, what was, a dataset of it, and its end."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.serve.kept import service
from goldsmith.web.answers import Before
from goldsmith.web.dependencies import AfterSwitch, CurrentPerson, ReadSession, Session, TheHome, TheState
from goldsmith.web.format import counted
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.kept.forms import RuleForm
from goldsmith.web.kept.found import kept_page
from goldsmith.web.pages import redirect, render

pages = APIRouter()
Rule = Annotated[Filled[RuleForm], Depends(form_of(RuleForm))]
OneAlias = Annotated[str, Query(max_length=64)]
Posted = Annotated[str, Form(max_length=64)]


@pages.get("/kept")
def kept(
    request: Request, session: ReadSession, person: CurrentPerson, alias: OneAlias = "", before: Before = None
) -> HTMLResponse:
    """The rules, and what was kept."""
    return render(request, kept_page(request, session, person, alias=alias or None, before=before))


@pages.post("/kept/rules", response_model=None)
def set_rule(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, form: Rule
) -> HTMLResponse | RedirectResponse:
    """From now on this is kept."""
    if form.value is None:
        with state.database.reading() as session:
            return render(request, kept_page(request, session, person, fields=form.fields), status=422)
    with state.database.transaction() as session:
        rule = service.keep(session, form.value.alias, form.value.keeping, by=person)
        said = f"{100 * rule.share:g} % is kept from now on." if rule.share else "Nothing is kept from now on."
    after_switch()
    return redirect(request, "/kept", toast=said)


@pages.post("/kept/rules/stop")
def stop(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Posted = ""
) -> RedirectResponse:
    """Keep nothing more by a rule."""
    with state.database.transaction() as session:
        service.stop(session, alias, by=person)
    after_switch()
    return redirect(request, "/kept", toast="Nothing more is kept by this rule.")


@pages.post("/kept/dataset")
def make_dataset(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, alias: Posted = ""
) -> RedirectResponse:
    """A dataset of what was asked."""
    version = service.make_dataset(session, home, by=person, alias=alias or None)
    return redirect(request, f"/data/{version.dataset_id}", toast="What was asked is becoming a dataset.")


@pages.post("/kept/forget")
def forget(request: Request, session: Session, person: CurrentPerson, alias: OneAlias = "") -> RedirectResponse:
    """Delete now what was kept."""
    num = service.forget_all(session, alias=alias or None, by=person)
    return redirect(request, "/kept", toast=f"{counted(num, 'kept request')} deleted.")
