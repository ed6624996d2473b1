"""What was worked out once from the database, kept in memory for as long as what it was worked out from is the same.

Only what is committed is kept: a transaction that writes works everything out anew. Knows no table.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")


class Kept(Generic[T]):
    """Values of one kind by a name, each beside the stand at which it was worked out."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._values: dict[tuple[str, str], tuple[object, T]] = {}

    def get(self, session: Session, name: str, *, stand: Callable[[], object], make: Callable[[], T]) -> T:
        """The value, never None. `stand` is cheap and differs as soon as `make` would give something else."""
        now = stand()
        known = self.known(session, name, stand=now)
        if known is None:
            known = make()
            self.keep(session, name, known, stand=now)
        return known

    def known(self, session: Session, name: str, *, stand: object) -> T | None:
        """The value, if one is kept that was worked out at this stand."""
        place = _place(session, name)
        kept = self._values.get(place) if place else None
        return kept[1] if kept is not None and kept[0] == stand else None

    def keep(self, session: Session, name: str, value: T, *, stand: object) -> None:
        """Keep what was worked out at this stand, unless the session may have written."""
        place = _place(session, name)
        if place is None:
            return
        if len(self._values) >= self._limit:
            self._values.clear()
        self._values[place] = (stand, value)


def _place(session: Session, name: str) -> tuple[str, str] | None:
    connection = session.connection()
    is_reading = connection.get_execution_options().get("goldsmith_reads", False)
    return (str(connection.engine.url), name) if is_reading else None
