"""Is a text in a column? Both databases compare plainly, character by character: no wildcards, no rules of their own.

What is to be found whatever its capitals is kept as `text.plain` makes it, and looked for so. Knows no table.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def contains(column: ColumnElement[Any] | InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Whether `text` stands anywhere in the column, exactly as it is."""
    return _Contains(column, literal(text))


class _Contains(FunctionElement[bool]):
    """A column and a text."""

    name = "contains"
    type = Boolean()
    inherit_cache = True


@compiles(_Contains)
def _strpos(element: _Contains, compiler: SQLCompiler, **more: Any) -> str:
    column, text = (compiler.process(each, **more) for each in element.clauses)
    return f"(strpos({column}, {text}) > 0)"


@compiles(_Contains, "sqlite")
def _instr(element: _Contains, compiler: SQLCompiler, **more: Any) -> str:
    column, text = (compiler.process(each, **more) for each in element.clauses)
    return f"(instr({column}, {text}) > 0)"
