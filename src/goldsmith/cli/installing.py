"""What is shown while an environment is installed: one line that moves on a terminal, and few lines elsewhere."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status

EVERY = 10
_COUNTED = re.compile(r"Fetching .*\((\d+) of (\d+)\)")

Report = Callable[[str, float | None], None]


@contextmanager
def shown(console: Console, *, is_quiet: bool = False) -> Iterator[Report]:
    """What an installer reports to. Where nobody watches, every tenth file and what is large gets a line."""
    if is_quiet:
        yield _say_nothing
    elif console.is_terminal:
        with console.status("Beginning") as status:
            yield _Lines(console, status)
    else:
        yield _Lines(console)


class _Lines:
    """Prints what is worth a line; with a status the files are shown there instead, one after the other."""

    def __init__(self, console: Console, status: Status | None = None) -> None:
        self._console = console
        self._status = status
        self._last = ""

    def __call__(self, text: str, share: float | None) -> None:
        line = f"{'' if share is None else f'{share:.0%}':>5}  {text}"
        if self._status is not None and text.startswith("Fetching"):
            self._status.update(escape(line))
        elif text != self._last and is_worth_a_line(text):
            self._console.print(line, markup=False)
        self._last = text


def is_worth_a_line(text: str) -> bool:
    """Whether this stands in a log too: of the files that are counted only every tenth and the last one."""
    counted = _COUNTED.fullmatch(text)
    return counted is None or int(counted[1]) % EVERY == 0 or counted[1] == counted[2]


def _say_nothing(text: str, share: float | None) -> None:
    """For programs, which read the result."""
