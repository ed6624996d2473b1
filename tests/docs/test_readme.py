"""What the documents show is there: paths, verbs of `make`, commands with their options, settings, addresses."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from goldsmith.cli.main import make_root
from goldsmith.settings import Settings
from goldsmith.web.factory import Routers

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "goldsmith"
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
STARTERS = [ROOT / "Makefile", *(ROOT / "tests").glob("*.py"), *(ROOT / "tests" / "real").glob("*.py")]
WRITTEN = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/index.md", "docs/tutorial.md")),
    *(
        ROOT / name
        for name in ("docs/glossary.md", "docs/log.md", "src/goldsmith/environments/locks/README.md", "embed/README.md")
    ),
    *(path for folder in ("howto", "explain", "decisions") for path in sorted((ROOT / "docs" / folder).glob("*.md"))),
]
"""Every document that a person wrote; the others come out of the code."""
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?goldsmith\s")
GROUP: Any = typer.main.get_command(make_root())


def tree() -> dict[str, str]:
    """The tree's entries below `src/goldsmith`, with what is said about each."""
    lines = next(text for _, text in BLOCK.findall(README) if text.startswith("src/goldsmith/")).splitlines()
    pairs = [re.match(r"[├└]── (\S+)\s+(\S.*)", line) for line in lines]
    return {found[1].rstrip("/"): found[2] for found in pairs if found}


def shown_commands(text: str) -> Iterator[list[str]]:
    """The words behind `goldsmith` in blocks of shell, which are there to be copied."""
    blocks = [line for kind, block in BLOCK.findall(text) if kind in ("sh", "bash") for line in block.splitlines()]
    for line in blocks:
        if found := COMMAND.match(line.strip()):
            yield shlex.split(line.strip()[found.end() :], comments=True)


def mentioned_commands(text: str) -> Iterator[list[str]]:
    """The words behind `goldsmith` in code marks in a sentence, which may leave out what must be given."""
    for mark in re.findall(r"`goldsmith\s([^`]+)`", BLOCK.sub("", text)):
        yield shlex.split(mark)


def faults(words: list[str], *, is_whole: bool = True) -> list[str]:
    """What is wrong with a command, without running it."""
    command, rest = GROUP, [word for word in words if word != "--json"]
    while hasattr(command, "commands") and rest:
        if rest[0] not in command.commands:
            return [f"there is no {rest[0]!r}"]
        command, rest = command.commands[rest[0]], rest[1:]
    if hasattr(command, "commands"):
        return ["a verb is missing"] if is_whole else []
    options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts) if name[0] == "-"}
    places = [one for one in command.params if one.param_type_name == "argument"]
    max_values = len(places) if all(one.nargs != -1 for one in places) else len(rest)
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
    if not is_whole:
        return found if num_values <= max_values else [*found, f"{num_values} arguments"]
    missing = [one.name for one in command.params if one.required and one.param_type_name == "option"]
    found += [f"{name} must be given" for name in missing if name not in given]
    num_needed = sum(one.required for one in places)
    return found if num_needed <= num_values <= max_values else [*found, f"{num_values} arguments"]


TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in WRITTEN}
COMMANDS = [(name, words) for name, text in TEXTS.items() for words in shown_commands(text)]
MENTIONED = [(name, words) for name, text in TEXTS.items() for words in mentioned_commands(text)]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: value if isinstance(value, str) else value[0])
def test_a_command_that_is_shown_can_be_called(page: str, words: list[str]) -> None:
    assert faults(words) == [], f"{page}: goldsmith {' '.join(words)}"


@pytest.mark.parametrize(("page", "words"), MENTIONED, ids=lambda value: value if isinstance(value, str) else value[0])
def test_a_command_that_is_mentioned_exists(page: str, words: list[str]) -> None:
    assert faults(words, is_whole=False) == [], f"{page}: goldsmith {' '.join(words)}"


def test_commands_are_found_at_all() -> None:
    assert len(COMMANDS) > 60
    assert len(MENTIONED) > 20
    assert faults(["data", "fly"]) == ["there is no 'fly'"]
    assert faults(["data", "show", "x", "--colour", "red"]) != []
    assert faults(["train", "start"]) == ["base_model must be given"]
    assert faults(["train", "start"], is_whole=False) == []
    assert faults(["train", "begin"], is_whole=False) != []


def test_everything_in_the_tree_is_there() -> None:
    assert [name for name in tree() if not (SOURCE / name).exists() and not (ROOT / name).exists()] == []


def test_every_package_is_in_the_tree() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    modules = {path.name for path in SOURCE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert packages | modules == set(tree())


def test_every_verb_of_make_is_one() -> None:
    verbs = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = "".join(TEXTS.values())
    shown = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert {"demo", "test"} <= shown
    assert shown <= verbs


def test_every_address_of_a_page_is_answered() -> None:
    from goldsmith.web.routers import make_routers

    routers: Routers = make_routers()
    answered = {getattr(route, "path", "") for router in routers.pages for route in router.routes}
    answered |= set(re.findall(r"`\w+ (/[^`]*)`", REFERENCE))
    shown = {address for text in TEXTS.values() for address in re.findall(r"`(?:[A-Z]+ )?(/[\w/{}.-]*)`", text)}
    assert {"/fine-tuning", "/data/new", "/v1/models"} <= shown
    assert sorted(shown - answered) == []


def test_every_setting_that_is_named_is_one() -> None:
    known = {f"GOLDSMITH_{name.upper()}" for name in Settings.model_fields}
    # What only tests and benchmarks read stands where they are started.
    known |= set(re.findall(r"GOLDSMITH_[A-Z_]+", "".join(path.read_text(encoding="utf-8") for path in STARTERS)))
    for name, text in TEXTS.items():
        assert set(re.findall(r"GOLDSMITH_[A-Z_]+\b", text)) <= known, name
