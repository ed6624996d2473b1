"""What an exporting child is told and what it found survive the way through a file."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.exporting import check

from goldsmith.wire import export
from goldsmith.wire.export import Check, ExportForm, ExportOrder

ORDER = ExportOrder(ExportForm.MERGED, "ftm_1", "support", "tiny", "/base", "/adapter")


def test_an_order_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(ORDER.to_json())
    assert export.read_order(tmp_path / "job.json") == ORDER


def test_a_foreign_order_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"form": "tar"}))
    with pytest.raises(ValueError, match="tar"):
        export.read_order(tmp_path / "job.json")


def test_what_was_found_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = check(other="shipping", largest_nats=0.5)
    found.write(tmp_path)
    assert export.read_check(tmp_path) == found
    assert export.check_from(json.loads(json.dumps(asdict(found)))) == found
    assert (found.num_same, found.largest_nats) == (1, 0.5)
    assert Check("float32", True, ()).largest_nats == 0
