"""Names say what is inside, and every module says what it is for."""

import ast
import re
import tomllib
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "goldsmith"
TESTS = Path(__file__).parents[1]
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "versions" not in path.parts)
FORBIDDEN = re.compile(
    r"utils?|helpers?|common|misc|core|base|managers?|handler|processors?|data2|new_.*|.*_v2|.*_utils?|.*_helpers?"
)
ALLOWED = {"train/backends/base.py"}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [
        name_of(path)
        for path in MODULES
        if any(FORBIDDEN.fullmatch(name) for name in (path.stem, *path.relative_to(SOURCE).parent.parts))
    ]
    assert set(found) <= ALLOWED


def test_every_module_says_what_it_is_for() -> None:
    texts = {name_of(path): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES}
    assert [name for name, text in texts.items() if not text] == [], "begin the module with a docstring"


def test_every_mark_is_declared_so_that_tests_are_collected_without_the_plugin_that_reads_it() -> None:
    settings = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {mark.partition(":")[0] for mark in settings["tool"]["pytest"]["ini_options"]["markers"]}
    used = {
        name
        for path in TESTS.rglob("*.py")
        for name in re.findall(r"pytest\.mark\.(\w+)", path.read_text(encoding="utf-8"))
    }
    always_there = {"parametrize", "skip", "skipif", "xfail", "usefixtures", "enable_socket"}
    assert used - declared - always_there == set(), "declare it in pyproject.toml"


def test_there_is_no_class_that_manages_helps_or_processes() -> None:
    bad = re.compile(r".*(Manager|Helper|Utils?|Processor)")
    found = [
        f"{name_of(path)}: {node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and bad.fullmatch(node.name)
    ]
    assert found == []
