"""`goldsmith NOUN VERB`: puts the nouns together, and turns errors into sentences and exit codes.

Only the command that is asked for is loaded: most load a step of the loop, and a process shall start at once.
"""

import sys
from importlib import import_module
from typing import Annotated

import typer
from sqlalchemy.exc import InterfaceError, OperationalError

from goldsmith.cli.console import Cli, exit_with
from goldsmith.errors import GoldsmithError
from goldsmith.web.errors import DatabaseNotAnswering

NOUNS = {
    "data": "data",
    "models": "models",
    "engines": "engines",
    "aliases": "aliases",
    "prompts": "prompts",
    "runs": "runs",
    "batches": "batches",
    "stars": "stars",
    "training-sets": "training_sets",
    "sources": "sources",
    "aristotle": "aristotle",
    "openai": "openai",
    "train": "train",
    "compare": "compare",
    "jobs": "jobs",
    "env": "env",
    "keys": "keys",
    "webhooks": "webhooks",
    "kept": "kept",
    "shadows": "shadows",
}
"""Noun → the module of this package that has its commands."""
COMMANDS = {
    "up": "processes",
    "down": "down",
    "web": "processes",
    "supervise": "processes",
    "demo": "demo",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "backup",
    "migrate": "backup",
    "work": "processes",
}
"""Command without a noun → the module that has it, as a function of the same name."""
HIDDEN = {"work"}


def make_root(word: str = "") -> typer.Typer:
    """The command line; when `word` is a noun or a command, with this one alone."""
    root = typer.Typer(
        help="Gold stars in, a better model out, and the proof beside it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    root.callback()(start)
    is_alone = word in NOUNS or word in COMMANDS
    for noun, module in NOUNS.items():
        if noun == word or not is_alone:
            root.add_typer(import_module(f"goldsmith.cli.{module}").commands, name=noun)
    for command, module in COMMANDS.items():
        if command == word or not is_alone:
            function = getattr(import_module(f"goldsmith.cli.{module}"), command)
            root.command(hidden=command in HIDDEN)(function)
    return root


def start(
    context: typer.Context,
    as_name: Annotated[
        str | None, typer.Option("--as", help="Whose name to act under; default: the system's user.")
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Turn answers that people marked with a gold star into a better model."""
    context.obj = Cli(as_name=as_name, is_json=is_json)
    context.call_on_close(context.obj.close)


def main() -> None:
    """Run a command; `--json` may stand anywhere."""
    is_json = "--json" in sys.argv
    words = [word for word in sys.argv[1:] if word != "--json"]
    arguments = ["--json", *words] if is_json else words
    try:
        make_root(words[0] if words else "")(arguments, prog_name="goldsmith")
    except GoldsmithError as error:
        exit_with(error, is_json=is_json)
    except (OperationalError, InterfaceError) as error:
        exit_with(DatabaseNotAnswering(f"The database did not take this: {error.orig}."), is_json=is_json)
