"""The pages of aliases: all of them, one, and what can be done with one.

A change is committed first; then the gateway is told, so that the next request goes by it when the page is there.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.serve import aliases, rollouts, service
from goldsmith.serve.shadow import service as shadow
from goldsmith.serve.types import Part
from goldsmith.web.dependencies import AfterSwitch, CurrentPerson, ReadSession, TheState
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.pages import redirect, render
from goldsmith.web.serve.forms import AliasForm, RolloutForm, TheShares
from goldsmith.web.serve.found import alias_page, aliases_page

pages = APIRouter()
NewRollout = Annotated[Filled[RolloutForm], Depends(form_of(RolloutForm))]
NewAlias = Annotated[Filled[AliasForm], Depends(form_of(AliasForm))]


@pages.get("/aliases")
def all_aliases(request: Request, session: ReadSession, person: CurrentPerson) -> HTMLResponse:
    """Every alias, and a new one."""
    return render(request, aliases_page(session, person))


@pages.post("/aliases", response_model=None)
def make(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, form: NewAlias
) -> HTMLResponse | RedirectResponse:
    """Make an alias."""
    if form.value is None:
        with state.database.reading() as session:
            return render(request, aliases_page(session, person, form.fields), status=422)
    with state.database.transaction() as session:
        aliases.make(session, form.value.name, Part(form.value.model, 1.0), by=person)
    after_switch()
    return redirect(request, f"/aliases/{form.value.name}", toast=f"Callers can use {form.value.name} now.")


@pages.get("/aliases/{alias}")
def one_alias(request: Request, session: ReadSession, person: CurrentPerson, alias: str) -> HTMLResponse:
    """One alias: who answers, and what changed."""
    return render(request, alias_page(request, session, person, alias), fragment="serve/_watched.html")


@pages.post("/aliases/{alias}")
def share_out(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str, form: TheShares
) -> RedirectResponse:
    """Change what it leads to."""
    with state.database.transaction() as session:
        aliases.one(session, alias, domain=person.domain)
        aliases.point(session, alias, form.parts, by=person, why=form.why, force=form.force)
    after_switch()
    return redirect(
        request, f"/aliases/{alias}", toast="Changed, without a lost request.", undo=f"/aliases/{alias}/undo"
    )


@pages.post("/aliases/{alias}/rollout")
def start_rollout(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str, form: NewRollout
) -> RedirectResponse:
    """Give a new model a growing share, watched."""
    with state.database.transaction() as session:
        rollouts.start(session, alias, form.usable.model, form.usable.plan, by=person)
    after_switch()
    return redirect(request, f"/aliases/{alias}#rollout", toast="The roll-out has begun.")


@pages.post("/aliases/{alias}/rollout/continue")
def continue_rollout(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str
) -> RedirectResponse:
    """Go on to the next share now."""
    with state.database.transaction() as session:
        rollouts.go_on(session, rollouts.current(session, alias, domain=person.domain), by=person)
    after_switch()
    return redirect(request, f"/aliases/{alias}#rollout", toast="Gone on, without a lost request.")


@pages.post("/aliases/{alias}/rollout/back")
def roll_back(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str
) -> RedirectResponse:
    """Give everything back to the models that were there before."""
    with state.database.transaction() as session:
        row = rollouts.current(session, alias, domain=person.domain)
        rollouts.roll_back(session, row, by=person, why=f"Rolled back by {person.name}.")
    after_switch()
    return redirect(request, f"/aliases/{alias}#rollout", toast="Everything is as it was before the roll-out.")


@pages.post("/aliases/{alias}/remove")
def remove(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str
) -> RedirectResponse:
    """Take the name away."""
    with state.database.transaction() as session:
        shadow.remove_alias(session, alias, by=person)
    after_switch()
    return redirect(request, f"/aliases/{alias}", toast=f"{alias} is gone.", undo=f"/aliases/{alias}/undo")


@pages.post("/aliases/{alias}/undo")
def undo(
    request: Request, state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: str
) -> RedirectResponse:
    """Make it what it was before."""
    with state.database.transaction() as session:
        service.undo_alias(session, alias, by=person)
    after_switch()
    return redirect(request, f"/aliases/{alias}", toast="It is as it was before.")
