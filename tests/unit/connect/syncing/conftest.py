"""Syncs that a test does itself."""

from pathlib import Path

import pytest
from tests.syncing import Syncs

from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


@pytest.fixture
def syncs(database: Database, home: Home, person: Person, tmp_path: Path) -> Syncs:
    """With an empty folder of its own."""
    return Syncs(database, home, person, tmp_path / "source")
