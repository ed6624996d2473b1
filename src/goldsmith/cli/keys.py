"""`goldsmith keys`: the secrets with which programs act for a person."""

from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.people import service

commands = typer.Typer(help="Keys with which programs act for a person.", no_args_is_help=True)


@commands.command()
def add(context: typer.Context, label: Annotated[str, typer.Argument(help="What it is for.")] = "a program") -> None:
    """Make a key. It is shown this once and never again."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        key_id, secret = service.add_key(session, label, by=person)
    cli.show({"id": key_id, "key": secret}, f"{secret}\nThis is the only time that it is shown. Its id is {key_id}.")


@commands.command("list")
def list_keys(context: typer.Context) -> None:
    """List the keys, without their secrets."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {"id": key.id, "label": key.label, "person": person.name, "made": key.created_at, "revoked": key.revoked_at}
            for key, person in service.keys(session)
        ]
    cli.table(rows, empty="No keys yet. Make one with: goldsmith keys add")


@commands.command()
def revoke(context: typer.Context, key_id: Annotated[str, typer.Argument(help="A key's id, from the list.")]) -> None:
    """Make a key worthless."""
    cli: Cli = context.obj
    with cli.transaction() as (session, _):
        service.revoke_key(session, key_id)
    cli.show({"id": key_id, "revoked": True}, f"{key_id} is worthless now.")
