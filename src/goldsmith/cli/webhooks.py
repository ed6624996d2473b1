"""`goldsmith webhooks`: which programs are told when something ends."""

from typing import Annotated, Any

import typer

from goldsmith.cli.console import Cli
from goldsmith.webhooks import queries, service
from goldsmith.webhooks.tables import WebhookMessage
from goldsmith.webhooks.types import Outcome

WebhookId = Annotated[str, typer.Argument(help="A webhook's id, from the list.")]
commands = typer.Typer(help="Webhooks: other programs are told when something ends.", no_args_is_help=True)


@commands.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where the other program listens.")],
    event: Annotated[list[str] | None, typer.Option(help="Only this event; can be given several times.")] = None,
) -> None:
    """Tell an address what ends. Its secret is shown this once and never again."""
    cli: Cli = context.obj
    hosts = cli.parts.settings.webhook_hosts
    with cli.transaction() as (session, person):
        webhook, secret = service.add(session, cli.parts.home, url, by=person, events=event or (), own_hosts=hosts)
        facts = {"id": webhook.id, "url": webhook.url, "events": webhook.events}
    said = f"{secret}\nThis is the only time that the secret is shown. Try it: goldsmith webhooks test {facts['id']}"
    cli.show({**facts, "secret": secret}, said)


@commands.command("list")
def list_webhooks(context: typer.Context) -> None:
    """List the webhooks, without their secrets."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.page(session, domain=cli.domain)
        rows = [{"id": each.id, "url": each.url, "events": ", ".join(each.events), "on": each.is_on} for each in found]
    cli.table(rows, empty="Nobody is told. Add one with: goldsmith webhooks add URL")


@commands.command()
def test(context: typer.Context, webhook_id: WebhookId) -> None:
    """Send a test now, and say how it went."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        message_id = service.add_test(session, webhook_id, by=person).id
    parts = cli.parts
    outcome = service.deliver(parts.database, parts.home, message_id, own_hosts=parts.settings.webhook_hosts)
    outcome = outcome or Outcome(0.0, error="The webhook is not there any more.")
    cli.show({"id": message_id, "status": outcome.status, "ms": outcome.duration_ms}, outcome.sentence)


@commands.command()
def messages(context: typer.Context, webhook_id: WebhookId) -> None:
    """List what it was told, and what became of each message."""
    cli: Cli = context.obj
    with cli.reading() as session:
        webhook = queries.one(session, webhook_id, domain=cli.domain)
        rows = [_line(message) for message in queries.messages(session, webhook.id, limit=50)]
    cli.table(rows, empty="Nothing was told yet.")


@commands.command("send-again")
def send_again(
    context: typer.Context, webhook_id: WebhookId, message_id: Annotated[str, typer.Argument(help="A message's id.")]
) -> None:
    """Send a message once more, with the same id."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        service.send_again(session, webhook_id, message_id, by=person)
    cli.show({"id": message_id, "state": "waiting"}, f"{message_id} is sent as soon as a supervisor runs.")


@commands.command()
def renew(context: typer.Context, webhook_id: WebhookId) -> None:
    """Make a new secret; the old one is worth nothing from now on."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        secret = service.renew(session, cli.parts.home, webhook_id, by=person)
    cli.show({"id": webhook_id, "secret": secret}, f"{secret}\nThis is the only time that it is shown.")


@commands.command()
def remove(context: typer.Context, webhook_id: WebhookId) -> None:
    """Tell it nothing more."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        service.remove(session, cli.parts.home, webhook_id, by=person)
    cli.show({"id": webhook_id, "removed": True}, f"{webhook_id} is told nothing more.")


def _line(message: WebhookMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "kind": message.kind,
        "state": message.state,
        "tries": message.num_tries,
        "last": message.last_status or message.last_error,
    }
