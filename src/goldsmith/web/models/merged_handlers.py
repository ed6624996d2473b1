"""Having a fine-tuned model merged, from its page."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse

from goldsmith.models import queries
from goldsmith.serve.merged import service
from goldsmith.web.dependencies import CurrentPerson, Session, TheHome
from goldsmith.web.pages import redirect

pages = APIRouter()


@pages.post("/models/{model_id}/merge")
def merge(request: Request, session: Session, person: CurrentPerson, home: TheHome, model_id: str) -> RedirectResponse:
    """Have it merged and put on an engine of its own."""
    model = queries.tuned(session, model_id, domain=person.domain)
    job = service.start(session, model, by=person, home=home)
    toast = "It is being merged. You can close this page; it goes on." if job else "It is merged already; deployed."
    return redirect(request, f"/models/{model.id}", toast=toast)
