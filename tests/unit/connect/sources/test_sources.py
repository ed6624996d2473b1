"""What kinds of sources share: values as texts and cursors, places of this machine, files, plugins."""

import datetime as dt
import json
import re
from decimal import Decimal
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from goldsmith.connect.sources import kinds, values
from goldsmith.connect.sources.errors import OptionsNotUsable, SourceKindUnknown
from goldsmith.connect.sources.folder import Folder, FolderOptions
from goldsmith.connect.sources.sql import SqlOptions
from goldsmith.connect.sources.types import Batch, FoundRow, NotTaken, Since, Surroundings
from goldsmith.plugins import SOURCES

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "value",
    [7, 2**60, 1.5, "text", MOMENT, MOMENT.replace(tzinfo=None), dt.date(2026, 1, 2), Decimal("1.10"), UUID(int=7)],
)
def test_a_cursor_gives_back_what_the_database_gave(value: object) -> None:
    kept = json.loads(json.dumps(values.packed(value)))
    assert values.unpacked(kept) == value
    assert type(values.unpacked(kept)) is type(value)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((None, "a"), "nothing in “id”"),
        (("  ", "a"), "nothing in “id”"),
        (("x" * 300, "a"), "at most 255"),
        ((1, b"bytes"), "column “text” holds bytes"),
        ((1, "a\0b"), "column “text”.*NUL"),
    ],
)
def test_what_is_no_row_says_why(row: tuple[object, object], why: str) -> None:
    made = values.row_of(("id", "text"), row, id_column="id", place="shop")
    assert isinstance(made, NotTaken)
    assert re.search(why, made.reason), made.reason


def test_values_become_texts() -> None:
    made = values.row_of(("id", "at", "n"), (1, MOMENT, None), id_column="id", place="shop")
    assert made == FoundRow("1", {"id": "1", "at": MOMENT.isoformat(), "n": ""}, "shop, id 1")


def folder(tmp_path: Path, **options: Any) -> list[Batch]:
    found = Folder().open(FolderOptions(path=str(tmp_path), **options), Surroundings((tmp_path,), Path("/nowhere/own")))
    return list(found.fetch(Since()))


def test_without_an_id_a_row_is_known_by_file_and_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("q\none\ntwo\n")
    (rows, *_) = [batch.rows for batch in folder(tmp_path)]
    assert [(row.source_id, row.values) for row in rows] == [("a.csv#1", {"q": "one"}), ("a.csv#2", {"q": "two"})]


def test_only_files_that_fit_are_read_and_links_out_of_it_are_not(tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("q\nsecret\n")
    (tmp_path / "link.csv").symlink_to(outside / "secret.csv")
    (tmp_path / "below").mkdir()
    for name in ("a.csv", "b.csv", "note.txt", ".hidden.csv", "below/c.csv"):
        (tmp_path / name).write_text("q\none\n")
    read = [{batch.group for batch in folder(tmp_path, **more)} for more in ({}, {"with_subfolders": True})]
    assert read == [{"a.csv", "b.csv"}, {"a.csv", "b.csv", "below/c.csv"}]
    assert {batch.group for batch in folder(tmp_path, pattern="b*")} == {"b.csv"}


def test_a_spoiled_file_is_named_and_takes_nothing_away(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 broken")
    (batch,) = folder(tmp_path)
    assert (batch.group, batch.is_begun, batch.is_ended) == ("a.xlsx", False, False)
    assert batch.group_state, "it is not tried again before it has changed"
    assert batch.not_taken[0].place == "a.xlsx"


def test_a_path_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(OptionsNotUsable, match="no whole path"):
        Folder().open(FolderOptions(path="data"), Surroundings((tmp_path,), tmp_path / "own"))
    (tmp_path / "file").touch()
    with pytest.raises(OptionsNotUsable, match="is no folder"):
        Folder().open(FolderOptions(path=str(tmp_path / "file")), Surroundings((tmp_path,), tmp_path / "own"))


def test_secrets_are_known_by_their_type() -> None:
    assert SqlOptions.secret_names() == ("password",)
    assert FolderOptions.secret_names() == ()


class NotAKind:
    """Lacks everything."""


def test_a_plugin_that_cannot_be_loaded_is_named_and_the_others_are_there() -> None:
    points = [
        EntryPoint("gone", "no_such_package_at_all:Kind", SOURCES),
        EntryPoint("poor", f"{__name__}:NotAKind", SOURCES),
        EntryPoint("again", "goldsmith.connect.sources.sql:Sql", SOURCES),
    ]
    found = kinds.found(points)
    assert found.by_name.keys() == {kind.name for kind in kinds.OURS}
    assert [each.name for each in found.broken] == ["again", "gone", "poor"]
    assert "no_such_package_at_all" in found.broken[1].reason


def test_an_unknown_kind_is_said_with_those_that_there_are() -> None:
    with pytest.raises(SourceKindUnknown, match="There are: sql, folder"):
        kinds.one("fax")
