"""Every module with a decision in it has its test where one looks for it; those without are in a list that shrinks.

The mirrored path of `goldsmith/a/b.py` is `tests/unit/a/test_b.py`. A family of one-function files is tested together,
in the file that has its folder's name. Pages and API are tested through HTTP, in the folder of their step below
`tests/web`; trainers that need their environment in `tests/real`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE, TESTS = ROOT / "src" / "goldsmith", ROOT / "tests"
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if "versions" not in path.parts)
DECISIONS = (ast.If, ast.IfExp, ast.Match, ast.While, ast.Try, ast.BoolOp)
WITHOUT_A_TEST = frozenset(
    {
        "__main__.py",
        "app.py",
        "cli/compare.py",
        "cli/demo.py",
        "cli/doctor.py",
        "cli/loop.py",
        "compare/asked.py",
        "compare/examples.py",
        "compare/outcome.py",
        "compare/queries.py",
        "compare/service.py",
        "compare/types.py",
        "data/queries.py",
        "data/readers/__init__.py",
        "data/readers/recognise.py",
        "data/readers/text.py",
        "data/readers/values.py",
        "data/service.py",
        "environments/types.py",
        "errors.py",
        "gateway/checks.py",
        "gateway/endpoints.py",
        "migrations/__init__.py",
        "migrations/__main__.py",
        "migrations/env.py",
        "run/answers.py",
        "run/control_words.py",
        "run/queries.py",
        "serve/jobs.py",
        "serve/operations.py",
        "serve/probe.py",
        "serve/queries.py",
        "serve/recording.py",
        "serve/types.py",
        "stars/collecting.py",
        "stars/sides.py",
        "storage/restoring.py",
        "storage/table_lines.py",
        "storage/text.py",
        "testing/__main__.py",
        "testing/fake_answers.py",
        "testing/fake_hub.py",
        "train/jobs.py",
        "train/queries.py",
        "train/recipe.py",
        "train/service.py",
        "trainers/_rows.py",
        "trainers/_watcher.py",
        "trainers/convert_gguf.py",
        "web/answers.py",
        "web/badges.py",
        "web/changes.py",
        "web/dependencies.py",
        "web/design.py",
        "web/engine_keys.py",
        "web/faces.py",
        "web/factory.py",
        "web/job_access.py",
        "web/job_events.py",
        "web/job_lines.py",
        "web/listing.py",
        "web/looks.py",
        "web/needs.py",
        "web/pages.py",
        "web/shell.py",
        "web/sign_in.py",
        "web/waiting.py",
    }
)
"""Modules that decide something and are tested through others only. A new one does not belong here."""


def has_decision(module: Path) -> bool:
    if module.parts[:2] == ("testing", "contracts"):  # they are tests themselves
        return False
    nodes = ast.walk(ast.parse((SOURCE / module).read_text(encoding="utf-8")))
    return any(isinstance(node, DECISIONS) or (isinstance(node, ast.comprehension) and node.ifs) for node in nodes)


def places(module: Path) -> Iterator[Path]:
    """Where the module's test may be."""
    folder, name = module.parent, module.stem.lstrip("_")
    if module.stem == "__init__":
        yield TESTS / "unit" / folder.parent / f"test_{folder.name}.py"
        name = folder.name
    yield TESTS / "unit" / folder / f"test_{name}.py"
    yield TESTS / "unit" / folder / f"test_{folder.name}.py"
    if folder.parts[:1] == ("web",):
        yield TESTS / folder / f"test_{name}.py"
        if len(folder.parts) > 1:
            yield from (TESTS / folder).glob("test_*.py")
    if folder.name == "trainers":
        yield TESTS / "real" / f"test_{name}.py"


def has_test(module: Path) -> bool:
    return any(place.exists() for place in places(module))


def test_every_module_with_a_decision_has_its_test() -> None:
    missing = {module.as_posix() for module in MODULES if has_decision(module) and not has_test(module)}
    assert missing - WITHOUT_A_TEST == set(), "write the test at tests/unit/<same path>/test_<same name>.py"


def test_the_list_only_shrinks() -> None:
    there = {module.as_posix() for module in MODULES if has_decision(module) and not has_test(module)}
    assert WITHOUT_A_TEST - there == set(), "take these out of the list: they have a test now, or are gone"


@pytest.mark.parametrize("tree", ["unit", "web"])
def test_every_test_mirrors_something_that_is_there(tree: str) -> None:
    """A test whose module was renamed would go on testing by accident."""
    folders = {path.parent.relative_to(TESTS / tree) for path in (TESTS / tree).rglob("test_*.py")}
    source = SOURCE / "web" if tree == "web" else SOURCE
    assert [folder.as_posix() for folder in folders if not (source / folder).is_dir()] == []
