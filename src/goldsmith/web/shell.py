"""What surrounds every page: the menu, the engine's state in one line, who is signed in.

Read at most every two seconds for each person, so that no page waits for it; when the database does not answer, pages
still have their menu.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, orm, select
from sqlalchemy.exc import SQLAlchemyError

from goldsmith.jobs import notices
from goldsmith.jobs.queries import is_nobody_at_work
from goldsmith.jobs.states import ACTIVE
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.serve import resting
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.web.format import counted
from goldsmith.web.looks import Theme
from goldsmith.web.navigation import MenuGroup, menu
from goldsmith.web.state import WebState

FRESH_S = 2.0
MAX_PEOPLE = 256
PATIENCE_S = 45.0
"""A lease is good for 30 s; a supervisor that lives keeps it long before that."""
log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class EngineLine:
    """The engine in one line, at the foot of the menu."""

    icon: str
    look: str
    sentence: str
    detail: str


@dataclass(frozen=True)
class Toast:
    """A sentence that stands for ten seconds, with the way back if there is one."""

    text: str
    undo_action: str | None = None
    """The page address to which an empty form is posted to undo it."""


@dataclass(frozen=True)
class Shell:
    """What the layout shows around a page."""

    groups: tuple[MenuGroup, ...]
    engine: EngineLine | None
    person: Person | None
    toast: Toast | None
    path: str
    current: str = ""
    """The menu entry that the page belongs to."""
    theme: Theme = Theme.SYSTEM
    has_keys: bool = True
    """Whether single keys do something in this browser."""
    num_notices: int = 0
    """What has ended, and the person has not seen yet."""


@dataclass(frozen=True)
class Facts:
    """What was read from the database for one person."""

    engine: EngineLine | None
    counts: dict[str, str]
    num_notices: int = 0


_ENGINE_LINES: dict[str, EngineLine] = {
    "ready": EngineLine("check-circle", "good", "Engine is running", ""),
    "starting": EngineLine("starting", "info", "Engine is starting", "reading weights"),
    "failed": EngineLine("x-square", "bad", "Engine has stopped", "see Models for why"),
    "resting": EngineLine("paused", "info", "Engine is at rest", "a training has its memory"),
    "stopped": EngineLine("slash", "faint", "Engine is off", "it starts when a model is needed"),
}
_NOBODY = EngineLine("x-square", "bad", "Nobody does the work", "start it with: goldsmith up")


class Surroundings:
    """Builds the shell of a page."""

    def __init__(self, state: WebState, paths: frozenset[str]) -> None:
        self._state = state
        self._paths = paths
        self._known: OrderedDict[str, tuple[float, Facts]] = OrderedDict()

    def shell(self, person: Person | None, *, current: str, path: str, toast: Toast | None) -> Shell:
        """The shell for a page of `person`."""
        facts = self._facts(person) if person else Facts(None, {})
        groups = menu(self._paths, current, facts.counts) if person else ()
        return Shell(groups, facts.engine, person, toast, path, current, num_notices=facts.num_notices)

    def forget(self, person: Person) -> None:
        """Read anew what stands around this person's next page: they have just changed it."""
        self._known.pop(person.id, None)

    def _facts(self, person: Person) -> Facts:
        found = self._known.get(person.id)
        if found is not None and time.monotonic() - found[0] < FRESH_S:
            return found[1]
        facts = self._read(person)
        self._known[person.id] = (time.monotonic(), facts)
        while len(self._known) > MAX_PEOPLE:
            self._known.popitem(last=False)
        return facts

    def _read(self, person: Person) -> Facts:
        try:
            with self._state.database.reading() as session:
                line = _NOBODY if is_nobody_at_work(session, patience_s=PATIENCE_S) else None
                engine = line or engine_line(session, person.domain)
                return Facts(engine, self._counts(session, person), len(notices.unread(session, by=person)))
        except SQLAlchemyError as error:
            log.warning("the menu has no counts: %s", error)
            return Facts(EngineLine("x-square", "bad", "The database is not answering", "nothing can be saved"), {})

    def _counts(self, session: orm.Session, person: Person) -> dict[str, str]:
        counts: dict[str, Callable[[orm.Session, Person], str]] = {"activity": running, **self._state.menu_counts}
        return {name: count(session, person) for name, count in counts.items()}


def running(session: orm.Session, person: Person) -> str:
    """How many jobs are at work: "1 running", or nothing."""
    states = [state.value for state in ACTIVE]
    number = session.scalar(select(func.count()).where(Job.domain == person.domain, Job.state.in_(states)))
    return f"{number} running" if number else ""


def engine_line(session: orm.Session, domain: str) -> EngineLine:
    """The most awake of the domain's own engines, and how many models are loaded."""
    query = select(Engine.state).where(Engine.domain == domain, Engine.kind != "provider", Engine.is_wanted)
    states = set(session.scalars(query))
    if any(engine.domain == domain for engine, _ in resting.at_rest(session)):
        states.add("resting")
    state = next((name for name in _ENGINE_LINES if name in states), "stopped")
    line = _ENGINE_LINES[state]
    if state != "ready":
        return line
    loaded = select(func.count()).where(Deployment.domain == domain, Deployment.state == "loaded")
    return EngineLine(line.icon, line.look, line.sentence, counted(session.scalar(loaded) or 0, "model") + " loaded")
