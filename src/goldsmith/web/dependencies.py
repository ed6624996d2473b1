"""What handlers may ask for in their parameters. One request is one transaction, and it is written here once.

With `scope="function"` the commit happens before the answer is sent: a commit that fails is an error, not a 200.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import orm

from goldsmith.connect.sources import local
from goldsmith.connect.sources.types import Surroundings
from goldsmith.connect.types import Source
from goldsmith.environments.machine import MachineFacts
from goldsmith.people.errors import NotSignedIn
from goldsmith.people.types import Person
from goldsmith.settings import Settings
from goldsmith.storage.files import Home
from goldsmith.train.backends.base import Backend
from goldsmith.train.workshop import Workshop
from goldsmith.web.state import WebState
from goldsmith.web.stream import Stream

MakeSource = Callable[[], Source | None]


def web_state(request: Request) -> WebState:
    """The parts that the web stands on."""
    state: WebState = request.app.state.web
    return state


TheState = Annotated[WebState, Depends(web_state)]


def _writing(state: TheState) -> Iterator[orm.Session]:
    with state.database.transaction() as session:
        yield session


def _reading(state: TheState) -> Iterator[orm.Session]:
    with state.database.reading() as session:
        yield session


def _person(request: Request) -> Person:
    person: Person | None = getattr(request.state, "person", None)
    if person is None:
        raise NotSignedIn("Neither a cookie of this browser nor a key came with the request.")
    return person


def _home(state: TheState) -> Home:
    return state.home


def _settings(state: TheState) -> Settings:
    return state.settings


def _stream(request: Request) -> Stream:
    stream: Stream = request.app.state.stream
    return stream


def _backends(state: TheState) -> Mapping[str, Backend]:
    backends: Mapping[str, Backend] = state.offers["backends"]
    return backends


def _machine(state: TheState) -> MachineFacts:
    machine: MachineFacts = state.offers["machine"]
    return machine


def _import_roots(state: TheState) -> tuple[Path, ...]:
    roots: tuple[Path, ...] = state.offers["import_roots"]
    return roots


def _sources(state: TheState) -> Mapping[str, MakeSource]:
    sources: Mapping[str, MakeSource] = state.offers.get("sources", {})
    return sources


def _after_switch(state: TheState) -> Callable[[], None]:
    refresh: Callable[[], None] = state.offers["after_switch"]
    return refresh


Session = Annotated[orm.Session, Depends(_writing, scope="function")]
"""For handlers that write: committed when the handler returns, rolled back when it raises."""
ReadSession = Annotated[orm.Session, Depends(_reading, scope="function")]
"""For handlers that only read; it blocks nobody."""
CurrentPerson = Annotated[Person, Depends(_person)]
TheHome = Annotated[Home, Depends(_home)]
TheSettings = Annotated[Settings, Depends(_settings)]
TheStream = Annotated[Stream, Depends(_stream)]
TheBackends = Annotated[Mapping[str, Backend], Depends(_backends)]
"""Every training backend, by name."""
TheMachine = Annotated[MachineFacts, Depends(_machine)]


def _workshop(home: TheHome, backends: TheBackends, machine: TheMachine) -> Workshop:
    return Workshop(home, backends, machine)


TheWorkshop = Annotated[Workshop, Depends(_workshop)]
"""With what is trained here."""
TheImportRoots = Annotated[tuple[Path, ...], Depends(_import_roots)]
"""Folders from which models may be imported."""
TheSources = Annotated[Mapping[str, MakeSource], Depends(_sources)]
"""Where stars live besides here, by name; each is None where the settings do not say how to reach it."""
AfterSwitch = Annotated[Callable[[], None], Depends(_after_switch)]
"""Makes the gateway go by what was just committed; returns when it does."""


def _surroundings(settings: TheSettings, home: TheHome) -> Surroundings:
    return local.surroundings(settings, home)


TheSurroundings = Annotated[Surroundings, Depends(_surroundings)]
"""What sources of rows may know of this machine."""
