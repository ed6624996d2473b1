"""The contract of sources of rows, over every kind there is: ours here, a plugin's where its own tests call it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.row_sources import Database, Files, Labelled, Objects

from goldsmith.connect.sources import kinds
from goldsmith.testing.contracts.sources import SourceContract, Stand

STANDS: dict[str, type[Stand]] = {
    "sql": Database,
    "sql by change": Database,
    "folder": Files,
    "s3": Objects,
    "label_studio": Labelled,
}


class TestRowSources(SourceContract):
    @pytest.fixture(params=STANDS)
    def stand(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
        stand = STANDS[request.param](tmp_path, by_change=request.param.endswith("by change"))
        yield stand
        stand.close()


def test_every_kind_of_ours_is_here() -> None:
    assert {kind.name for kind in kinds.OURS} == {name.split()[0] for name in STANDS}
