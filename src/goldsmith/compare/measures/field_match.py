"""Are the fields of a JSON answer those that were expected? Each field on its own, and all together."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from goldsmith.compare.measures import exact_match
from goldsmith.compare.types import MeasuredAnswer

NAME: Final = "field_match"
UNIT: Final = "rows"


@dataclass(frozen=True)
class FieldMatch:
    """Which expected fields are right, and which fields the answer has that nobody asked for."""

    is_right: Mapping[str, bool]
    extra_fields: tuple[str, ...] = ()

    @property
    def are_all_right(self) -> bool:
        """Every expected field is right, and there is none besides."""
        return all(self.is_right.values()) and not self.extra_fields


def measure(answer: MeasuredAnswer, expected: str) -> bool | None:
    """Whether all fields are right; None for a failed answer, and where no JSON object is expected."""
    matched = match(answer, expected)
    return None if matched is None else matched.are_all_right


def match(answer: MeasuredAnswer, expected: str) -> FieldMatch | None:
    """Field by field; an answer that is not a JSON object has every field wrong."""
    wanted = parse(expected)
    if answer.text is None or wanted is None:
        return None
    given = parse(answer.text)
    if given is None:
        return FieldMatch(is_right=dict.fromkeys(wanted, False))
    return FieldMatch(
        is_right={name: name in given and _is_equal(given[name], value) for name, value in wanted.items()},
        extra_fields=tuple(sorted(given.keys() - wanted.keys())),
    )


def parse(text: str) -> dict[str, object] | None:
    """The JSON object that the text is, or None. Nothing around it is allowed, NaN and Infinity are not JSON."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


def _is_equal(given: object, wanted: object) -> bool:
    """Like `==` within JSON: 1 and 1.0 are one number, but true is no number; texts as in `exact_match`."""
    if isinstance(given, str) and isinstance(wanted, str):
        return exact_match.plain(given) == exact_match.plain(wanted)
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(_is_equal, given, wanted))
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(_is_equal(given[name], wanted[name]) for name in wanted)
    if isinstance(given, bool) != isinstance(wanted, bool):
        return False
    return given == wanted
