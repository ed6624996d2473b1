"""Parquet, where pyarrow is installed; a clear word where it is not."""

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goldsmith.data.readers import BadRow, Format, ReadRow, open_rows
from goldsmith.data.readers import parquet as reader
from goldsmith.data.readers.errors import BrokenFile, FileTooLarge, OnlyHeader, ReaderNotInstalled

WriteFile = Callable[[bytes | str], Path]


def write_table(path: Path, columns: dict[str, list[object]]) -> Path:
    arrow: Any = pytest.importorskip("pyarrow", reason="pyarrow is an optional extra: goldsmith[parquet]")
    from pyarrow import parquet

    parquet.write_table(arrow.table(columns), path)
    return path


def test_without_pyarrow_the_extra_is_named(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ReaderNotInstalled) as caught:
        open_rows(write(b"PAR1...."), filename="a.parquet")
    assert "goldsmith[parquet]" in caught.value.hint


def test_values_become_text_and_bad_ones_are_listed(tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "t",
        {
            "q": ["a", None, "c\0"],
            "n": [1, 2, 3],
            "day": [dt.date(2026, 1, 2)] * 3,
            "more": [{"x": [1]}] * 3,
            "raw": [b"ok", b"\xff", b""],
        },
    )
    source = open_rows(path, filename="a.csv")
    assert source.format is Format.PARQUET
    first, second, third = source
    assert first == ReadRow(1, {"q": "a", "n": "1", "day": "2026-01-02", "more": '{"x":[1]}', "raw": "ok"})
    assert isinstance(second, BadRow)
    assert (second.number, second.column) == (2, "raw")
    assert isinstance(third, BadRow)
    assert (third.number, third.column) == (3, "q")


def test_rows_over_several_batches_keep_their_numbers(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t", {"n": list(range(1000))})
    assert [item.number for item in open_rows(path, filename="a.parquet")] == list(range(1, 1001))


def test_empty_damaged_and_huge_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OnlyHeader, match="q"):
        open_rows(write_table(tmp_path / "empty", {"q": []}), filename="a.parquet")
    whole = write_table(tmp_path / "whole", {"q": ["x" * 100] * 100})
    (tmp_path / "half").write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(BrokenFile):
        open_rows(tmp_path / "half", filename="a.parquet")
    monkeypatch.setattr(reader, "MAX_ROW_GROUP_BYTES", 10)
    with pytest.raises(FileTooLarge):
        open_rows(whole, filename="a.parquet")
