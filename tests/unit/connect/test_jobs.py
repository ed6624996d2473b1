"""The keeper costs nothing while there is nothing to write; what it writes is tested in `test_returning.py`."""

from collections.abc import Mapping
from typing import Any

from goldsmith.connect.jobs import WriteBackKeeper
from goldsmith.connect.types import Said, Scope, WriteState
from goldsmith.storage import clock
from goldsmith.storage.database import Database


class Untouched:
    """Fails when it is asked anything."""

    name, title = "aristotle", "Aristotle"

    def standing(self, scope: Scope, external_id: str) -> dict[str, Any] | None:
        raise AssertionError

    def wanted(self, before: Mapping[str, Any], said: Said, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        raise AssertionError

    def put(self, scope: Scope, external_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> WriteState:
        raise AssertionError


def test_nobody_is_asked_about_nothing(database: Database) -> None:
    keeper = WriteBackKeeper(database, Untouched())
    keeper.tick(clock.now())
    keeper.wait()
