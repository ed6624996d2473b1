"""Marks made by hand are told apart from those of a source; the rest is tested in `test_service.py`."""

from goldsmith.connect.settling import _is_by_hand
from goldsmith.stars.tables import Mark


def test_only_a_persons_mark_is_by_hand() -> None:
    assert [_is_by_hand(Mark(via=via)) for via in ("page", "api", "bulk", "import", "source")] == [True] * 3 + [
        False
    ] * 2
    assert not _is_by_hand(None)
