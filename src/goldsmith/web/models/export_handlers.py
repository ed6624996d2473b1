"""The page on which a fine-tuned model is taken out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import orm
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse

from goldsmith.environments.types import EnvironmentName
from goldsmith.models import queries
from goldsmith.models.exports import queries as exports
from goldsmith.models.exports import service
from goldsmith.models.tables import FineTunedModel
from goldsmith.storage.files import Home
from goldsmith.web import needs
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome
from goldsmith.web.models.export_views import ExportsPage, export_line, exports_page
from goldsmith.web.pages import redirect, render
from goldsmith.wire.export import ExportForm

pages = APIRouter()
_NEEDED = (EnvironmentName.TRL, EnvironmentName.GGUF)


@pages.get("/models/{model_id}/exports")
def all_exports(
    request: Request, session: ReadSession, person: CurrentPerson, home: TheHome, model_id: str
) -> HTMLResponse:
    """What was taken out, and how to take more out."""
    model = queries.tuned(session, model_id, domain=person.domain)
    return render(request, _page(session, home, model), fragment="models/_exports.html")


@pages.post("/models/{model_id}/exports")
def take_out(
    request: Request, session: Session, person: CurrentPerson, model_id: str, form: Annotated[ExportForm, Form()]
) -> RedirectResponse:
    """Have it made."""
    model = queries.tuned(session, model_id, domain=person.domain)
    service.start(session, model, form, by=person)
    return redirect(
        request, f"/models/{model.id}/exports", toast="It is being made. You can close this page; it goes on."
    )


@pages.get("/models/{model_id}/exports/{export_id}/download", response_class=FileResponse)
def download(session: ReadSession, person: CurrentPerson, home: TheHome, model_id: str, export_id: str) -> FileResponse:
    """Its file."""
    model = queries.tuned(session, model_id, domain=person.domain)
    path = exports.there(home, exports.one(session, model, export_id))
    return FileResponse(path, media_type="application/zip", filename=path.name)


@pages.post("/models/{model_id}/exports/{export_id}/remove")
def remove(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, model_id: str, export_id: str
) -> RedirectResponse:
    """Free the room that its file takes; it can be made again."""
    model = queries.tuned(session, model_id, domain=person.domain)
    service.remove(home, exports.one(session, model, export_id))
    return redirect(request, f"/models/{model.id}/exports", toast="The file is removed. It can be made again.")


def _page(session: orm.Session, home: Home, model: FineTunedModel) -> ExportsPage:
    base = queries.base(session, model.base_model_id, domain=model.domain)
    wanted = {name: needs.need_of_environment(session, home, name) for name in _NEEDED}
    lines = [export_line(job, exports.file_of(home, job)) for job in exports.page(session, model)]
    return exports_page(model, base, {name: need for name, need in wanted.items() if need is not None}, lines)
