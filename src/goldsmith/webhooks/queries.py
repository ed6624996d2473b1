"""Every SELECT on webhooks, and what there is to tell."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.serve.tables import DeploymentHistory
from goldsmith.webhooks.errors import MessageNotFound, WebhookNotFound
from goldsmith.webhooks.tables import Webhook, WebhookMessage
from goldsmith.webhooks.types import DeliveryState

ENDS = ("succeeded", "failed", "cancelled")
MAX_AT_ONCE = 500


def one(session: Session, webhook_id: str, *, domain: str) -> Webhook:
    """The webhook. Raises WebhookNotFound."""
    found = session.get(Webhook, webhook_id)
    if found is None or found.domain != domain:
        raise WebhookNotFound(f"There is no webhook {webhook_id}.")
    return found


def page(session: Session, *, domain: str) -> list[Webhook]:
    """All webhooks, newest first."""
    return list(session.scalars(select(Webhook).where(Webhook.domain == domain).order_by(Webhook.id.desc())))


def switched_on(session: Session) -> list[Webhook]:
    """Webhooks of every organisation that are told something."""
    return list(session.scalars(select(Webhook).where(Webhook.is_on).order_by(Webhook.id)))


def message(session: Session, message_id: str, *, webhook_id: str) -> WebhookMessage:
    """A message. Raises MessageNotFound."""
    found = session.get(WebhookMessage, message_id)
    if found is None or found.webhook_id != webhook_id:
        raise MessageNotFound(f"There is no message {message_id} of this webhook.")
    return found


def messages(session: Session, webhook_id: str, *, limit: int = 20) -> list[WebhookMessage]:
    """A webhook's messages, newest first."""
    query = select(WebhookMessage).where(WebhookMessage.webhook_id == webhook_id)
    return list(session.scalars(query.order_by(WebhookMessage.id.desc()).limit(limit)))


def due(session: Session, now: datetime, *, limit: int) -> list[str]:
    """Messages whose time has come, the longest due first."""
    query = select(WebhookMessage.id).join(Webhook, Webhook.id == WebhookMessage.webhook_id)
    waits = (WebhookMessage.state == DeliveryState.WAITING.value, WebhookMessage.next_try_at <= now, Webhook.is_on)
    return list(session.scalars(query.where(*waits).order_by(WebhookMessage.next_try_at).limit(limit)))


def last_event_id(session: Session) -> int:
    """The newest event of any job."""
    return session.scalar(select(func.max(JobEvent.id))) or 0


def last_seq(session: Session) -> int:
    """The newest entry of the history of deployments."""
    return session.scalar(select(func.max(DeploymentHistory.seq))) or 0


def ends_after(session: Session, event_id: int) -> list[tuple[JobEvent, Job]]:
    """Ends of jobs that were recorded after an event."""
    query = select(JobEvent, Job).join(Job, Job.id == JobEvent.job_id)
    is_end = (JobEvent.id > event_id, JobEvent.source == "queue", JobEvent.kind.in_(ENDS))
    return [
        (event, job) for event, job in session.execute(query.where(*is_end).order_by(JobEvent.id).limit(MAX_AT_ONCE))
    ]


def history_after(session: Session, seq: int) -> Sequence[DeploymentHistory]:
    """Entries of the history of deployments behind one, in their order."""
    query = select(DeploymentHistory).where(DeploymentHistory.seq > seq).order_by(DeploymentHistory.seq)
    return list(session.scalars(query.limit(MAX_AT_ONCE)))


def known_origins(session: Session, webhook_id: str, origins: Sequence[str]) -> set[str]:
    """What of this a webhook was told already."""
    query = select(WebhookMessage.origin).where(WebhookMessage.webhook_id == webhook_id)
    return set(session.scalars(query.where(WebhookMessage.origin.in_(origins))))
