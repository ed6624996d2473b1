"""`goldsmith env`: the environments of heavy programs."""

from typing import Annotated

import typer

from goldsmith.cli import installing
from goldsmith.cli.console import Cli, err
from goldsmith.environments import folders, installer, locks
from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName

commands = typer.Typer(
    help="Environments: where the large programs live, trainers and engines, each apart.", no_args_is_help=True
)
Name = Annotated[EnvironmentName, typer.Argument(help="Which environment.")]


@commands.command()
def install(context: typer.Context, name: Name) -> None:
    """Build an environment from its lock; at once if it is there already."""
    cli: Cli = context.obj
    if not folders.find(name, home=cli.parts.home.root).is_installed and not cli.is_json:
        err.print(f"Installing {name}: {locks.install_time_hint(name).sentence}", markup=False)
    with installing.shown(err, is_quiet=cli.is_json) as report:
        environment = installer.install(
            name, home=cli.parts.home.root, torch_index_url=cli.parts.settings.torch_index_url, report=report
        )
    cli.show({"name": name.value, "path": str(environment.path)}, f"{name} is installed at {environment.path}.")


@commands.command("list")
def list_environments(context: typer.Context) -> None:
    """List the environments that there are, installed or not."""
    cli: Cli = context.obj
    rows = [
        {"name": one.name.value, "status": one.status.value, "python": one.python_version, "path": str(one.path)}
        for one in folders.page(home=cli.parts.home.root)
    ]
    cli.table(rows, empty="There are no environments.")


@commands.command()
def remove(context: typer.Context, name: Name) -> None:
    """Delete an environment; it can be installed again."""
    cli: Cli = context.obj
    folders.remove(name, home=cli.parts.home.root)
    cli.show(
        {"name": name.value, "removed": True}, f"{name} is removed. Get it back with: goldsmith env install {name}"
    )


def names_needed(machine: MachineFacts) -> tuple[EnvironmentName, ...]:
    """What this machine needs for the whole loop."""
    engine = EnvironmentName.VLLM if machine.device == "cuda" else EnvironmentName.VLLM_CPU
    return (EnvironmentName.TRL, engine)
