"""The pages of gold stars: which runs can be read, the reading page, many at once, training sets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse

from goldsmith.run import queries as run_queries
from goldsmith.stars import cures, export, queries, service
from goldsmith.stars.errors import TrainingSetNotFound
from goldsmith.stars.types import BulkRequest, BulkRule, Side
from goldsmith.web.answers import After
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome
from goldsmith.web.format import counted
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.pages import redirect, render
from goldsmith.web.stars.api import SetFile
from goldsmith.web.stars.found import (
    ExportForm,
    conflict_of,
    many_page,
    newest_mark,
    place_after,
    reader_page,
    schema_of_run,
    stars_page,
    training_set_page,
)
from goldsmith.web.stars.saying import Said, ThePlace, TheSaying

pages = APIRouter()
_DONE = {BulkRule.star_equal: "starred", BulkRule.correct_others: "corrected and starred"}


@pages.get("/stars")
def stars(request: Request, session: ReadSession, person: CurrentPerson) -> HTMLResponse:
    """Which runs have answers to read, and the training sets."""
    return render(request, stars_page(session, person))


@pages.get("/stars/export")
def export_form(request: Request) -> RedirectResponse:
    """Where a training set is made."""
    return redirect(request, "/stars#make")


@pages.post("/stars/export", response_model=None)
def make_set(
    request: Request,
    session: Session,
    person: CurrentPerson,
    home: TheHome,
    form: Annotated[Filled[ExportForm], Depends(form_of(ExportForm))],
) -> HTMLResponse | RedirectResponse:
    """Make a training set of gold stars."""
    if not form.is_usable:
        return render(request, stars_page(session, person, form.fields), status=422)
    made = export.export(session, home, form.usable.request, by=person)
    return redirect(request, f"/training-sets/{made.id}")


@pages.get("/stars/{run_id}")
def read(request: Request, session: ReadSession, person: CurrentPerson, run_id: str, place: ThePlace) -> HTMLResponse:
    """A row beside its answer."""
    run = run_queries.one(session, run_id, domain=person.domain)
    return render(request, reader_page(session, run, place), fragment="stars/_reader.html")


@pages.get("/stars/{run_id}/many")
def many(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    run_id: str,
    column: Annotated[str | None, Query(max_length=1000)] = None,
) -> HTMLResponse:
    """What marking by a column would touch; marks nothing."""
    run = run_queries.one(session, run_id, domain=person.domain)
    return render(request, many_page(request, session, person, run, column))


@pages.post("/stars/{run_id}/many")
def mark_many(
    request: Request,
    session: Session,
    person: CurrentPerson,
    run_id: str,
    rule: Annotated[BulkRule, Form()],
    column: Annotated[str, Form(max_length=1000)],
) -> RedirectResponse:
    """Mark by a column. What a person has marked is never touched."""
    done = service.bulk_apply(session, BulkRequest(run_id, rule, column), by=person)
    toast = f"{counted(done.num_touched, 'answer')} {_DONE[rule]}."
    undo = f"/stars/{run_id}/many/undo" if done.num_touched else None
    return redirect(request, f"/stars/{run_id}/many?column={column}", toast=toast, undo=undo)


@pages.post("/stars/{run_id}/many/undo")
def undo_many(request: Request, session: Session, person: CurrentPerson, run_id: str) -> RedirectResponse:
    """Take back what the last rule marked; what somebody has marked since stays."""
    num = service.undo_bulk(session, run_id, by=person)
    return redirect(request, f"/stars/{run_id}/many", toast=f"{counted(num, 'answer')} taken back.")


@pages.post("/stars/{run_id}/{answer_id}", response_model=None)
def say(
    request: Request, session: Session, person: CurrentPerson, run_id: str, answer_id: str, saying: TheSaying
) -> HTMLResponse | RedirectResponse:
    """Star it, correct it, mark it bad; then the next row."""
    answer = run_queries.answer(session, answer_id, domain=person.domain)
    newest = newest_mark(session, answer)
    conflict = conflict_of(session, answer, newest, saying, by=person)
    if conflict is not None:
        run = run_queries.one(session, answer.run_id)
        return render(request, reader_page(session, run, saying.form, conflict=conflict), status=409)
    service.mark(session, answer.id, saying.request(answer, newest, schema_of_run(session, answer.run_id)), by=person)
    stays = saying.form.verb in (Said.NOTE, Said.UNSTAR)
    here = saying.form.address(run_id, answer.position)
    there = here if stays else place_after(session, answer.run_id, saying.form, answer.position)
    return redirect(request, there, toast=saying.toast(answer.position), undo=f"/stars/{run_id}/{answer_id}/undo")


@pages.post("/stars/{run_id}/{answer_id}/undo")
def undo(request: Request, session: Session, person: CurrentPerson, run_id: str, answer_id: str) -> RedirectResponse:
    """Take the newest mark back."""
    answer = run_queries.answer(session, answer_id, domain=person.domain)
    service.undo(session, answer.id, by=person)
    return redirect(request, f"/stars/{run_id}?at={answer.position}", toast="Taken back.")


@pages.get("/training-sets/{set_id}")
def training_set(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    set_id: str,
    side: Side = Side.learn,
    after: After = 0,
) -> HTMLResponse:
    """One training set."""
    found = queries.training_set(session, set_id, domain=person.domain)
    return render(request, training_set_page(request, session, found, side, after))


@pages.post("/training-sets/{set_id}/without")
def leave_out(
    request: Request,
    session: Session,
    person: CurrentPerson,
    home: TheHome,
    set_id: str,
    check: Annotated[list[str], Form(max_length=20)],
) -> RedirectResponse:
    """The same set without what these checks have found."""
    made = cures.without(session, home, set_id, check, by=person)
    return redirect(request, f"/training-sets/{made.id}", toast="Made. The set with all rows is still there.")


@pages.get("/training-sets/{set_id}/{name}", response_class=FileResponse)
def download(session: ReadSession, person: CurrentPerson, home: TheHome, set_id: str, name: SetFile) -> FileResponse:
    """One of its files."""
    found = queries.training_set(session, set_id, domain=person.domain)
    path = home.root / found.folder / name.value
    if not path.is_file():
        raise TrainingSetNotFound(f"The file {name.value} of {found.name} is gone.", hint="Make the set again.")
    return FileResponse(path, media_type="application/octet-stream", filename=f"{found.id}-{name.value}")
