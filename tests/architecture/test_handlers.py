"""Handlers stay thin: parse, one call, answer. They write no query, catch nothing and are at most 15 lines long."""

import ast
from pathlib import Path

import pytest

import goldsmith

WEB = Path(goldsmith.__file__).parent / "web"
FILES = [*sorted(WEB.glob("*/handlers.py")), *sorted(WEB.glob("*/api.py")), WEB / "hello.py", WEB / "health.py"]
MAX_LINES = 15
Function = ast.FunctionDef | ast.AsyncFunctionDef
FORBIDDEN_CALLS = {"select", "insert", "update", "delete", "add", "commit", "flush"}
VERBS = {"get", "post", "put", "patch", "delete", "websocket", "api_route"}


def is_handler(node: ast.AST) -> bool:
    """Whether a function answers an address."""
    return isinstance(node, Function) and any(
        isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.func.attr in VERBS
        for decorator in node.decorator_list
    )


def handlers() -> list[tuple[str, Function]]:
    """Every handler there is."""
    return [
        (f"{path.parent.name}/{path.name}:{node.name}", node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if is_handler(node) and isinstance(node, Function)
    ]


@pytest.mark.parametrize(("name", "handler"), [pytest.param(*each, id=each[0]) for each in handlers()])
def test_a_handler_is_thin(name: str, handler: Function) -> None:
    body = handler.body[1:] if ast.get_docstring(handler) else handler.body
    num_lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
    assert num_lines <= MAX_LINES, f"{name} has {num_lines} lines; move what it decides into a service or a view"
    for node in ast.walk(handler):
        assert not isinstance(node, ast.Try), f"{name} catches errors; problems.py tells them"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, f"{name} calls {node.func.id}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_session = isinstance(node.func.value, ast.Name) and node.func.value.id == "session"
            is_query = is_session and (node.func.attr in FORBIDDEN_CALLS or node.func.attr.startswith("scalar"))
            assert not is_query, f"{name} uses the session; ask a service or a query"


def test_there_are_handlers_to_look_at() -> None:
    assert len(handlers()) > 10
