"""A row holds what makes it this row, and nothing that changes beside it."""

from datetime import UTC, datetime

from goldsmith.connect.types import SourceItem
from goldsmith.connect.writing import _content

ITEM = SourceItem("conquest_1", "Right?", "Yes.", None, "CUSTOM", "candidate_1")


def test_points_and_moments_make_no_other_row() -> None:
    later = SourceItem(*("conquest_1", "Right?", "Yes.", None, "CUSTOM", "candidate_1"), 3, datetime.now(UTC))
    assert _content(ITEM, None) == _content(later, None)
    assert list(_content(ITEM, None)) == ["prompt", "answer", "conquest_id", "conquest_type", "subject_id"]


def test_a_system_message_is_a_column_where_answers_differ_in_it() -> None:
    assert _content(ITEM, "chosen")["system"] == "chosen"
    own = SourceItem("conquest_1", "Right?", "Yes.", "kept")
    assert _content(own, "chosen") | {"conquest_type": "", "subject_id": ""} == {
        "system": "kept",
        "prompt": "Right?",
        "answer": "Yes.",
        "conquest_id": "conquest_1",
        "conquest_type": "",
        "subject_id": "",
    }
