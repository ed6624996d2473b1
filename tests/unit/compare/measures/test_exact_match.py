"""When two texts are the same."""

import pytest

from goldsmith.compare.measures import exact_match
from goldsmith.compare.types import MeasuredAnswer


@pytest.mark.parametrize(
    ("text", "expected", "is_right"),
    [
        ("card_arrival", "card_arrival", True),
        (" card_arrival\n", "card_arrival", True),
        ("cafe\u0301", "café", True),
        ("Card_arrival", "card_arrival", False),
        ("card_arrival.", "card_arrival", False),
        ("", "card_arrival", False),
        (None, "card_arrival", None),
    ],
)
def test_exact_match(text: str | None, expected: str, is_right: bool | None) -> None:
    assert exact_match.measure(MeasuredAnswer(text), expected) is is_right
