"""What all commands share: the parts, who is asking, how results and errors are printed, and exit codes."""

import getpass
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from goldsmith import app
from goldsmith.errors import Conflict, Denied, GoldsmithError, Invalid, NotFound, Unavailable
from goldsmith.people import service as people
from goldsmith.people.types import DEFAULT_DOMAIN, Person

EXIT_CODES: dict[type[GoldsmithError], int] = {NotFound: 4, Invalid: 2, Conflict: 5, Denied: 6, Unavailable: 7}
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class Cli:
    """One invocation: made once by `main`, handed to every command as typer's context object."""

    as_name: str | None = None
    is_json: bool = False

    @cached_property
    def parts(self) -> app.Parts:
        """The parts, with the database brought up to date."""
        parts = app.assemble()
        said = app.prepare_database(parts)
        if said and not self.is_json:
            err.print(said, style="dim")
        return parts

    def close(self) -> None:
        """Let go of the database."""
        if "parts" in self.__dict__:
            self.parts.database.dispose()

    @contextmanager
    def transaction(self) -> Iterator[tuple[Session, Person]]:
        """A transaction, and the person who is asking."""
        with self.parts.database.transaction() as session:
            yield session, people.known_by_name(session, self.as_name or getpass.getuser())

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A look at the database."""
        with self.parts.database.reading() as session:
            yield session

    @property
    def domain(self) -> str:
        """The organisation of the command line's user."""
        return DEFAULT_DOMAIN

    def show(self, data: Any, text: str | None = None) -> None:
        """Print a result: JSON for programs with `--json`, else a sentence or the data as lines."""
        if self.is_json:
            print(json.dumps(data, ensure_ascii=False, default=str))
        elif text is not None:
            out.print(text, markup=False)
        elif isinstance(data, dict):
            for key, value in data.items():
                out.print(f"{key}: {value}", markup=False)
        else:
            out.print(data, markup=False)

    def table(self, rows: Sequence[dict[str, Any]], *, empty: str) -> None:
        """Print rows as a table, or say what to do when there are none."""
        if self.is_json:
            print(json.dumps(list(rows), ensure_ascii=False, default=str))
            return
        if not rows:
            out.print(empty, markup=False)
            return
        table = Table(*rows[0].keys(), box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
        out.print(table)


def exit_with(error: GoldsmithError, *, is_json: bool) -> None:
    """Say what went wrong and what to do, and end with the family's exit code."""
    code = next((EXIT_CODES[cls] for cls in type(error).__mro__ if cls in EXIT_CODES), 1)
    if is_json:
        body = {"type": error.slug(), "title": error.title, "detail": error.message, "hint": error.hint}
        print(json.dumps(body, ensure_ascii=False), file=sys.stderr)
    else:
        err.print(f"{error.title}. {error.message}", markup=False)
        err.print(f"What to do: {error.hint}", markup=False)
    sys.exit(code)
