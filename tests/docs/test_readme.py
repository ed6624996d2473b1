"""What README, tutorial and how-to pages show is there: paths, verbs of `make`, commands with their options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from goldsmith.cli.main import make_root
from goldsmith.web.factory import Routers

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "goldsmith"
README = (ROOT / "README.md").read_text(encoding="utf-8")
WITH_COMMANDS = [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "howto").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
GROUP: Any = typer.main.get_command(make_root())


def tree() -> dict[str, str]:
    """The tree's entries below `src/goldsmith`, with what is said about each."""
    lines = next(text for _, text in BLOCK.findall(README) if text.startswith("src/goldsmith/")).splitlines()
    pairs = [re.match(r"[├└]── (\S+)\s+(\S.*)", line) for line in lines]
    return {found[1].rstrip("/"): found[2] for found in pairs if found}


def shown_commands(text: str) -> Iterator[list[str]]:
    """The words behind `goldsmith`, from blocks of shell and from code marks in a sentence."""
    blocks = [line for kind, block in BLOCK.findall(text) if kind in ("sh", "bash") for line in block.splitlines()]
    marks = re.findall(r"`((?:goldsmith)\s[^`]+)`", BLOCK.sub("", text))
    for line in (*blocks, *marks):
        if re.match(r"(\S*/)?goldsmith\s", line):
            yield shlex.split(line, comments=True)[1:]


def faults(words: list[str]) -> list[str]:
    """What is wrong with a command, without running it."""
    command, rest = GROUP, [word for word in words if word != "--json"]
    while hasattr(command, "commands") and rest:
        if rest[0] not in command.commands:
            return [f"there is no {rest[0]!r}"]
        command, rest = command.commands[rest[0]], rest[1:]
    if hasattr(command, "commands"):
        return ["a verb is missing"]
    options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts) if name[0] == "-"}
    places = [one for one in command.params if one.param_type_name == "argument"]
    found, num_values, given = [], 0, set[str]()
    while rest:
        word, rest = rest[0].partition("=")[0], rest[1:]
        if not word.startswith("--"):
            num_values += 1
        elif word not in options:
            found.append(f"there is no option {word}")
        else:
            given.add(options[word].name)
            rest = rest if getattr(options[word], "is_flag", False) else rest[1:]
    missing = [one.name for one in command.params if one.required and one.param_type_name == "option"]
    found += [f"{name} must be given" for name in missing if name not in given]
    num_needed = sum(one.required for one in places)
    return found if num_needed <= num_values <= len(places) else [*found, f"{num_values} arguments"]


COMMANDS = [(path.name, words) for path in WITH_COMMANDS for words in shown_commands(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: value if isinstance(value, str) else value[0])
def test_a_command_that_is_shown_can_be_called(page: str, words: list[str]) -> None:
    assert faults(words) == [], f"{page}: goldsmith {' '.join(words)}"


def test_commands_are_found_at_all() -> None:
    assert len(COMMANDS) > 30
    assert faults(["data", "fly"]) == ["there is no 'fly'"]
    assert faults(["data", "show", "x", "--colour", "red"]) != []
    assert faults(["train", "start"]) == ["base_model must be given"]


def test_everything_in_the_tree_is_there() -> None:
    assert [name for name in tree() if not (SOURCE / name).exists() and not (ROOT / name).exists()] == []


def test_every_package_is_in_the_tree() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    modules = {path.name for path in SOURCE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert packages | modules == set(tree())


def test_every_verb_of_make_is_one() -> None:
    verbs = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = "".join(path.read_text(encoding="utf-8") for path in WITH_COMMANDS)
    shown = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert {"demo", "test"} <= shown
    assert shown <= verbs


def test_every_address_of_a_page_is_answered() -> None:
    from goldsmith.app import make_routers

    routers: Routers = make_routers()
    answered = {getattr(route, "path", "") for router in routers.pages for route in router.routes}
    shown = set(re.findall(r"`(/[a-z-]*)`", README))
    assert "/fine-tuning" in shown
    assert shown <= answered
