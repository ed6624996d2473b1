"""The keeper costs nothing while there is nothing to write; what it writes is tested in `test_returning.py`."""

from collections.abc import Mapping
from typing import Any

import pytest

from goldsmith.app import make_aristotle
from goldsmith.connect.errors import SourceNotConnected
from goldsmith.connect.jobs import WriteBackKeeper, keepers_of_source
from goldsmith.connect.types import Said, Scope, WriteState
from goldsmith.storage import clock
from goldsmith.storage.database import Database

TIMES = ["syncs", "offers", "stars_by_themselves"]


class Untouched:
    """Fails when it is asked anything."""

    name, title = "aristotle", "Aristotle"

    def standing(self, scope: Scope, external_id: str) -> dict[str, Any] | None:
        raise AssertionError

    def wanted(self, before: Mapping[str, Any], said: Said, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        raise AssertionError

    def put(self, scope: Scope, external_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> WriteState:
        raise AssertionError


def test_only_who_asks_for_it_has_stars_written_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DB_HOST", "DB_PORT", "WRITE_BACK"):
        monkeypatch.delenv(f"ARISTOTLE_{name}", raising=False)
    assert [each.name for each in keepers_of_source(database, make_aristotle)] == TIMES
    monkeypatch.setenv("ARISTOTLE_DATABASE_URL", "postgresql://reader@127.0.0.1:1/nothing")
    monkeypatch.setenv("ARISTOTLE_DB_PORT", "")
    assert [each.name for each in keepers_of_source(database, make_aristotle)] == TIMES
    monkeypatch.setenv("ARISTOTLE_WRITE_BACK", "true")
    assert [each.name for each in keepers_of_source(database, make_aristotle)] == [*TIMES, "write_back"]
    monkeypatch.setenv("ARISTOTLE_DB_PORT", "four thousand")
    kept = [each.name for each in keepers_of_source(database, make_aristotle)]
    assert kept == TIMES, "a wrong setting keeps no supervisor from starting"
    with pytest.raises(SourceNotConnected, match="ARISTOTLE_DB_PORT cannot be used"):
        make_aristotle()


def test_nobody_is_asked_about_nothing(database: Database) -> None:
    keeper = WriteBackKeeper(database, Untouched())
    keeper.tick(clock.now())
    keeper.wait()
