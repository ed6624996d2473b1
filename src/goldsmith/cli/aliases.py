"""`goldsmith aliases`: stable names for callers, and the models behind them."""

from typing import Annotated, Any

import typer

from goldsmith.cli.console import Cli
from goldsmith.serve import aliases, history, queries, service
from goldsmith.serve.errors import SharesNotUsable
from goldsmith.serve.tables import Alias
from goldsmith.serve.types import Part, parts_of

commands = typer.Typer(help="Aliases: stable names for callers, and the models behind them.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The name that callers use as a model's name.")]
Why = Annotated[str, typer.Option(help="Written down with the change.")]


@commands.command("list")
def list_aliases(context: typer.Context) -> None:
    """List the aliases and what they lead to."""
    cli: Cli = context.obj
    with cli.reading() as session:
        names = queries.model_names(session)
        rows = [
            {"alias": each.name, "leads to": _in_words(each, names), "changed": each.changed_at}
            for each in queries.aliases(session, domain=cli.domain)
        ]
    cli.table(rows, empty="No alias yet. Make one with: goldsmith aliases set NAME MODEL")


@commands.command()
def show(context: typer.Context, name: Name) -> None:
    """Show an alias and its history."""
    cli: Cli = context.obj
    with cli.reading() as session:
        alias = aliases.one(session, name, domain=cli.domain)
        before = history.before(session, name, domain=cli.domain)
        entries = queries.alias_history(session, name, domain=cli.domain)
    lines = [
        {
            "seq": each.seq,
            "at": each.deployed_at,
            "who": each.philosopher,
            "what": each.action,
            "from": each.deployment_config.get("from"),
            "to": each.deployment_config.get("to"),
            "why": each.notes,
        }
        for each in entries
    ]
    shown: dict[str, Any] = {"alias": name, "targets": alias.targets, "version": alias.version}
    cli.show({**shown, "before": [part.to_dict() for part in before.parts] if before else None, "history": lines})


@commands.command("set")
def point(
    context: typer.Context,
    name: Name,
    models: Annotated[list[str], typer.Argument(help="MODEL, or several with their percent: MODEL=90 MODEL=10.")],
    why: Why = "",
    force: Annotated[
        list[str] | None, typer.Option(help="A model to take though nothing proved it, by name; written down.")
    ] = None,
) -> None:
    """Make an alias, or change what it leads to."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        alias = aliases.point(session, name, parse(models), by=person, why=why, force=force or ())
        names = queries.model_names(session)
    said = f"{name} leads to {_in_words(alias, names)} now. Undo with: goldsmith aliases undo {name}"
    cli.show({"alias": name, "targets": alias.targets, "version": alias.version}, said)


@commands.command()
def remove(context: typer.Context, name: Name, why: Why = "") -> None:
    """Take an alias away: callers who use it are refused."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        aliases.remove(session, name, by=person, why=why)
    cli.show({"alias": name, "targets": []}, f"{name} is gone. It comes back with: goldsmith aliases undo {name}")


@commands.command()
def undo(context: typer.Context, name: Name, why: Why = "") -> None:
    """Make an alias what it was before its last change."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        alias = service.undo_alias(session, name, by=person, why=why)
        names = queries.model_names(session)
    said = f"{name} leads to {_in_words(alias, names)} again."
    cli.show({"alias": name, "targets": alias.targets, "version": alias.version}, said)


def parse(words: list[str]) -> list[Part]:
    """`a=90 b=10` as parts; a single model may stand without its percent. Raises SharesNotUsable."""
    if len(words) == 1 and "=" not in words[0]:
        return [Part(words[0], 1.0)]
    parts = []
    for word in words:
        model, has_share, percent = word.rpartition("=")
        try:
            share = float(percent.removesuffix("%")) / 100
        except ValueError:
            has_share = ""
        if not has_share:
            raise SharesNotUsable(f"{word!r} does not say how many percent: write it as MODEL=10.")
        parts.append(Part(model, share))
    return parts


def _in_words(alias: Alias, names: dict[str, str]) -> str:
    parts = sorted(parts_of(alias.targets), key=lambda part: -part.share)
    return ", ".join(f"{100 * part.share:.6g} % {names.get(part.model_id, part.model_id)}" for part in parts)
