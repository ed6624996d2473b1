"""`goldsmith keys`: the secrets with which programs act for a person."""

from dataclasses import asdict
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.people import service
from goldsmith.people.tables import Key
from goldsmith.people.types import Limits

Requests = Annotated[int | None, typer.Option(help="How many requests to models it may make a minute.")]
Tokens = Annotated[
    int | None, typer.Option(help="How many tokens it may use a minute, questions and answers together.")
]
Parallel = Annotated[int | None, typer.Option(help="How many requests it may have in work at the same time.")]
commands = typer.Typer(help="Keys with which programs act for a person.", no_args_is_help=True)


@commands.command()
def add(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="What it is for.")] = "a program",
    requests_per_minute: Requests = None,
    tokens_per_minute: Tokens = None,
    parallel_requests: Parallel = None,
) -> None:
    """Make a key. It is shown this once and never again."""
    cli: Cli = context.obj
    limits = Limits(requests_per_minute, tokens_per_minute, parallel_requests)
    with cli.transaction() as (session, person):
        key_id, secret = service.add_key(session, label, by=person, limits=limits)
    cli.show({"id": key_id, "key": secret}, f"{secret}\nThis is the only time that it is shown. Its id is {key_id}.")


@commands.command("list")
def list_keys(context: typer.Context) -> None:
    """List the keys, without their secrets."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {
                "id": key.id,
                "label": key.label,
                "person": person.name,
                "made": key.created_at,
                "revoked": key.revoked_at,
                **_limits(key),
            }
            for key, person in service.keys(session)
        ]
    cli.table(rows, empty="No keys yet. Make one with: goldsmith keys add")


@commands.command()
def limit(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="A key's id, from the list.")],
    requests_per_minute: Requests = None,
    tokens_per_minute: Tokens = None,
    parallel_requests: Parallel = None,
) -> None:
    """Set how much a key may ask of the models. A limit that is not named is lifted."""
    cli: Cli = context.obj
    limits = Limits(requests_per_minute, tokens_per_minute, parallel_requests)
    with cli.transaction() as (session, _):
        key = service.limit_key(session, key_id, limits)
        found = {"id": key.id, **_limits(key)}
    cli.show(found, f"{key_id}: {_in_words(limits)}.")


@commands.command()
def revoke(context: typer.Context, key_id: Annotated[str, typer.Argument(help="A key's id, from the list.")]) -> None:
    """Switch a key off for good: programs with it are refused."""
    cli: Cli = context.obj
    with cli.transaction() as (session, _):
        service.revoke_key(session, key_id)
    cli.show({"id": key_id, "revoked": True}, f"{key_id} is switched off: programs with it are refused.")


def _limits(key: Key) -> dict[str, int | None]:
    return asdict(service.limits_of(key))


def _in_words(limits: Limits) -> str:
    named = [f"{name.replace('_', ' ')}: {value:,}" for name, value in asdict(limits).items() if value is not None]
    return ", ".join(named) or "as much as it likes"
