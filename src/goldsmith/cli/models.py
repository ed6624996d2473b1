"""`goldsmith models`: base models and fine-tuned models, and what is live."""

from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import Cli
from goldsmith.cli.watching import finish_or_say
from goldsmith.models import queries, service
from goldsmith.models.types import SMOLLM2
from goldsmith.serve import queries as serve_queries
from goldsmith.serve import service as serve

commands = typer.Typer(help="Base models and fine-tuned models.", no_args_is_help=True)
Model = Annotated[str, typer.Argument(help="A model's id or name.")]


@commands.command("list")
def list_models(context: typer.Context) -> None:
    """List all models."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {"id": base.id, "name": base.name, "kind": "base model", "size": f"{base.size_bytes / 1e6:.0f} MB"}
            for base in queries.bases(session, domain=cli.domain)
        ]
        rows += [
            {"id": one.id, "name": one.name, "kind": f"fine-tuned, {one.status}", "size": f"{one.model_size_mb} MB"}
            for one in queries.all_tuned(session, domain=cli.domain)
        ]
    cli.table(rows, empty=f"No models yet. Get one with: goldsmith models get {SMOLLM2.name}")


@commands.command()
def get(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model that comes with Goldsmith.")] = SMOLLM2.name,
    wait: Annotated[bool, typer.Option(help="Wait until it is there.")] = True,
) -> None:
    """Fetch and convert a base model that comes with Goldsmith."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = service.start_builtin(session, name, by=person, home=cli.parts.home)
    if job is None:
        cli.show({"model": name, "state": "there"}, f"{name} is there already.")
        return
    cli.show({"model": name, **finish_or_say(cli, job.id, wait=wait)})


@commands.command("import")
def import_model(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(exists=True, help="A model folder, or one GGUF file.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    wait: Annotated[bool, typer.Option(help="Wait until it is there.")] = True,
) -> None:
    """Import a base model that lies on this machine."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        job = service.start_path(session, path, name=name, roots=(path.resolve().parent,), by=person)
    cli.show({"model": name, **finish_or_say(cli, job.id, wait=wait)})


@commands.command()
def deploy(context: typer.Context, model: Model) -> None:
    """Have a model loaded into an engine; its receipt follows by itself."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = queries.any_model(session, model, domain=person.domain)
        deployment = serve.deploy(session, found.id, by=person)
    cli.show({"model": found.id, "deployment": deployment.id, "state": deployment.state})


@commands.command()
def undeploy(context: typer.Context, model: Model) -> None:
    """Take a model out of its engine."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = queries.any_model(session, model, domain=person.domain)
        serve.undeploy(session, found.id, by=person)
    cli.show({"model": found.id, "state": "unloaded"})


@commands.command()
def switch(context: typer.Context, model: Model) -> None:
    """Make a proved model the default: callers who name no model get it."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = queries.any_model(session, model, domain=person.domain)
        serve.switch(session, found.id, by=person)
    cli.show({"default": found.id}, f"{found.name} is the default now. Undo with: goldsmith models undo")


@commands.command()
def undo(context: typer.Context) -> None:
    """Make the default what it was before."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        alias = serve.undo_switch(session, by=person)
    cli.show({"default": alias.targets})


@commands.command()
def receipt(context: typer.Context, model: Model) -> None:
    """Show the newest proof that a loaded model has learned what it was taught."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = serve_queries.receipt(session, queries.tuned(session, model, domain=cli.domain).id)
    cli.show({"is_green": found.is_green, "reason": found.reason, "duration_s": found.duration_s, "lines": found.lines})
