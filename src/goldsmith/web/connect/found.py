"""What the page and the addresses of sources look up."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import orm

from goldsmith.connect import queries
from goldsmith.connect.aristotle import Aristotle, checking
from goldsmith.connect.bringing import service as bringing
from goldsmith.connect.errors import SourceNotConnected
from goldsmith.connect.executions import queries as executions
from goldsmith.connect.executions.types import ResultState
from goldsmith.connect.tables import SourceScope
from goldsmith.connect.types import Source
from goldsmith.errors import GoldsmithError
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.web.connect.forms import BringForm
from goldsmith.web.connect.views import (
    AristotlePage,
    Checked,
    ExecutionLine,
    ScopeLine,
    checked_facts,
    conflict_lines,
    execution_line,
    scope_line,
)
from goldsmith.web.dependencies import MakeSource
from goldsmith.web.forms import FormField, fields_of

ARISTOTLE = "aristotle"
NUM_EXECUTIONS = 20


def connected(sources: Mapping[str, MakeSource], name: str) -> Source:
    """The source. Raises SourceNotConnected."""
    found = sources[name]() if name in sources else None
    if found is None:
        raise SourceNotConnected(f"The settings do not say how to reach {name.capitalize()}.")
    return found


def aristotle(sources: Mapping[str, MakeSource]) -> Aristotle:
    """Aristotle's database. Raises SourceNotConnected."""
    found = connected(sources, ARISTOTLE)
    if not isinstance(found, Aristotle):
        raise SourceNotConnected("What is connected under this name is not Aristotle's database.")
    return found


def checked(source: Aristotle) -> Checked:
    """What a test of the connection finds, in words whatever it is."""
    try:
        return checked_facts(
            checking.check(source.place, eidos_from=source.eidos_from, candidate_from=source.candidate_from)
        )
    except GoldsmithError as error:
        return Checked(error.title, error.message, error.hint, is_good=False)


def aristotle_page(
    session: orm.Session,
    sources: Mapping[str, MakeSource],
    person: Person,
    *,
    tested: Checked | None = None,
    fields: tuple[FormField, ...] = (),
) -> AristotlePage:
    """The page, with its form as nobody has filled it yet, or as it was sent."""
    place = _place(sources)
    scopes = queries.scopes(session, source=ARISTOTLE, domain=person.domain)
    brought = bringing.newest(session, [scope.id for scope in scopes])
    conflicts = [each for scope in scopes for each in queries.conflicts(session, scope.id)]
    return AristotlePage(
        title="Aristotle",
        place=place if isinstance(place, str) else None,
        checked=place if isinstance(place, Checked) else tested,
        scopes=tuple(_line(session, scope, brought.get(scope.id)) for scope in scopes),
        conflicts=conflict_lines(conflicts),
        executions=_executions(session, person),
        fields=fields or fields_of(BringForm),
    )


def _executions(session: orm.Session, person: Person) -> tuple[ExecutionLine, ...]:
    rows = executions.page(session, domain=person.domain, limit=NUM_EXECUTIONS)
    ids = [row.id for row in rows]
    counts, used = executions.counts(session, ids), executions.used(session, ids)
    conquests = executions.only_conquests(session, ids)
    return tuple(
        execution_line(row, conquests.get(row.id), counts[row.id][ResultState.STORED], used.get(row.id, (0, 0.0)))
        for row in rows
    )


def _place(sources: Mapping[str, MakeSource]) -> str | Checked | None:
    """Where it is; None where nobody has said it, and what is wrong with what was said."""
    try:
        found = sources[ARISTOTLE]() if ARISTOTLE in sources else None
    except GoldsmithError as error:
        return Checked(error.title, error.message, error.hint, is_good=False)
    return str(found.place) if isinstance(found, Aristotle) else None


def with_schedule(page: AristotlePage, scope_id: str, fields: tuple[FormField, ...]) -> AristotlePage:
    """The page with what was typed for one scope, and what is wrong with it."""
    scopes = tuple(replace(line, fields=fields) if line.id == scope_id else line for line in page.scopes)
    return replace(page, scopes=scopes)


def _line(session: orm.Session, scope: SourceScope, job: Job | None) -> ScopeLine:
    unwritten = {external_id for external_id, _ in queries.unwritten(session, scope.id)}
    num_stars = queries.num_stars(session, scope.id)
    return scope_line(scope, num_stars, queries.write_counts(session, scope.id), len(unwritten), job)
