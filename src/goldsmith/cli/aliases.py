"""`goldsmith aliases`: stable names for callers, and the models behind them."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from goldsmith.cli.console import Cli
from goldsmith.serve import aliases, bell, history, queries, rollouts, service, traffic
from goldsmith.serve.errors import SharesNotUsable
from goldsmith.serve.shadow import service as shadow
from goldsmith.serve.tables import Alias, Rollout
from goldsmith.serve.types import Part, parts_of
from goldsmith.serve.watching import MIN_REQUESTS, Limits, RolloutPlan
from goldsmith.storage import clock

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
    bell.ring(cli.parts.home)
    said = f"{name} leads to {_in_words(alias, names)} now. Undo with: goldsmith aliases undo {name}"
    cli.show({"alias": name, "targets": alias.targets, "version": alias.version}, said)


@commands.command()
def remove(context: typer.Context, name: Name, why: Why = "") -> None:
    """Take an alias away: callers who use it are refused."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        shadow.remove_alias(session, name, by=person, why=why)
    bell.ring(cli.parts.home)
    cli.show({"alias": name, "targets": []}, f"{name} is gone. It comes back with: goldsmith aliases undo {name}")


@commands.command()
def undo(context: typer.Context, name: Name, why: Why = "") -> None:
    """Make an alias what it was before its last change."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        alias = service.undo_alias(session, name, by=person, why=why)
        names = queries.model_names(session)
    bell.ring(cli.parts.home)
    said = f"{name} leads to {_in_words(alias, names)} again."
    cli.show({"alias": name, "targets": alias.targets, "version": alias.version}, said)


@commands.command("roll-out")
def roll_out(
    context: typer.Context,
    name: Name,
    model: Annotated[str, typer.Argument(help="The new model, deployed and proved.")],
    steps: Annotated[str, typer.Option(help="Its percent, one after the other.")] = "5,25,100",
    hold_minutes: Annotated[
        float | None, typer.Option(help="Minutes at each step before it goes on by itself; else by: go-on.", min=0.01)
    ] = None,
    min_requests: Annotated[
        int, typer.Option(help="Requests that both models must have before anything is concluded.", min=1)
    ] = MIN_REQUESTS,
) -> None:
    """Give a new model a growing share of an alias, watched; it is rolled back by itself when it is worse."""
    cli: Cli = context.obj
    hold_s = None if hold_minutes is None else 60 * hold_minutes
    plan = RolloutPlan(parse_steps(steps), hold_s, Limits(min_requests=min_requests))
    with cli.transaction() as (session, person):
        row = rollouts.start(session, name, model, plan, by=person)
    bell.ring(cli.parts.home)
    _say_rollout(cli, row)


@commands.command("go-on")
def go_on(context: typer.Context, name: Name, why: Why = "") -> None:
    """Take a roll-out to its next step now; at the last one, end it as succeeded."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        row = rollouts.go_on(session, rollouts.current(session, name, domain=cli.domain), by=person, why=why)
    bell.ring(cli.parts.home)
    _say_rollout(cli, row)


@commands.command("roll-back")
def roll_back(context: typer.Context, name: Name, why: Why = "") -> None:
    """Give everything back to the models that were there before the roll-out."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        because = why or f"Rolled back by {person.name}."
        row = rollouts.roll_back(session, rollouts.current(session, name, domain=cli.domain), by=person, why=because)
    bell.ring(cli.parts.home)
    _say_rollout(cli, row)


@commands.command("traffic")
def show_traffic(
    context: typer.Context,
    name: Name,
    minutes: Annotated[int, typer.Option(help="How far back.", min=1)] = 60,
) -> None:
    """Show what was counted about the models behind an alias."""
    cli: Cli = context.obj
    with cli.reading() as session:
        names = queries.model_names(session)
        since = clock.now() - timedelta(minutes=minutes)
        found = traffic.by_model(session, domain=cli.domain, alias=name, since=since)
    rows = [
        {
            "model": names.get(each, each),
            "requests": counts.num_requests,
            "errors": counts.num_errors,
            "asked for JSON": counts.num_with_schema,
            "invalid JSON": counts.num_invalid_json,
            "seconds": counts.mean_seconds,
            "tokens": counts.mean_tokens,
        }
        for each, counts in found.items()
    ]
    cli.table(rows, empty=f"Nothing was counted for {name} in the last {minutes} minutes.")


def parse_steps(words: str) -> tuple[float, ...]:
    """`5,25,100` as shares. Raises SharesNotUsable."""
    try:
        return tuple(float(word.strip().removesuffix("%")) / 100 for word in words.split(","))
    except ValueError as error:
        raise SharesNotUsable(f"{words!r} are no steps: write them as 5,25,100.") from error


def _say_rollout(cli: Cli, row: Rollout) -> None:
    share = 100 * row.stages[row.stage]
    facts = {"rollout": row.id, "alias": row.alias, "model": row.model_id, "state": row.state, "percent": share}
    said = f"The new model has {share:g} % of {row.alias}." if row.state == "running" else row.message
    cli.show({**facts, "message": row.message}, said)


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
