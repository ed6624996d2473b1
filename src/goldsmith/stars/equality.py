"""Is an answer what a column says? JSON is compared as JSON; texts but for spaces around them. Pure; for bulk stars."""

import json
import unicodedata
from typing import Any, NoReturn


def is_equal(text: str, expected: str) -> bool:
    """Whether the two say the same. Capitals count; the order of a JSON object's fields does not."""
    if _plain(text) == _plain(expected):
        return True
    wanted = _parse(expected)
    return isinstance(wanted, dict | list) and _is_same(_parse(text), wanted)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_same(one: Any, other: Any) -> bool:
    """Like `==` within JSON: 1 and 1.0 are one number, but true is no number; texts as outside of JSON."""
    if isinstance(one, str) and isinstance(other, str):
        return _plain(one) == _plain(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[name], other[name]) for name in other)
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    return bool(one == other)
