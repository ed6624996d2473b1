"""`goldsmith engines`: the servers that answer for models."""

from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.serve import queries, service

commands = typer.Typer(help="Engines: servers that answer for models.", no_args_is_help=True)


@commands.command("list")
def list_engines(context: typer.Context) -> None:
    """List the engines and what they are doing."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {
                "id": one.id,
                "name": one.name,
                "kind": one.kind,
                "state": one.state,
                "url": one.url,
                "message": one.message,
            }
            for one in queries.page(session, domain=cli.domain)
        ]
    cli.table(rows, empty="No engines yet. One is started when a model is deployed or a run needs it.")


@commands.command()
def stop(context: typer.Context, engine_id: Annotated[str, typer.Argument(help="An engine's id.")]) -> None:
    """Stop an engine; deploying a model starts it again."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        service.stop_engine(session, engine_id, by=person)
    cli.show({"engine": engine_id, "wanted": False}, f"{engine_id} will be stopped.")
