"""`goldsmith models`: base models and fine-tuned models, and what is live."""

import getpass
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from goldsmith.cli.console import Cli
from goldsmith.cli.exporting import export_model, merge_model
from goldsmith.cli.watching import finish_or_say, until_live
from goldsmith.models import hub_access, queries, service
from goldsmith.models.errors import HubTokenNotUsable
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.models.types import BUILTINS, METRICS, SMOLLM2, FromHub
from goldsmith.serve import bell
from goldsmith.serve import queries as serve_queries
from goldsmith.serve import service as serve
from goldsmith.storage import amounts

commands = typer.Typer(help="Models: base models, and those that were trained from them.", no_args_is_help=True)
Model = Annotated[str, typer.Argument(help="A model's id or name.")]

BASE_FACTS = (
    *("id", "name", "source", "hub_id", "hub_commit", "licence", "size_bytes", "num_parameters", "context_length"),
    *("end_marker", "template_hash", "content_hash", "folder", "created_at"),
)
TUNED_FACTS = (
    *("id", "name", "base_model", "base_model_id", "training_job_id", "training_set_id", "status", "lora_rank"),
    *("model_size_mb", "final_loss", "exam_loss", "win_rate", "template_hash", "content_hash", "created_at"),
)


commands.command("export")(export_model)


commands.command("merge")(merge_model)


@commands.command("list")
def list_models(context: typer.Context) -> None:
    """List all models."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {"id": base.id, "name": base.name, "kind": "base model", "size": amounts.size(base.size_bytes)}
            for base in queries.bases(session, domain=cli.domain)
        ]
        rows += [
            {"id": one.id, "name": one.name, "kind": f"fine-tuned, {one.status}", "size": f"{one.model_size_mb} MB"}
            for one in queries.all_tuned(session, domain=cli.domain)
        ]
    cli.table(rows, empty=f"No models yet. Get one with: goldsmith models get {SMOLLM2.name}")


@commands.command()
def show(context: typer.Context, model: Model) -> None:
    """Show what is known of a model: where it comes from, what was measured of it and when, where it is live."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = queries.any_model(session, model, domain=cli.domain)
        live = serve_queries.active(session, domain=cli.domain)
    names = BASE_FACTS if isinstance(found, BaseModel) else TUNED_FACTS
    figures = {} if isinstance(found, BaseModel) else {"metrics": _measured(found)}
    on = [
        {"engine": item.engine.id, "live": item.is_live, "proof": item.deployment.proof, "aliases": list(item.aliases)}
        for item in live
        if item.deployment.model_id == found.id
    ]
    cli.show({**{name: getattr(found, name) for name in names}, **figures, "live_on": on})


