"""Puts the page of webhooks together, and sends tests. Used by handlers and the API."""

from sqlalchemy import orm

from goldsmith.people.types import Person
from goldsmith.web.forms import FormField, fields_of
from goldsmith.web.state import WebState
from goldsmith.web.webhooks.forms import WebhookForm
from goldsmith.web.webhooks.views import WebhooksPage, webhook_line
from goldsmith.webhooks import queries, service
from goldsmith.webhooks.tables import WebhookMessage
from goldsmith.webhooks.types import Outcome

NUM_MESSAGES = 10


def webhooks_page(session: orm.Session, person: Person, fields: tuple[FormField, ...] = ()) -> WebhooksPage:
    """The page, with its form as nobody has filled it yet, or as it was sent."""
    found = queries.page(session, domain=person.domain)
    lines = [webhook_line(each, queries.messages(session, each.id, limit=NUM_MESSAGES)) for each in found]
    return WebhooksPage(title="Webhooks", webhooks=tuple(lines), fields=fields or fields_of(WebhookForm))


def tested(state: WebState, webhook_id: str, person: Person) -> tuple[WebhookMessage, Outcome]:
    """Send a test now; no transaction is open while it is under way."""
    with state.database.transaction() as session:
        message = service.add_test(session, webhook_id, by=person)
        message_id = message.id
    own_hosts = state.settings.webhook_hosts
    outcome = service.deliver(state.database, state.home, message_id, own_hosts=own_hosts) or Outcome(0.0)
    with state.database.reading() as session:
        return queries.message(session, message_id, webhook_id=webhook_id), outcome
