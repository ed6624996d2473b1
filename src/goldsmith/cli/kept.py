"""`goldsmith kept`: what is kept of the requests that pass the gateway, and a dataset of it."""

from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.serve import bell
from goldsmith.serve.kept import queries, service
from goldsmith.serve.kept.types import ALL_HIDDEN, Hidden, Keeping

Alias = Annotated[str | None, typer.Option(help="Only requests by this alias.")]
commands = typer.Typer(help="Kept requests: what people ask, for some days, on wish.", no_args_is_help=True)


@commands.command("set")
def set_rule(
    context: typer.Context,
    share: Annotated[float, typer.Option(min=0, max=100, help="How much is kept, in %; 0: nothing.")],
    alias: Annotated[str, typer.Option(help="Of this alias; default: of all that have no rule of their own.")] = "",
    days: Annotated[int, typer.Option(min=1, help="How many days each is kept.")] = 14,
    hide: Annotated[list[Hidden] | None, typer.Option(help="Take only this out of the texts; default: all.")] = None,
    nothing_hidden: Annotated[bool, typer.Option("--hide-nothing", help="Keep the texts as they are.")] = False,
) -> None:
    """Say what is kept from now on."""
    cli: Cli = context.obj
    hides = () if nothing_hidden else tuple(hide or ALL_HIDDEN)
    with cli.transaction() as (session, person):
        rule = service.keep(session, alias, Keeping(share / 100, days, hides), by=person)
        facts = {"alias": rule.alias, "share": rule.share, "days": rule.days, "hides": rule.hides}
    bell.ring(cli.parts.home)
    cli.show(facts, f"{share:g} % is kept for {days} days." if share else "Nothing is kept from now on.")


@commands.command()
def rules(context: typer.Context) -> None:
    """List what is kept."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.rules(session, domain=cli.domain)
    rows = [
        {
            "alias": rule.alias or "(all others)",
            "share": f"{100 * rule.share:g} %",
            "days": rule.days,
            "hides": ", ".join(rule.hides),
            "dropped": rule.num_dropped,
        }
        for rule in found
    ]
    cli.table(rows, empty="Nothing is kept. Begin with: goldsmith kept set --share 5")


@commands.command("list")
def list_kept(
    context: typer.Context, alias: Alias = None, limit: Annotated[int, typer.Option(min=1, max=500)] = 20
) -> None:
    """List what was kept, newest first."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.page(session, domain=cli.domain, alias=alias, limit=limit)
    rows = [{"id": row.id, "alias": row.alias, "question": row.question, "answer": row.answer} for row in found]
    cli.table(rows, empty="Nothing was kept.")


@commands.command()
def dataset(
    context: typer.Context, alias: Alias = None, name: Annotated[str, typer.Option(help="What it is called.")] = ""
) -> None:
    """Make a dataset of what was asked."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        version = service.make_dataset(session, cli.parts.home, by=person, alias=alias, name=name)
        facts = {"dataset": version.dataset_id, "version": version.id}
    cli.show(facts, f"{facts['dataset']} is being made of what was asked.")


@commands.command()
def forget(context: typer.Context, alias: Alias = None) -> None:
    """Delete now what was kept. This cannot be undone."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        num = service.forget_all(session, alias=alias, by=person)
    cli.show({"num_deleted": num}, f"{num} deleted.")
