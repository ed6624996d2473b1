"""The page of settings: outside providers and attached engines, keys for programs, environments, how pages look."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.environments import folders
from goldsmith.environments.types import EnvironmentName
from goldsmith.people import service as people
from goldsmith.serve import engine as engines
from goldsmith.serve import outside, service
from goldsmith.serve.trial import try_once
from goldsmith.web import looks
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheState
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.pages import redirect, render
from goldsmith.web.settings.forms import AttachForm, CopiesForm, KeyForm, LimitsForm, LookForm, PlacesForm, ProviderForm
from goldsmith.web.settings.found import (
    attach_fields,
    engine_of,
    is_ours,
    key_of,
    settings_page,
    with_engine,
    with_limit_fields,
)
from goldsmith.web.settings.views import NewKeyPage

pages = APIRouter()
Provider = Annotated[Filled[ProviderForm], Depends(form_of(ProviderForm))]
Attached = Annotated[Filled[AttachForm], Depends(form_of(AttachForm))]
NewKey = Annotated[Filled[KeyForm], Depends(form_of(KeyForm))]
Copies = Annotated[Filled[CopiesForm], Depends(form_of(CopiesForm))]
Places = Annotated[Filled[PlacesForm], Depends(form_of(PlacesForm))]
KeyLimits = Annotated[Filled[LimitsForm], Depends(form_of(LimitsForm))]
Look = Annotated[Filled[LookForm], Depends(form_of(LookForm))]
Part = Literal["engines", "environments"]
Answer = HTMLResponse | RedirectResponse


@pages.get("/settings")
def settings(
    request: Request, state: TheState, session: ReadSession, person: CurrentPerson, part: Part = "engines"
) -> HTMLResponse:
    """Everything that can be set; `part` is what an open page asks for again."""
    return render(request, settings_page(request, state, session, person), fragment=f"settings/_{part}.html")


@pages.post("/settings/providers", response_model=None)
def add_provider(request: Request, state: TheState, session: Session, person: CurrentPerson, form: Provider) -> Answer:
    """Use an outside service, with its key and its price."""
    if not form.is_usable:
        page = replace(settings_page(request, state, session, person), provider_fields=form.fields)
        return render(request, page, status=422)
    asked = form.usable
    prices = (asked.input_usd_per_million, asked.output_usd_per_million)
    engine = outside.add_provider(
        session, asked.url, model=asked.model, by=person, name=asked.name or None, prices_usd_per_million=prices
    )
    if asked.key is not None:
        engines.write_key(state.home, engine.id, asked.key.get_secret_value())
    return redirect(request, "/settings#engines", toast=f"{engine.name} is added. Test it, then run it over your rows.")


@pages.post("/settings/attached", response_model=None)
def attach(request: Request, state: TheState, session: Session, person: CurrentPerson, form: Attached) -> Answer:
    """Use a vLLM that runs already."""
    if not form.is_usable:
        fields = attach_fields(session, person, form.fields)
        return render(
            request, replace(settings_page(request, state, session, person), attach_fields=fields), status=422
        )
    asked = form.usable
    engine = outside.attach_engine(
        session, asked.url, base_model_id=asked.base_model, by=person, name_in_engine=asked.name_in_engine or None
    )
    if asked.key is not None:
        engines.write_key(state.home, engine.id, asked.key.get_secret_value())
    return redirect(request, "/settings#engines", toast=f"{engine.name} is attached.")


@pages.post("/settings/engines/{engine_id}/test")
def try_engine(request: Request, state: TheState, person: CurrentPerson, engine_id: str) -> RedirectResponse:
    """Ask it one short question. No transaction is open while it answers."""
    with state.database.reading() as session:
        engine = engine_of(session, engine_id, person)
        door = (engine.url or "", engines.read_key(state.home, engine.id), engine.provider_model)
    trial = try_once(*door)
    with state.database.transaction() as session:
        outside.note_trial(session, engine_id, trial)
    return redirect(request, "/settings#engines", toast=trial.sentence)


@pages.post("/settings/engines/{engine_id}/remove")
def remove(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, engine_id: str
) -> RedirectResponse:
    """Use it no more, and delete its key; one of ours is stopped."""
    engine = outside.remove_engine(session, engine_of(session, engine_id, person).id, by=person)
    if not is_ours(engine):
        engines.forget_key(home, engine.id)
    return redirect(request, "/settings#engines", toast=f"{engine.name}: {engine.message}.")


@pages.post("/settings/engines/{engine_id}/copies", response_model=None)
def set_copies(
    request: Request, state: TheState, session: Session, person: CurrentPerson, engine_id: str, form: Copies
) -> Answer:
    """Have so many engines answer for one base model."""
    engine = engine_of(session, engine_id, person)
    if not form.is_usable:
        page = settings_page(request, state, session, person)
        page = with_engine(page, engine.id, lambda line: replace(line, copy_fields=form.fields))
        return render(request, page, status=422)
    service.set_copies(session, engine.id, form.usable.num_copies, by=person)
    told = f"{engine.name}: {engine.num_copies} in all, as far as there is room."
    return redirect(request, "/settings#engines", toast=told)


@pages.post("/settings/engines/{engine_id}/places", response_model=None)
def set_places(
    request: Request, state: TheState, session: Session, person: CurrentPerson, engine_id: str, form: Places
) -> Answer:
    """Have an engine hold so many adapters ready at once."""
    engine = engine_of(session, engine_id, person)
    if not form.is_usable:
        page = settings_page(request, state, session, person)
        page = with_engine(page, engine.id, lambda line: replace(line, place_fields=form.fields))
        return render(request, page, status=422)
    service.set_places(session, engine.id, form.usable.num_places, by=person)
    told = f"{engine.name}: {engine.num_places} places for fine-tuned models."
    return redirect(request, "/settings#engines", toast=told)


@pages.post("/settings/keys", response_model=None)
def add_key(request: Request, state: TheState, session: Session, person: CurrentPerson, form: NewKey) -> HTMLResponse:
    """Make a key, and show it this once."""
    if not form.is_usable:
        page = replace(settings_page(request, state, session, person), key_fields=form.fields)
        return render(request, page, status=422)
    _, secret = people.add_key(session, form.usable.label, by=person, limits=form.usable.limits())
    answer = render(request, NewKeyPage("A new key", form.usable.label, secret, f"{request.base_url}v1"), status=201)
    answer.headers["cache-control"] = "no-store"
    return answer


@pages.post("/settings/keys/{key_id}/limits", response_model=None)
def limit_key(
    request: Request, state: TheState, session: Session, person: CurrentPerson, key_id: str, form: KeyLimits
) -> Answer:
    """Set how much a key may ask of the models."""
    key = key_of(session, key_id, person)
    if not form.is_usable:
        page = with_limit_fields(settings_page(request, state, session, person), key.id, form.fields)
        return render(request, page, status=422)
    people.limit_key(session, key.id, form.usable.limits())
    return redirect(request, "/settings#keys", toast=f"The limits of the key “{key.label}” are set.")


@pages.post("/settings/keys/{key_id}/revoke")
def revoke_key(request: Request, session: Session, person: CurrentPerson, key_id: str) -> RedirectResponse:
    """Switch a key off for good."""
    key = key_of(session, key_id, person)
    people.revoke_key(session, key.id)
    return redirect(
        request, "/settings#keys", toast=f"The key “{key.label}” is switched off: programs with it are refused."
    )


@pages.post("/settings/environments/{name}/remove")
def remove_environment(
    request: Request, person: CurrentPerson, home: TheHome, name: EnvironmentName
) -> RedirectResponse:
    """Delete an environment; refused while something runs in it."""
    del person
    folders.remove(name, home=home.root)
    return redirect(request, "/settings#environments", toast=f"{name} is removed.", undo=f"/setup/environments/{name}")


@pages.post("/settings/look", response_model=None)
def choose_look(request: Request, state: TheState, session: ReadSession, person: CurrentPerson, form: Look) -> Answer:
    """Keep what this browser wants to look like."""
    if not form.is_usable:
        return render(
            request, replace(settings_page(request, state, session, person), look_fields=form.fields), status=422
        )
    answer = redirect(request, "/settings#look", toast="Kept in this browser.")
    return looks.keep(answer, theme=form.usable.theme, has_single_keys=form.usable.single_keys)
