"""The pages of sources: connect one, test it, read it, decide what changed, see where a row came from."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.connect.offering import service as offering
from goldsmith.connect.sources import kinds
from goldsmith.connect.syncing import queries, removing, service, starring
from goldsmith.connect.syncing.types import ConflictState
from goldsmith.web.dependencies import (
    CurrentPerson,
    ReadSession,
    Session,
    TheHome,
    TheState,
    TheSurroundings,
)
from goldsmith.web.pages import redirect, render
from goldsmith.web.sources import forms
from goldsmith.web.sources.found import change_page, connection_page, new_page, sent_change, sources_page
from goldsmith.web.sources.testing import tested, tested_draft
from goldsmith.web.sources.views import queued_words

pages = APIRouter()
FORGOTTEN = "Kept. The password was forgotten, because it would go to another place now: enter it again."


async def _posted(request: Request) -> Mapping[str, str]:
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Posted = Annotated[Mapping[str, str], Depends(_posted)]


@pages.get("/sources")
def sources(request: Request, session: ReadSession, person: CurrentPerson) -> HTMLResponse:
    """Every source, newest first, and what can be connected."""
    return render(request, sources_page(session, person))


@pages.get("/sources/new/{kind}")
def new(request: Request, kind: str) -> HTMLResponse:
    """The form of a kind."""
    found = kinds.one(kind)
    return render(request, new_page(found, forms.empty(found)))


@pages.post("/sources/new/{kind}", response_model=None)
def add(
    request: Request,
    state: TheState,
    person: CurrentPerson,
    surroundings: TheSurroundings,
    kind: str,
    posted: Posted,
) -> HTMLResponse | RedirectResponse:
    """Keep it, or only test what was filled in."""
    found = kinds.one(kind)
    fields = forms.sent(found, posted)
    if not fields.is_usable:
        return render(request, new_page(found, fields), status=422)
    draft = fields.draft(kind)
    if posted.get("do") == "test":
        return render(request, new_page(found, fields, tested_draft(draft, surroundings, by=person)))
    with state.database.transaction() as session:
        connection = service.add(session, state.home, draft, by=person)
    return redirect(request, f"/sources/{connection.id}", toast=f"{connection.name} is connected.")


@pages.get("/sources/{connection_id}")
def connection(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    home: TheHome,
    connection_id: str,
    row: Annotated[str | None, Query(max_length=64)] = None,
) -> HTMLResponse:
    """One source: what came in and when, what is next."""
    look_up = queries.that_was if row else queries.one  # a row says where it came from when that is read no more, too
    found = look_up(session, connection_id, domain=person.domain)
    page = connection_page(request, session, home, found, row_id=row)
    return render(request, page, fragment="sources/_connection.html")


@pages.post("/sources/{connection_id}/test")
def test(
    request: Request, state: TheState, person: CurrentPerson, surroundings: TheSurroundings, connection_id: str
) -> HTMLResponse:
    """See whether it answers, and say it."""
    with state.database.reading() as session:
        found = queries.one(session, connection_id, domain=person.domain)
    said = tested(state.home, found, surroundings, by=person)
    with state.database.reading() as session:
        return render(request, connection_page(request, session, state.home, found, tested=said))


@pages.post("/sources/{connection_id}/sync")
def sync(request: Request, session: Session, person: CurrentPerson, connection_id: str) -> RedirectResponse:
    """Read it now."""
    job = service.sync(session, connection_id, by=person)
    return redirect(request, f"/sources/{job.subject_id}", toast=queued_words(job))


@pages.post("/sources/{connection_id}/offers")
def offer(
    request: Request, session: Session, person: CurrentPerson, connection_id: str, posted: Posted
) -> RedirectResponse:
    """Show a run's answers there."""
    found, _ = offering.offer(session, connection_id, posted.get("run", ""), by=person)
    return redirect(request, f"/sources/{found.connection_id}#offers", toast="The answers are on their way.")


@pages.get("/sources/{connection_id}/change")
def change_form(request: Request, session: ReadSession, person: CurrentPerson, connection_id: str) -> HTMLResponse:
    """Its form, as it was filled in."""
    return render(request, change_page(queries.one(session, connection_id, domain=person.domain)))


@pages.post("/sources/{connection_id}/change", response_model=None)
def change(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, connection_id: str, posted: Posted
) -> HTMLResponse | RedirectResponse:
    """Keep what was changed."""
    found = queries.one(session, connection_id, domain=person.domain)
    fields = sent_change(home, found, dict(posted))
    if not fields.is_usable:
        return render(request, change_page(found, fields), status=422)
    changed, has_forgotten = service.change(session, home, found.id, fields.change, by=person)
    return redirect(request, f"/sources/{changed.id}", toast=FORGOTTEN if has_forgotten else "Kept.")


@pages.post("/sources/{connection_id}/remove")
def remove(
    request: Request, state: TheState, person: CurrentPerson, surroundings: TheSurroundings, connection_id: str
) -> RedirectResponse:
    """Read it no more, here and there."""
    removed = removing.remove(state.database, state.home, connection_id, surroundings, by=person)
    return redirect(request, "/sources", toast=removed.sentence)


@pages.post("/sources/{connection_id}/conflicts/{conflict_id}/{to}")
def decide(
    request: Request, session: Session, person: CurrentPerson, connection_id: str, conflict_id: int, to: ConflictState
) -> RedirectResponse:
    """Keep what was said here, or take what the source has now."""
    found = queries.one(session, connection_id, domain=person.domain)
    starring.decide(session, found, conflict_id, to, by=person)
    said = "What was said here holds." if to is ConflictState.KEPT else "The source's new row holds."
    return redirect(request, f"/sources/{found.id}", toast=said)
