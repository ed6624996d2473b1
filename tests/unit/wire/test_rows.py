import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from goldsmith.wire import rows
from goldsmith.wire.order import DataFile
from goldsmith.wire.rows import BadRows, Row

GOOD = Row("row_ä", [5, 6, 7], [-100, 6, 7])


def write(folder: Path, text: str, num_rows: int = 1) -> DataFile:
    (folder / "learn.jsonl").write_text(text, encoding="utf-8")
    return DataFile("learn.jsonl", hashlib.sha256(text.encode()).hexdigest(), num_rows, 3, 2)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    other = Row("line\u2028separator", [1], [1])
    assert rows.read(tmp_path, write(tmp_path, GOOD.to_line() + other.to_line(), 2)) == [GOOD, other]


def test_the_first_token_is_never_learned() -> None:
    assert GOOD.num_learned == 2
    assert Row("row", [5], [5]).num_learned == 0


def test_of_a_pair_the_prompt_is_read_twice() -> None:
    pair = Row("row", [5, 6, 7, 8], [-100, -100, 7, 8], [9, 8, 8])
    assert pair.prompt_ids == [5, 6]
    assert (pair.num_tokens, dataclasses.replace(pair, rejected_ids=[]).num_tokens) == (9, 4)


def test_a_file_that_changed_since_the_order_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD.to_line())
    with pytest.raises(BadRows, match="SHA-256"):
        rows.read(tmp_path, dataclasses.replace(file, sha256="0" * 64))


def test_a_file_with_another_number_of_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match=r"1 rows, .* says 2"):
        rows.read(tmp_path, write(tmp_path, GOOD.to_line(), 2))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "not a row"),
        ("[]", "not a row"),
        ({"row_id": "a", "input_ids": [1]}, "not a row"),
        ({"row_id": 5, "input_ids": [1], "labels": [1]}, "row_id must be a text"),
        ({"row_id": "a", "input_ids": [], "labels": []}, "whole numbers"),
        ({"row_id": "a", "input_ids": [1.5], "labels": [1]}, "whole numbers"),
        ({"row_id": "a", "input_ids": [True], "labels": [1]}, "whole numbers"),
        ({"row_id": "a", "input_ids": "12", "labels": [1, 2]}, "whole numbers"),
        ({"row_id": "a", "input_ids": [1, 2], "labels": [1]}, "equal length"),
        ({"row_id": "a", "input_ids": [1, 2], "labels": [-100, 3]}, "not 3"),
        ({"row_id": "a", "input_ids": [-1], "labels": [-100]}, "own id"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: Any, said: str) -> None:
    text = line if isinstance(line, str) else json.dumps(line)
    with pytest.raises(BadRows, match=f"line 2: .*{said}"):
        rows.read(tmp_path, write(tmp_path, GOOD.to_line() + text + "\n", 2))
