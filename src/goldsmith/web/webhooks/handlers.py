"""The page of webhooks: who is told what ends, what was told, and whether it arrived."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheSettings, TheState
from goldsmith.web.forms import Filled, form_of
from goldsmith.web.pages import redirect, render
from goldsmith.web.webhooks.forms import WebhookForm
from goldsmith.web.webhooks.found import tested, webhooks_page
from goldsmith.web.webhooks.views import NewSecretPage
from goldsmith.webhooks import service

pages = APIRouter()
Form = Annotated[Filled[WebhookForm], Depends(form_of(WebhookForm))]


@pages.get("/settings/webhooks")
def webhooks(request: Request, session: ReadSession, person: CurrentPerson) -> HTMLResponse:
    """Every webhook with its last messages."""
    return render(request, webhooks_page(session, person))


@pages.post("/settings/webhooks")
def add(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, settings: TheSettings, form: Form
) -> HTMLResponse:
    """Tell an address; its secret is shown this once."""
    if not form.is_usable:
        return render(request, webhooks_page(session, person, form.fields), status=422)
    asked = form.usable
    webhook, secret = service.add(
        session, home, asked.url, by=person, events=asked.events, own_hosts=settings.webhook_hosts
    )
    return _shown_once(request, webhook.url, secret)


@pages.post("/settings/webhooks/{webhook_id}/renew")
def renew(request: Request, session: Session, person: CurrentPerson, home: TheHome, webhook_id: str) -> HTMLResponse:
    """A new secret in place of the old one."""
    return _shown_once(request, webhook_id, service.renew(session, home, webhook_id, by=person))


@pages.post("/settings/webhooks/{webhook_id}/test")
def test(request: Request, state: TheState, person: CurrentPerson, webhook_id: str) -> RedirectResponse:
    """Send a test, and say how it went."""
    _, outcome = tested(state, webhook_id, person)
    return redirect(request, "/settings/webhooks", toast=outcome.sentence)


@pages.post("/settings/webhooks/{webhook_id}/remove")
def remove(
    request: Request, session: Session, person: CurrentPerson, home: TheHome, webhook_id: str
) -> RedirectResponse:
    """Tell it nothing more."""
    service.remove(session, home, webhook_id, by=person)
    return redirect(request, "/settings/webhooks", toast="It is told nothing more.")


@pages.post("/settings/webhooks/{webhook_id}/messages/{message_id}/send")
def send_again(
    request: Request, session: Session, person: CurrentPerson, webhook_id: str, message_id: str
) -> RedirectResponse:
    """Send a message once more."""
    service.send_again(session, webhook_id, message_id, by=person)
    return redirect(request, "/settings/webhooks", toast="It is sent again, within a second or two.")


def _shown_once(request: Request, url: str, secret: str) -> HTMLResponse:
    answer = render(request, NewSecretPage("A webhook's secret", url, secret), status=201)
    answer.headers["cache-control"] = "no-store"
    return answer
