"""The verbs of webhooks: add, renew the secret, remove, test, send again; and what the keeper does with messages."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.people.types import Person
from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import DEFAULT_ALIAS
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home, write_whole
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.webhooks import addresses, queries, signing
from goldsmith.webhooks.errors import EventUnknown
from goldsmith.webhooks.sending import send
from goldsmith.webhooks.tables import Webhook, WebhookMessage
from goldsmith.webhooks.types import CHOICES, DeliveryState, EventType, Outcome

WAITS: Final = tuple(timedelta(seconds=each) for each in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
"""How long after each vain try the next one follows, as the specification proposes; after the last it is dead."""
HELD: Final = timedelta(seconds=60)
"""So long nobody else sends a message that somebody is sending."""
GONE: Final = 410
KEPT: Final = timedelta(days=30)
"""So long delivered messages can be looked at."""
QUIET: Final = frozenset({"prove", "merge_speed"})
"""Kinds of jobs that nobody has asked for by hand."""


def add(
    session: Session,
    home: Home,
    url: str,
    *,
    by: Person,
    events: Sequence[str] = (),
    own_hosts: Collection[str] = (),
) -> tuple[Webhook, str]:
    """Tell an address what ends; returns its secret too, this once. Raises AddressNotAllowed, EventUnknown."""
    addresses.place_of(url, own_hosts=own_hosts)
    webhook = Webhook(
        id=new_id(Prefix.WEBHOOK),
        url=url.strip(),
        events=_checked(events),
        is_on=True,
        first_event_id=queries.last_event_id(session),
        seen_event_id=queries.last_event_id(session),
        seen_seq=queries.last_seq(session),
        domain=by.domain,
        created_by=by.id,
    )
    session.add(webhook)
    session.flush()
    return webhook, _new_secret(home, webhook.id)


def renew(session: Session, home: Home, webhook_id: str, *, by: Person) -> str:
    """A new secret, shown this once; the old one is worth nothing from now on. It is told again, if it was off."""
    webhook = queries.one(session, webhook_id, domain=by.domain)
    webhook.is_on, webhook.message = True, ""
    session.flush()
    return _new_secret(home, webhook.id)


def remove(session: Session, home: Home, webhook_id: str, *, by: Person) -> Webhook:
    """Tell it nothing more; its messages and its secret are deleted."""
    webhook = queries.one(session, webhook_id, domain=by.domain)
    session.execute(delete(WebhookMessage).where(WebhookMessage.webhook_id == webhook.id))
    session.delete(webhook)
    session.flush()
    secret_path(home, webhook.id).unlink(missing_ok=True)
    return webhook


def add_test(session: Session, webhook_id: str, *, by: Person) -> WebhookMessage:
    """A message that says nothing but who sent it; held back from the keeper, because it is sent by hand."""
    webhook = queries.one(session, webhook_id, domain=by.domain)
    message_id = new_id(Prefix.MESSAGE)
    body = {"about": "A test from Goldsmith.", "by": by.name}
    made = _message(webhook, EventType.TEST, f"test:{message_id}", body, clock.now())
    made.id, made.next_try_at = message_id, clock.now() + HELD
    session.add(made)
    session.flush()
    return made


def send_again(session: Session, webhook_id: str, message_id: str, *, by: Person) -> WebhookMessage:
    """Send a message once more, whatever became of it; it keeps its id, so that the other side knows it again."""
    webhook = queries.one(session, webhook_id, domain=by.domain)
    found = queries.message(session, message_id, webhook_id=webhook.id)
    found.state, found.num_tries, found.next_try_at = DeliveryState.WAITING.value, 0, clock.now()
    session.flush()
    return found


def tell_ends(session: Session, webhooks: Sequence[Webhook], ends: Sequence[tuple[JobEvent, Job]]) -> int:
    """Write the messages about ends of jobs, each once. Returns how many."""
    told = 0
    for webhook in webhooks:
        mine = {
            f"event:{event.id}": (event, job)
            for event, job in ends
            if job.domain == webhook.domain
            and event.id > webhook.first_event_id
            and f"job.{event.kind}" in webhook.events
            and job.kind not in QUIET
        }
        for origin in sorted(set(mine) - queries.known_origins(session, webhook.id, list(mine))):
            event, job = mine[origin]
            session.add(_message(webhook, EventType(f"job.{event.kind}"), origin, _about_job(event, job), event.at))
            told += 1
    session.flush()
    return told


def tell_history(session: Session, webhooks: Sequence[Webhook], entries: Sequence[DeploymentHistory]) -> int:
    """Write the messages about changes of the default model, each once. Returns how many."""
    told = 0
    for webhook in webhooks:
        mine = [
            entry
            for entry in entries
            if entry.seq > webhook.seen_seq
            and entry.domain == webhook.domain
            and entry.deployment_config.get("alias") == DEFAULT_ALIAS
            and EventType.DEFAULT_CHANGED.value in webhook.events
        ]
        for entry in mine:
            origin = f"history:{entry.seq}"
            session.add(_message(webhook, EventType.DEFAULT_CHANGED, origin, _about_change(entry), entry.deployed_at))
            told += 1
        webhook.seen_seq = max([webhook.seen_seq, *(entry.seq for entry in entries)])
    session.flush()
    return told


def take(session: Session, message_id: str, now: datetime) -> bool:
    """Hold a due message for whoever sends it; False when somebody else has it."""
    due = (WebhookMessage.state == DeliveryState.WAITING.value, WebhookMessage.next_try_at <= now)
    held = update(WebhookMessage).where(WebhookMessage.id == message_id, *due).values(next_try_at=now + HELD)
    return session.execute(held.returning(WebhookMessage.id)).scalar() is not None


def deliver(database: Database, home: Home, message_id: str, *, own_hosts: Collection[str] = ()) -> Outcome | None:
    """Send one message and write down what came of it. No transaction is open while it is under way."""
    with database.reading() as session:
        message = session.get(WebhookMessage, message_id)
        if message is None:
            return None
        url, body = session.get_one(Webhook, message.webhook_id).url, message.body.encode()
        secret = read_secret(home, message.webhook_id)
    if secret is None:
        outcome = Outcome(0.0, error="Its secret is not on this machine; make a new one.")
    else:
        headers = signing.headers_of(secret, message_id, int(clock.now().timestamp()), body)
        outcome = send(lambda: addresses.place_of(url, own_hosts=own_hosts), headers, body)
    with database.transaction() as session:
        note(session, message_id, outcome)
    return outcome


def note(session: Session, message_id: str, outcome: Outcome) -> None:
    """Write down a try, and when the next one is."""
    message = session.get(WebhookMessage, message_id, with_for_update=True)
    if message is None:  # its webhook was removed meanwhile
        return
    message.last_status, message.last_error, message.last_ms = outcome.status, outcome.error, outcome.duration_ms
    message.num_tries += 1
    is_test = message.kind == EventType.TEST.value
    if outcome.is_ok:
        message.state, message.delivered_at = DeliveryState.DELIVERED.value, clock.now()
    elif is_test or message.num_tries > len(WAITS) or outcome.status == GONE:
        message.state = DeliveryState.DEAD.value
    else:
        message.next_try_at = clock.now() + WAITS[message.num_tries - 1]
    if outcome.status == GONE and not is_test:
        webhook = session.get_one(Webhook, message.webhook_id)
        webhook.is_on, webhook.message = False, "The other side says that nobody is there any more (410)."
    session.flush()


def forget_delivered(session: Session) -> None:
    """Delete what was delivered long ago; what is dead stays until it is sent again or its webhook is removed."""
    old = (WebhookMessage.state == DeliveryState.DELIVERED.value, WebhookMessage.delivered_at < clock.now() - KEPT)
    session.execute(delete(WebhookMessage).where(*old))


def secret_path(home: Home, webhook_id: str) -> Path:
    """Where a webhook's secret lies."""
    return home.secrets / f"webhook-{webhook_id}.key"


