"""Which 16 bits merged weights are rounded to. What is really written and answered: tests/real/test_export_model.py."""

import json
import math
from pathlib import Path

import pytest

from goldsmith.trainers._rounding import narrow_dtype


@pytest.mark.parametrize(
    ("own", "largest", "chosen"),
    [
        ("bfloat16", 900.0, "float16"),
        ("bfloat16", 65_504 / 2, "float16"),
        ("bfloat16", 32_800.0, "bfloat16"),
        ("float32", math.inf, "bfloat16"),
        ("float16", 60_000.0, "float16"),
    ],
)
def test_float16_is_taken_where_there_is_room_for_every_number(
    tmp_path: Path, own: str, largest: float, chosen: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"dtype": own}))
    assert narrow_dtype(tmp_path, largest) == chosen
