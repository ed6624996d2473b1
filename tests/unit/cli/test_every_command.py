"""Every command, asked about things that are not there: a known exit code and a sentence, never a traceback."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
import typer
from tests.unit.cli.conftest import Line

from goldsmith.cli.console import EXIT_CODES
from goldsmith.cli.main import NOUNS, make_root

LONG_OR_ASKING = {"env install", "env remove", "models get", "models token"}
"""They fetch or delete something large, or wait for somebody to type."""
CODES = {0, 1, 2, *EXIT_CODES.values()}


def commands() -> Iterator[tuple[str, Any]]:
    """`noun verb` and the command."""
    group: Any = typer.main.get_command(make_root())
    for noun in NOUNS:
        for verb, command in group.commands[noun].commands.items():
            if f"{noun} {verb}" not in LONG_OR_ASKING:
                yield f"{noun} {verb}", command


def arguments_of(command: Any) -> list[str]:
    """Something for everything that is required."""
    words: list[str] = []
    for parameter in command.params:
        if parameter.required:
            kind = parameter.type_descriptor.annotation
            word = next(iter(kind)).value if isinstance(kind, type) and issubclass(kind, Enum) else "none"
            words += [word] if parameter.param_type_name == "argument" else [parameter.opts[0], word]
    return words


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_a_command_about_nothing_says_what_to_do(line: Line, name: str, command: Any) -> None:
    code, out, err = line.run(*name.split(), *arguments_of(command))
    assert code in CODES
    assert "Traceback" not in err
    assert out.strip() or err.strip()


def test_every_command_has_a_sentence_of_help() -> None:
    assert [name for name, command in commands() if not (command.help or "").strip()] == []