def read_secret(home: Home, webhook_id: str) -> str | None:
    """The secret itself, if this machine has it."""
    path = secret_path(home, webhook_id)
    return path.read_text(encoding="ascii").strip() if path.exists() else None


def _new_secret(home: Home, webhook_id: str) -> str:
    secret = signing.new_secret()
    write_whole(secret_path(home, webhook_id), secret + "\n")
    return secret


def _checked(events: Sequence[str]) -> list[str]:
    known = [each.value for each in CHOICES]
    for name in events:
        if name not in known:
            raise EventUnknown(f"There is no event {name[:100]!r}. There are: {', '.join(known)}.")
    return [name for name in known if not events or name in events]


def _message(webhook: Webhook, kind: EventType, origin: str, data: Mapping[str, Any], at: datetime) -> WebhookMessage:
    body = {"type": kind.value, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": dict(data)}
    return WebhookMessage(
        id=new_id(Prefix.MESSAGE),
        webhook_id=webhook.id,
        origin=origin,
        kind=kind.value,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        next_try_at=clock.now(),
    )


def _about_job(event: JobEvent, job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "subject_id": job.subject_id,
        "state": event.kind,
        "attempt": event.attempt,
        "because": event.data.get("because", ""),
        "created_by": job.created_by,
    }


def _about_change(entry: DeploymentHistory) -> dict[str, Any]:
    return {
        "alias": DEFAULT_ALIAS,
        "model_id": entry.model_id,
        "previous_model_id": entry.previous_model_id,
        "action": entry.action,
        "by": entry.philosopher,
    }
