"""The source keeps what every source promises."""

import json
from pathlib import Path
from typing import Any

import pytest

from goldsmith.testing.contracts.sources import Kept, Rows, SourceContract, Stand
from goldsmith_example.faq import Faq


class FaqStand(Stand):
    """A file with questions and answers."""

    kind = Faq()

    @property
    def path(self) -> Path:
        return self.folder / "outside" / "faq.json"

    def put(self, rows: Rows) -> None:
        self.path.write_text(json.dumps(rows), encoding="utf-8")

    def options(self) -> dict[str, Any]:
        return {"path": str(self.path)}

    def wrong_options(self) -> dict[str, Any]:
        return {"path": str(self.folder / "outside" / "nowhere.json")}


@pytest.fixture
def stand(tmp_path: Path) -> FaqStand:
    return FaqStand(tmp_path)


class TestFaq(SourceContract):
    pass


def test_what_is_no_question_is_named(stand: FaqStand) -> None:
    stand.path.write_text('{"1": {"question": "Open?", "answer": "Yes"}, "2": ["no"]}')
    kept = Kept()
    kept.read(stand.open())
    assert list(kept.rows) == ["1"]
    assert kept.bad == ["it needs a question and an answer, both texts"]
