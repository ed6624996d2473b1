"""The building blocks of the allow-list: each takes a value and where it stands, and returns it or refuses it. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from goldsmith.gateway.errors import FieldNotAllowed, ValueNotAllowed

Check = Callable[[Any, str], Any]
Fields = Mapping[str, Check]
MAX_INT = 2**63 - 1


def flag(value: Any, where: str) -> Any:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueNotAllowed(f"{where} must be true or false.", param=where)
    return value


def number(low: float, high: float) -> Check:
    """A number between two limits."""

    def check(value: Any, where: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueNotAllowed(f"{where} must be a number from {low:g} to {high:g}.", param=where)
        return value

    return check


def whole(low: int, high: int) -> Check:
    """A whole number between two limits."""

    def check(value: Any, where: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueNotAllowed(f"{where} must be a whole number from {low} to {high}.", param=where)
        return value

    return check


def text(max_characters: int | None = None) -> Check:
    """A text, of limited length."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, str):
            raise ValueNotAllowed(f"{where} must be a text.", param=where)
        if max_characters is not None and len(value) > max_characters:
            raise ValueNotAllowed(f"{where} has more than {max_characters} characters.", param=where)
        return value

    return check


def one_of(*allowed: str) -> Check:
    """One of these words."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, str) or value not in allowed:
            raise ValueNotAllowed(f"{where} must be one of: {', '.join(allowed)}.", param=where)
        return value

    return check


def data_url(value: Any, where: str) -> Any:
    """Media that travel with the request. Addresses are refused: an engine would fetch whatever it is given."""
    if not isinstance(value, str) or not value[:5].lower() == "data:":
        raise ValueNotAllowed(
            f"{where} must be a data: URL.", param=where, hint="Send the media themselves: data:image/png;base64,…"
        )
    return value


def many(check: Check, max_items: int, *, min_items: int = 0) -> Check:
    """A list of limited length."""

    def check_all(value: Any, where: str) -> Any:
        if not isinstance(value, list) or not min_items <= len(value) <= max_items:
            raise ValueNotAllowed(f"{where} must be a list of {min_items} to {max_items} items.", param=where)
        return [check(item, f"{where}[{number}]") for number, item in enumerate(value)]

    return check_all


def either(kind: type, first: Check, other: Check) -> Check:
    """The first check for values of this kind, the other for all else."""

    def check(value: Any, where: str) -> Any:
        return (first if isinstance(value, kind) else other)(value, where)

    return check


def named(pattern: str, check: Check, max_items: int) -> Check:
    """An object whose names fit a pattern."""
    fits = re.compile(pattern)

    def check_all(value: Any, where: str) -> Any:
        if not isinstance(value, dict) or len(value) > max_items:
            raise ValueNotAllowed(f"{where} must be an object with at most {max_items} names.", param=where)
        for name in value:
            if not fits.fullmatch(name):
                raise FieldNotAllowed(f"{where} cannot have the name {name[:100]!r}.", param=f"{where}.{name[:100]}")
        return {name: check(item, f"{where}.{name}") for name, item in value.items()}

    return check_all


def fields(allowed: Fields, *, dropped: frozenset[str] = frozenset(), needed: tuple[str, ...] = ()) -> Check:
    """An object with these fields and no others. What is null counts as left out; what is `dropped` goes no further."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise ValueNotAllowed(f"{where or 'The body'} must be an object.", param=where or None)
        kept: dict[str, Any] = {}
        for name, item in value.items():
            path = f"{where}.{name}" if where else name
            if name in allowed:
                if item is not None:
                    kept[name] = allowed[name](item, path)
            elif name not in dropped and item is not None:
                raise FieldNotAllowed(f"The field {path[:200]} is not passed on to engines.", param=path[:200])
        for name in needed:
            if name not in kept:
                path = f"{where}.{name}" if where else name
                raise ValueNotAllowed(f"{path} is missing.", param=path)
        return kept

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object that says in `type` what it is."""

    def check(value: Any, where: str) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            raise ValueNotAllowed(f"{where}.type must be one of: {', '.join(kinds)}.", param=f"{where}.type")
        return kinds[kind](value, where)

    return check
