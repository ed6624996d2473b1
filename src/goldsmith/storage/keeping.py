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
        """The value. `stand` is cheap and differs as soon as `make` would give something else."""
        connection = session.connection()
        if not connection.get_execution_options().get("goldsmith_reads", False):
            return make()
        place, now = (str(connection.engine.url), name), stand()
        known = self._values.get(place)
        if known is None or known[0] != now:
            known = (now, make())
            if len(self._values) >= self._limit:
                self._values.clear()
            self._values[place] = known
        return known[1]
