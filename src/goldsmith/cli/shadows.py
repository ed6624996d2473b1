"""`goldsmith shadows`: a second model answers a copy of an alias's requests, for comparison."""

from dataclasses import asdict
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.serve import bell
from goldsmith.serve.shadow import queries, service
from goldsmith.serve.shadow.types import Shadow

Alias = Annotated[str, typer.Argument(help="The name that callers use.")]
commands = typer.Typer(help="Shadows: a second model answers along; nobody is sent what it says.", no_args_is_help=True)


@commands.command("set")
def answer_along(
    context: typer.Context,
    alias: Alias,
    model: Annotated[str, typer.Argument(help="A deployed model.")],
    share: Annotated[float, typer.Option(help="Of how many requests, in %.")] = 5,
    at_once: Annotated[int, typer.Option(help="Copies under way at the same time, at most.")] = 2,
    within: Annotated[float, typer.Option(help="Seconds that an answer may take.")] = 60,
    days: Annotated[int, typer.Option(help="How long pairs are kept.")] = 14,
) -> None:
    """Have a model answer along from now on."""
    cli: Cli = context.obj
    shadow = Shadow(model, share / 100, at_once, within, days)
    with cli.transaction() as (session, person):
        rule = service.answer_along(session, alias, shadow, by=person)
        facts = {"alias": rule.alias, "model": rule.model_id, "share": rule.share}
    bell.ring(cli.parts.home)
    cli.show(facts, f"{model} answers {share:g} % of the requests to {alias} along.")


@commands.command()
def stop(context: typer.Context, alias: Alias) -> None:
    """Have it answer along no more; the pairs stay until their days are over."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        service.stop(session, alias, by=person)
    bell.ring(cli.parts.home)
    cli.show({"alias": alias, "share": 0}, f"Nobody answers along for {alias} any more.")


@commands.command("list")
def list_shadows(context: typer.Context) -> None:
    """List which models answer along."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.rules(session, domain=cli.domain)
    rows = [{"alias": each.alias, "model": each.model_id, "share": f"{100 * each.share:g} %"} for each in found]
    cli.table(rows, empty="No model answers along. Begin with: goldsmith shadows set ALIAS MODEL")


@commands.command()
def show(context: typer.Context, alias: Alias) -> None:
    """Show how both sides do over the same requests."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rule = queries.one(session, alias, domain=cli.domain)
        measured = queries.measures(session, rule)
    cli.show({"alias": alias, "model": rule.model_id, "share": rule.share, **asdict(measured)})


@commands.command()
def pairs(
    context: typer.Context,
    alias: Alias,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
    before: Annotated[str | None, typer.Option(help="Only pairs before this one.")] = None,
) -> None:
    """List requests with both answers, newest first."""
    cli: Cli = context.obj
    with cli.reading() as session:
        queries.one(session, alias, domain=cli.domain)
        found = queries.page(session, alias, domain=cli.domain, before=before, limit=limit)
    names = ("id", "question", "sent_answer", "shadow_answer", "shadow_error")
    cli.table([{name: getattr(each, name) for name in names} for each in found], empty="There are no pairs yet.")


@commands.command()
def dataset(
    context: typer.Context, alias: Alias, name: Annotated[str, typer.Option(help="What it is called.")] = ""
) -> None:
    """Make a dataset of what was asked, with both answers."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        version = service.make_dataset(session, cli.parts.home, alias, by=person, name=name)
        facts = {"dataset": version.dataset_id, "version": version.id}
    cli.show(facts, f"{facts['dataset']} is being made of the pairs.")


@commands.command()
def forget(context: typer.Context, alias: Alias) -> None:
    """Delete the pairs now. This cannot be undone."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        num = service.forget_all(session, alias, by=person)
    cli.show({"num_deleted": num}, f"{num} deleted.")
