"""The API over webhooks."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from goldsmith.web.answers import ApiAnswer, ApiBody, Id, Limit, Text, made
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheSettings, TheState
from goldsmith.web.webhooks.found import tested
from goldsmith.webhooks import queries, service
from goldsmith.webhooks.addresses import MAX_CHARACTERS
from goldsmith.webhooks.types import CHOICES, DeliveryState, EventType

api = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class WebhookBody(ApiBody):
    """A new webhook."""

    url: Annotated[Text, Field(min_length=1, max_length=MAX_CHARACTERS)]
    """Https and a public host, or a host that `GOLDSMITH_WEBHOOK_HOSTS` names."""
    events: Annotated[tuple[EventType, ...], Field(max_length=len(CHOICES))] = ()
    """What is told; without it: everything but tests."""


class WebhookAnswer(ApiAnswer):
    """A webhook, without its secret."""

    id: str
    url: str
    events: list[str]
    is_on: bool
    message: str
    created_by: str
    created_at: datetime


class NewWebhookAnswer(WebhookAnswer):
    """A webhook with its secret, which is shown this once."""

    secret: str


class SecretAnswer(ApiAnswer):
    """A new secret, shown this once."""

    id: str
    secret: str


class WebhooksAnswer(ApiAnswer):
    """All webhooks, newest first."""

    webhooks: list[WebhookAnswer]


class MessageAnswer(ApiAnswer):
    """A message, and what became of it."""

    id: str
    kind: EventType
    body: str
    """Exactly what is signed and sent."""
    state: DeliveryState
    num_tries: int
    next_try_at: datetime
    last_status: int | None
    last_error: str
    last_ms: float | None
    created_at: datetime
    delivered_at: datetime | None


class MessagesAnswer(ApiAnswer):
    """Messages of a webhook, newest first."""

    messages: list[MessageAnswer]


@api.post("", status_code=201)
def add(
    session: Session, person: CurrentPerson, home: TheHome, settings: TheSettings, body: WebhookBody, response: Response
) -> NewWebhookAnswer:
    """Tell an address what ends. The secret with which messages are signed is in this answer and never again."""
    webhook, secret = service.add(
        session, home, body.url, by=person, events=body.events, own_hosts=settings.webhook_hosts
    )
    made(response, f"/v1/webhooks/{webhook.id}")
    return NewWebhookAnswer(**WebhookAnswer.model_validate(webhook).model_dump(), secret=secret)


@api.get("")
def list_webhooks(session: ReadSession, person: CurrentPerson) -> WebhooksAnswer:
    """All webhooks, newest first."""
    found = queries.page(session, domain=person.domain)
    return WebhooksAnswer(webhooks=[WebhookAnswer.model_validate(each) for each in found])


@api.get("/{webhook_id}")
def one(session: ReadSession, person: CurrentPerson, webhook_id: Id) -> WebhookAnswer:
    """One webhook."""
    return WebhookAnswer.model_validate(queries.one(session, webhook_id, domain=person.domain))


@api.delete("/{webhook_id}")
def remove(session: Session, person: CurrentPerson, home: TheHome, webhook_id: Id) -> WebhookAnswer:
    """Tell it nothing more; its secret and its messages are deleted."""
    return WebhookAnswer.model_validate(service.remove(session, home, webhook_id, by=person))


@api.post("/{webhook_id}/renew-secret")
def renew(session: Session, person: CurrentPerson, home: TheHome, webhook_id: Id) -> SecretAnswer:
    """A new secret; the old one is worth nothing from now on."""
    return SecretAnswer(id=webhook_id, secret=service.renew(session, home, webhook_id, by=person))


@api.post("/{webhook_id}/test")
def test(state: TheState, person: CurrentPerson, webhook_id: Id) -> MessageAnswer:
    """Send a test now; the answer says status and time, never what the other side wrote."""
    return MessageAnswer.model_validate(tested(state, webhook_id, person)[0])


@api.get("/{webhook_id}/messages")
def messages(session: ReadSession, person: CurrentPerson, webhook_id: Id, limit: Limit = 50) -> MessagesAnswer:
    """What it was told, newest first."""
    webhook = queries.one(session, webhook_id, domain=person.domain)
    found = queries.messages(session, webhook.id, limit=limit)
    return MessagesAnswer(messages=[MessageAnswer.model_validate(each) for each in found])


@api.post("/{webhook_id}/messages/{message_id}/send-again")
def send_again(session: Session, person: CurrentPerson, webhook_id: Id, message_id: Id) -> MessageAnswer:
    """Send a message once more, with the same id."""
    return MessageAnswer.model_validate(service.send_again(session, webhook_id, message_id, by=person))
