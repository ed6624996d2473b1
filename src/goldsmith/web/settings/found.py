"""Puts the page of settings together from what the steps' queries find. Used by the handlers only."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from fastapi import Request
from sqlalchemy import orm

from goldsmith.environments import folders
from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.models import queries as models
from goldsmith.people import service as people
from goldsmith.people.errors import KeyNotFound
from goldsmith.people.tables import Key
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.serve.errors import EngineNotFound
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineKind
from goldsmith.web import needs
from goldsmith.web.forms import FormField, Option, fields_of
from goldsmith.web.looks import has_keys, theme_of
from goldsmith.web.resting import rests
from goldsmith.web.settings import views
from goldsmith.web.settings.forms import THEMES, AttachForm, KeyForm, LookForm, ProviderForm
from goldsmith.web.settings.views import EngineLine, SettingsPage
from goldsmith.web.state import WebState


def settings_page(request: Request, state: WebState, session: orm.Session, person: Person) -> SettingsPage:
    """The page, with its forms as nobody has filled them yet."""
    look = {"theme": theme_of(request), "single_keys": has_keys(request)}
    at_rest = rests(session, domain=person.domain)
    engines = (row for row in serve.page(session, domain=person.domain) if _is_shown(row))
    return SettingsPage(
        title="Settings",
        engines=tuple(views.engine_line(row, at_rest.get(row.id)) for row in engines),
        provider_fields=fields_of(ProviderForm),
        attach_fields=attach_fields(session, person, fields_of(AttachForm)),
        has_bases=bool(models.bases(session, domain=person.domain)),
        keys=tuple(views.key_line(key, who) for key, who in people.keys(session) if who.domain == person.domain),
        key_fields=fields_of(KeyForm),
        environments=_environments(state, session),
        look_fields=fields_of(LookForm, look, options={"theme": THEMES}),
        settings=views.setting_lines(state.settings),
    )


def attach_fields(session: orm.Session, person: Person, fields: Sequence[FormField]) -> tuple[FormField, ...]:
    """The fields of an engine to attach, with the base models that there are."""
    bases = tuple(Option(base.id, base.name) for base in models.bases(session, domain=person.domain))
    return tuple(replace(each, kind="select", options=bases) if each.name == "base_model" else each for each in fields)


def engine_of(session: orm.Session, engine_id: str, person: Person) -> Engine:
    """The engine, when it belongs to the person's organisation. Raises EngineNotFound."""
    engine = serve.one(session, engine_id)
    if engine.domain != person.domain:
        raise EngineNotFound(f"There is no engine {engine_id}.")
    return engine


def key_of(session: orm.Session, key_id: str, person: Person) -> Key:
    """The key, when it belongs to the person's organisation. Raises KeyNotFound."""
    found = (key for key, who in people.keys(session) if key.id == key_id and who.domain == person.domain)
    key = next(found, None)
    if key is None:
        raise KeyNotFound(f"There is no key {key_id}.")
    return key


def with_engine(page: SettingsPage, engine_id: str, change: Callable[[EngineLine], EngineLine]) -> SettingsPage:
    """The page with one engine changed: what was typed into a form of it, and what is wrong with it."""
    engines = tuple(change(line) if line.id == engine_id else line for line in page.engines)
    return replace(page, engines=engines)


def with_limit_fields(page: SettingsPage, key_id: str, fields: tuple[FormField, ...]) -> SettingsPage:
    """The page with what was typed for one key, and what is wrong with it."""
    keys = tuple(replace(line, limit_fields=fields) if line.id == key_id else line for line in page.keys)
    return replace(page, keys=keys)


def is_ours(row: Engine) -> bool:
    """Whether Goldsmith starts and stops it."""
    return row.kind == EngineKind.OURS.value


def _is_shown(row: Engine) -> bool:
    """What was removed is not; engines of ours stay, because they start again when they are needed."""
    return row.is_wanted or is_ours(row)


def _environments(state: WebState, session: orm.Session) -> tuple[views.EnvironmentLine, ...]:
    machine: MachineFacts = state.offers["machine"]
    no_engines = set(EnvironmentName) - {EnvironmentName.VLLM, EnvironmentName.VLLM_CPU}
    fitting = {*no_engines, needs.engine_of(machine)}
    return tuple(
        views.environment_line(
            found, needs.need_of_environment(session, state.home, found.name), fits=found.name in fitting
        )
        for found in folders.page(home=state.home.root)
    )
