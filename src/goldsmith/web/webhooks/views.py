"""What the pages of webhooks show, made from rows. Knows no request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.web.forms import FormField
from goldsmith.web.pages import Page
from goldsmith.webhooks.tables import Webhook, WebhookMessage
from goldsmith.webhooks.types import DeliveryState

_WORDS = {
    "job.succeeded": "a job has succeeded",
    "job.failed": "a job has failed",
    "job.cancelled": "a job was cancelled",
    "default.changed": "another model became the default",
    "test": "a test",
}
_BADGES = {
    DeliveryState.WAITING: "queued",
    DeliveryState.DELIVERED: "succeeded",
    DeliveryState.DEAD: "failed",
}


@dataclass(frozen=True)
class MessageLine:
    """A message, and what became of it."""

    id: str
    badge: str
    about: str
    at: datetime
    how: str
    can_send: bool


@dataclass(frozen=True)
class WebhookLine:
    """A webhook with its last messages."""

    id: str
    url: str
    told: str
    is_on: bool
    message: str
    made_at: datetime
    messages: tuple[MessageLine, ...]


@dataclass(frozen=True)
class WebhooksPage(Page):
    """Everything that is told, and to whom."""

    template: ClassVar[str] = "webhooks/webhooks.html"
    current: ClassVar[str] = "settings"
    webhooks: tuple[WebhookLine, ...]
    fields: tuple[FormField, ...]


@dataclass(frozen=True)
class NewSecretPage(Page):
    """A secret, this once."""

    template: ClassVar[str] = "webhooks/secret.html"
    current: ClassVar[str] = "settings"
    url: str
    secret: str


def webhook_line(webhook: Webhook, messages: Sequence[WebhookMessage]) -> WebhookLine:
    """A webhook as it is shown."""
    told = ", ".join(_WORDS[name] for name in webhook.events)
    return WebhookLine(
        id=webhook.id,
        url=webhook.url,
        told=told or "nothing but tests",
        is_on=webhook.is_on,
        message=webhook.message,
        made_at=webhook.created_at,
        messages=tuple(message_line(message) for message in messages),
    )


def message_line(message: WebhookMessage) -> MessageLine:
    """A message as it is shown."""
    state = DeliveryState(message.state)
    tries = f"{message.num_tries} tries, " if message.num_tries > 1 else ""
    if message.last_status is not None:
        how = f"{tries}answered {message.last_status} after {message.last_ms or 0:,.0f} ms"
    else:
        how = f"{tries}{message.last_error}" if message.last_error else "not sent yet"
    return MessageLine(
        message.id, _BADGES[state], _WORDS[message.kind], message.created_at, how, state is not DeliveryState.WAITING
    )