@commands.command()
def get(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="A model that comes with Goldsmith, or one on a model hub: ORG/NAME.")
    ] = SMOLLM2.name,
    name: Annotated[str | None, typer.Option(help="What a model from a hub is called here; else as there.")] = None,
    revision: Annotated[str | None, typer.Option(help="A commit, branch or tag of the hub's model.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is there.")] = True,
) -> None:
    """Fetch a base model that comes with Goldsmith, or one from a model hub; goes on where it broke off."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        if "/" in model:
            wanted = FromHub(model, revision=revision, name=name)
            job = service.start_hub(session, wanted, by=person, home=cli.parts.home)
        elif name or revision:
            raise typer.BadParameter("--name and --revision are for models from a hub (ORG/NAME)")
        else:
            job = service.start_builtin(session, model, by=person, home=cli.parts.home)
    if job is None:
        cli.show({"model": model, "state": "there"}, f"{model} is there already.")
        return
    cli.show({"model": model, **finish_or_say(cli, job.id, wait=wait)})


@commands.command()
def token(
    context: typer.Context,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the token.")] = False,
) -> None:
    """Keep the token with which a model hub gives out gated and private models; asked for, or read from a pipe."""
    cli: Cli = context.obj
    given = None if remove else _ask_for_token()
    hub_access.keep_token(cli.parts.home, given)
    said = "There is no token now." if given is None else "The token is kept, readable by you alone."
    cli.show({"is_kept": given is not None}, said)


def _ask_for_token() -> SecretStr:
    """Never as an argument: other people on the machine can read those."""
    text = getpass.getpass("The token (it is not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    token = hub_access.usable_token(text)
    if token is None:
        raise HubTokenNotUsable("Nothing was entered.")
    return token


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
def deploy(
    context: typer.Context,
    model: Model,
    wait: Annotated[bool, typer.Option(help="Wait until it is loaded and proved.")] = True,
) -> None:
    """Have a model loaded into an engine, and proved there. The engine is started if there is none."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = queries.any_model(session, model, domain=person.domain)
        deployment = serve.deploy(session, found.id, by=person)
    if wait:
        deployment = until_live(cli, found.id)
    state = {"state": deployment.state, "proof": deployment.proof, "load_s": deployment.load_s}
    cli.show({"model": found.id, "deployment": deployment.id, **state})


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
    bell.ring(cli.parts.home)
    cli.show({"default": found.id}, f"{found.name} is the default now. Undo with: goldsmith models undo")


@commands.command()
def undo(context: typer.Context) -> None:
    """Make the default what it was before."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        alias = serve.undo_switch(session, by=person)
    bell.ring(cli.parts.home)
    cli.show({"default": alias.targets})


@commands.command()
def active(context: typer.Context) -> None:
    """List what is live where, proved or not, and what callers get who name no model."""
    cli: Cli = context.obj
    with cli.reading() as session:
        rows = [
            {
                "model": item.deployment.model_id,
                "name": item.name,
                "engine": item.engine.id,
                "state": item.deployment.state,
                "live": item.is_live,
                "proof": item.deployment.proof,
                "aliases": ", ".join(item.aliases),
            }
            for item in serve_queries.active(session, domain=cli.domain)
        ]
    cli.table(rows, empty="Nothing is live. Have a model loaded with: goldsmith models deploy MODEL")


@commands.command()
def measure(context: typer.Context, model: Model) -> None:
    """Have a loaded model proved and measured once more: log-probabilities, latency, tokens a second."""
    cli: Cli = context.obj
    with cli.transaction() as (session, person):
        found = queries.tuned(session, model, domain=person.domain)
        deployment = serve.prove_again(session, found.id, by=person)
    said = {"model": found.id, "deployment": deployment.id, "proof": deployment.proof}
    cli.show(said, f"{found.name} will be measured. Then look at: goldsmith models receipt {found.id}")


@commands.command()
def receipt(context: typer.Context, model: Model) -> None:
    """Show the newest proof that a loaded model has learned what it was taught."""
    cli: Cli = context.obj
    with cli.reading() as session:
        found = serve_queries.receipt(session, queries.tuned(session, model, domain=cli.domain).id)
    cli.show({"is_green": found.is_green, "reason": found.reason, "duration_s": found.duration_s, "lines": found.lines})


def command_to_get(base: BaseModel) -> str:
    """How the files of a base model are brought once more."""
    if base.source == "builtin" and base.name in BUILTINS:
        return f"goldsmith models get {base.name}"
    if base.merged_from is not None:
        return f"goldsmith models merge {base.merged_from}"
    if base.source == "hub" and base.hub_id:
        own_name = "" if base.name == base.hub_id else f" --name {shlex.quote(base.name)}"
        return f"goldsmith models get {base.hub_id}{own_name}"
    return f"goldsmith models import PATH --name {shlex.quote(base.name)}"


def _measured(model: FineTunedModel) -> dict[str, Any]:
    """What somebody measured, when and by what."""
    return {
        name: {"value": getattr(model, name), "measured": model.measured_at.get(name)}
        for name in METRICS
        if getattr(model, name) is not None
    }
