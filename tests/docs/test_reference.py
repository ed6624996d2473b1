"""The generated pages are those of this code, and every error says all that its page needs."""

import importlib
import pickle
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import goldsmith
from goldsmith.cli.main import make_root
from goldsmith.errors import Conflict, Denied, GoldsmithError, Invalid, NotFound, Unavailable
from goldsmith.settings import Settings

ROOT = Path(__file__).parents[2]
FAMILIES = {NotFound, Invalid, Conflict, Denied, Unavailable}
# Trainers are run and never imported; Alembic runs its own two; a __main__ is a program.
NOT_IMPORTED = ("goldsmith.trainers", "goldsmith.migrations.env", "goldsmith.migrations.versions")


def import_everything() -> None:
    for found in pkgutil.walk_packages(goldsmith.__path__, "goldsmith."):
        if not found.name.startswith(NOT_IMPORTED) and not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def below(cls: type[GoldsmithError]) -> Iterator[type[GoldsmithError]]:
    for one in cls.__subclasses__():
        if one.__module__.startswith("goldsmith."):
            yield one
            yield from below(one)


import_everything()
ERRORS = sorted(set(below(GoldsmithError)), key=lambda cls: cls.__qualname__)


def test_generated_pages_are_those_of_this_code() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("error", ERRORS, ids=lambda cls: cls.__name__)
def test_an_error_says_what_it_means_and_what_to_do(error: type[GoldsmithError]) -> None:
    assert "__doc__" in vars(error), "write a docstring: it is the meaning on its page"
    assert vars(error)["__doc__"]
    assert error in FAMILIES or error.title not in {one.title for one in (GoldsmithError, *FAMILIES)}
    assert error.default_hint != GoldsmithError.default_hint
    assert not error.title.endswith(".")


@pytest.mark.parametrize("error", ERRORS, ids=lambda cls: cls.__name__)
def test_an_error_is_of_one_family(error: type[GoldsmithError]) -> None:
    assert len(FAMILIES.intersection(error.__mro__)) == 1


@pytest.mark.parametrize("error", ERRORS, ids=lambda cls: cls.__name__)
def test_an_error_survives_the_way_between_processes(error: type[GoldsmithError]) -> None:
    back = pickle.loads(pickle.dumps(error("It happened.", hint="Do this.")))
    assert (type(back), back.message, back.hint, str(back)) == (error, "It happened.", "Do this.", "It happened.")


def test_every_slug_is_its_own() -> None:
    assert [slug for slug, times in Counter(error.slug() for error in ERRORS).items() if times > 1] == []


def test_every_error_has_its_line_among_the_problems() -> None:
    page = (ROOT / "docs" / "reference" / "problems.md").read_text(encoding="utf-8")
    assert [error.slug() for error in ERRORS if f"| `{error.slug()}` |" not in page] == []


@pytest.mark.parametrize("error", ERRORS, ids=lambda cls: cls.__name__)
def test_a_command_or_setting_in_a_hint_exists(error: type[GoldsmithError]) -> None:
    group: Any = typer.main.get_command(make_root())
    for mention in re.findall(r"goldsmith((?: [a-z][a-z-]+)+)", error.default_hint):
        command = group
        for word in mention.split():
            if hasattr(command, "commands"):
                assert word in command.commands, f"goldsmith{mention}"
                command = command.commands[word]
        assert not hasattr(command, "commands"), f"goldsmith{mention}: a verb is missing"
    for name in re.findall(r"GOLDSMITH_([A-Z_]+)", error.default_hint):
        assert name.lower() in Settings.model_fields
