"""The pages of datasets: bring rows in, look at them first, see what was taken, hide a dataset."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.data import previewing, queries, service
from goldsmith.data.types import ImportRequest, Upload
from goldsmith.stars import importing
from goldsmith.web.answers import After, Before
from goldsmith.web.data.found import dataset_of, dataset_page, datasets_page
from goldsmith.web.data.incoming import Incoming, TheIncoming
from goldsmith.web.data.mapping import SHA256, TheColumnChoice, TheReading
from goldsmith.web.data.views import NewDataPage, preview_page
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome
from goldsmith.web.pages import redirect, render
from goldsmith.web.sample import ANSWER_COLUMN, sample

pages = APIRouter()
Sha256 = Annotated[str, Path(pattern=SHA256)]


@pages.get("/data")
def datasets(request: Request, session: ReadSession, person: CurrentPerson, before: Before = None) -> HTMLResponse:
    """Every dataset, newest first."""
    return render(request, datasets_page(request, session, person, before), fragment="data/_datasets.html")


@pages.get("/data/new")
def new(request: Request, session: ReadSession, person: CurrentPerson, dataset: str | None = None) -> HTMLResponse:
    """Choose a file, or paste rows."""
    found = queries.one(session, dataset, domain=person.domain) if dataset else None
    return render(request, NewDataPage(f"New version of {found.name}" if found else "Bring rows in", found))


@pages.post("/data/sample")
def try_sample(request: Request, session: Session, person: CurrentPerson, home: TheHome) -> RedirectResponse:
    """Import the sample that comes with Goldsmith."""
    given = sample()
    with given.path.open("rb") as stream:
        upload = service.save_upload(home, stream, given.path.name)
    wanted = ImportRequest(upload, given.name, answer_column=ANSWER_COLUMN)
    version, _ = service.start_import(session, wanted, by=person)
    return redirect(request, f"/data/{version.dataset_id}", toast="Bringing the sample messages in.")


@pages.post("/data/preview")
def keep(request: Request, home: TheHome, incoming: TheIncoming) -> RedirectResponse:
    """Keep the file under its hash, and look at it. Nothing is imported."""
    return redirect(request, _preview_address(incoming.keep(home), incoming))


@pages.get("/data/preview/{sha256}")
def preview(request: Request, home: TheHome, sha256: Sha256, reading: TheReading) -> HTMLResponse:
    """What the file holds, how it would be read, and what each column is for."""
    upload = service.kept_upload(home, sha256, reading.filename)
    path = service.path_of(home, upload)
    found = previewing.preview(path, filename=upload.filename, num_rows=8, options=reading.options)
    return render(request, preview_page(sha256, reading, found))


@pages.post("/data/import")
def start(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, choice: TheColumnChoice
) -> RedirectResponse:
    """Import it as it was chosen on the preview."""
    version, _ = service.start_import(session, choice.request(home), by=person)
    if choice.stars_answers:
        importing.start(session, version.id, by=person)
    return redirect(request, f"/data/{version.dataset_id}")


@pages.get("/data/{dataset_id}")
def dataset(
    request: Request,
    session: ReadSession,
    person: CurrentPerson,
    dataset_id: str,
    version: Annotated[str | None, Query(max_length=64)] = None,
    after: After = 0,
) -> HTMLResponse:
    """One dataset: rows, versions, bad rows."""
    found = dataset_of(session, dataset_id, person)
    return render(request, dataset_page(request, session, found, version, after), fragment="data/_dataset.html")


@pages.post("/data/{dataset_id}/delete")
def delete(request: Request, session: Session, person: CurrentPerson, dataset_id: str) -> RedirectResponse:
    """Hide a dataset; what was made from it stays."""
    found = queries.one(session, dataset_id, domain=person.domain)
    service.delete(session, found.id, by=person)
    return redirect(request, "/data", toast=f"{found.name} deleted.", undo=f"/data/{found.id}/restore")


@pages.post("/data/{dataset_id}/restore")
def restore(request: Request, session: Session, person: CurrentPerson, dataset_id: str) -> RedirectResponse:
    """Show it again."""
    service.restore(session, dataset_id, by=person)
    return redirect(request, f"/data/{dataset_id}", toast="It is back.")


def _preview_address(upload: Upload, incoming: Incoming) -> str:
    asked = {"filename": upload.filename, "name": incoming.body.name, "dataset": incoming.body.dataset}
    return f"/data/preview/{upload.sha256}?{urlencode({key: text for key, text in asked.items() if text})}"
