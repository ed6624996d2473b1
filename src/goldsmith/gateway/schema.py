"""Limits of JSON schemas, which an engine turns into a grammar: depth, size, patterns, references. Pure."""

import re
from typing import Any

from goldsmith.gateway.errors import ValueNotAllowed

MAX_DEPTH = 32
MAX_PARTS = 4_000
MAX_PATTERN_CHARACTERS = 512
MAX_BOUND = 10_000
_NAMES_OF_PEOPLE = ("properties", "$defs", "definitions")
_BOUNDS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_BIG_REPEAT = re.compile(r"\{[^}]*\d{4,}[^}]*\}")


def schema(value: Any, where: str) -> Any:
    """A JSON schema that an engine can take without choking on it."""
    if not isinstance(value, dict):
        raise ValueNotAllowed(f"{where} must be a JSON schema.", param=where)
    num_parts = 0
    waiting: list[tuple[Any, int, bool]] = [(value, 1, True)]
    while waiting:
        part, depth, is_schema = waiting.pop()
        num_parts += 1
        if depth > MAX_DEPTH or num_parts > MAX_PARTS:
            raise ValueNotAllowed(
                f"{where} is more than {MAX_DEPTH} levels deep or has more than {MAX_PARTS} parts.", param=where
            )
        if isinstance(part, dict):
            if is_schema:
                _check_words(part, where)
            for name, child in part.items():
                waiting.append((child, depth + 1, not (is_schema and name in _NAMES_OF_PEOPLE)))
        elif isinstance(part, list):
            waiting.extend((child, depth + 1, True) for child in part)
    return value


def pattern(value: Any, where: str) -> Any:
    """A regular expression that an engine can take."""
    if not isinstance(value, str) or len(value) > MAX_PATTERN_CHARACTERS or _BIG_REPEAT.search(value):
        raise ValueNotAllowed(
            f"{where} must be a pattern of at most {MAX_PATTERN_CHARACTERS} characters without large repeats.",
            param=where,
        )
    return value


def _check_words(part: dict[str, Any], where: str) -> None:
    for word in _BOUNDS:
        bound = part.get(word)
        if isinstance(bound, int | float) and not 0 <= bound <= MAX_BOUND:
            raise ValueNotAllowed(f"{word} in {where} must be from 0 to {MAX_BOUND}.", param=where)
    for word in ("$ref", "$dynamicRef"):
        if word in part and not str(part[word]).startswith("#"):
            raise ValueNotAllowed(f"{word} in {where} must stay in the schema: #/…", param=where)
    if "pattern" in part:
        pattern(part["pattern"], f"{where}: pattern")
    patterns = part.get("patternProperties")
    for each in patterns if isinstance(patterns, dict) else ():
        pattern(each, f"{where}: patternProperties")
