"""Budgets: what is small can be read. Exceptions are listed here, and the lists may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "goldsmith"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "versions" not in path.parts)
MAX_MODULE_LINES = 400
MAX_TRAINER_LINES = 300
MAX_FUNCTION_LINES = 50
LONG_MODULES: dict[str, int] = {}
"""Module → the lines that it may have."""
LONG_FUNCTIONS: dict[str, int] = {}
"""`module.py:function` → the lines that it may have."""


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield f"{name_of(path)}:{node.name}", node.end_lineno - node.lineno + 1


def limit_of(path: Path) -> int:
    usual = MAX_TRAINER_LINES if path.parent.name == "trainers" else MAX_MODULE_LINES
    return LONG_MODULES.get(name_of(path), usual)


def test_every_module_fits_its_budget() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name_of(path): size for path, size in sizes.items() if size > limit_of(path)} == {}


def test_every_function_fits_its_budget() -> None:
    found = [one for path in MODULES for one in functions(path)]
    assert [one for one in found if one[1] > LONG_FUNCTIONS.get(one[0], MAX_FUNCTION_LINES)] == []


def test_the_lists_of_exceptions_only_shrink() -> None:
    sizes = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    long_functions = dict(found for path in MODULES for found in functions(path))
    assert [name for name in LONG_MODULES if sizes.get(name, 0) <= MAX_MODULE_LINES] == []
    assert [name for name in LONG_FUNCTIONS if long_functions.get(name, 0) <= MAX_FUNCTION_LINES] == []
