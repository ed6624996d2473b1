"""Lists that are sorted, filtered, searched and paged by their address, so that a link shows what I see.

`parts/table.html`, `parts/chips.html`, `parts/search.html` and `parts/pager.html` show these values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from fastapi import Request


@dataclass(frozen=True)
class Head:
    """The head of a column. With an address it is a link that sorts."""

    label: str
    href: str | None = None
    sort: Literal["ascending", "descending"] | None = None
    is_number: bool = False
    is_hidden: bool = False
    """Named for screen readers only, as over a column of buttons."""


@dataclass(frozen=True)
class Chip:
    """A filter with how many it would show."""

    label: str
    href: str
    count: int | None = None
    is_current: bool = False


@dataclass(frozen=True)
class Pager:
    """Where in a long list this page stands: "1 to 50 of 14,212"."""

    sentence: str
    back: str | None = None
    more: str | None = None


def with_query(request: Request, **changes: str | int | None) -> str:
    """This page's address with some values of its query changed; None takes a value out."""
    query = {key: value for key, value in request.query_params.items() if key not in changes}
    query |= {key: str(value) for key, value in changes.items() if value is not None}
    path: str = request.scope["path"]
    return f"{path}?{urlencode(query)}" if query else path


def head(request: Request, label: str, column: str, *, is_number: bool = False) -> Head:
    """A head that sorts by `column`: `?sort=column`, and `?sort=-column` the second time."""
    now = request.query_params.get("sort", "")
    sort: Literal["ascending", "descending"] | None = None
    if now.lstrip("-") == column:
        sort = "descending" if now.startswith("-") else "ascending"
    wanted = f"-{column}" if sort == "ascending" else column
    return Head(label, with_query(request, sort=wanted, after=None, before=None), sort, is_number)


def chips(
    request: Request, name: str, choices: Sequence[tuple[str, str]], counts: dict[str, int] | None = None
) -> tuple[Chip, ...]:
    """Filters by the query value `name`; the choice with the value "" is all."""
    now = request.query_params.get(name, "")
    return tuple(
        Chip(
            label,
            with_query(request, **{name: value or None, "after": None, "before": None}),
            (counts or {}).get(value),
            value == now,
        )
        for value, label in choices
    )
