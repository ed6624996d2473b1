"""`goldsmith NOUN VERB`: puts the nouns together, and turns errors into sentences and exit codes."""

import sys
from typing import Annotated

import typer

from goldsmith.cli import (
    backup,
    compare,
    data,
    demo,
    doctor,
    engines,
    env,
    jobs,
    keys,
    models,
    processes,
    prompts,
    runs,
    stars,
    train,
    training_sets,
)
from goldsmith.cli.console import Cli, exit_with
from goldsmith.errors import GoldsmithError

root = typer.Typer(
    help="Gold stars in, a better model out, and the proof beside it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
NOUNS = {
    "data": data,
    "models": models,
    "engines": engines,
    "prompts": prompts,
    "runs": runs,
    "stars": stars,
    "training-sets": training_sets,
    "train": train,
    "compare": compare,
    "jobs": jobs,
    "env": env,
    "keys": keys,
}
for noun, module in NOUNS.items():
    root.add_typer(module.commands, name=noun)
for command in (
    processes.up,
    processes.down,
    processes.web,
    processes.supervise,
    demo.demo,
    doctor.doctor,
    backup.backup,
    backup.restore,
    backup.migrate,
):
    root.command()(command)
root.command(hidden=True)(processes.work)


@root.callback()
def start(
    context: typer.Context,
    as_name: Annotated[
        str | None, typer.Option("--as", help="Whose name to act under; default: the system's user.")
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Turn answers that people marked with a gold star into a better model."""
    context.obj = Cli(as_name=as_name, is_json=is_json)


def main() -> None:
    """Run a command; `--json` may stand anywhere."""
    argv = sys.argv[1:]
    is_json = "--json" in argv
    arguments = (["--json"] if is_json else []) + [word for word in argv if word != "--json"]
    try:
        root(arguments)
    except GoldsmithError as error:
        exit_with(error, is_json=is_json)
