"""An answer as fields that a person can choose in, and what was chosen as an answer again. Pure.

Only for answers as JSON objects whose fields are choices or short texts; all others are corrected as text.
"""

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.web.errors import FormNotUsable

MAX_FIELDS = 20
FIELD = "field-"
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_TYPES: Mapping[str, type] = {"integer": int, "number": float}


@dataclass(frozen=True)
class AnswerField:
    """A field of the answer: real choices, or a line of text."""

    name: str
    options: tuple[str, ...]
    value: str
    wrote: str
    """What the model wrote."""


def fields_of_answer(schema: Mapping[str, Any] | None, text: str, correction: str | None) -> tuple[AnswerField, ...]:
    """The fields, filled with the correction, else with what the model wrote; empty when the answer has none."""
    rules = _rules(schema)
    wrote, now = _parsed(text), _parsed(correction or text)
    return tuple(
        AnswerField(name, tuple(options), _shown(now.get(name)), _shown(wrote.get(name)))
        for name, options in rules.items()
    )


def chosen_text(schema: Mapping[str, Any] | None, posted: Mapping[str, str], text: str) -> str:
    """What was chosen as an answer, written as the model writes. Raises FormNotUsable."""
    properties = (schema or {}).get("properties", {})
    value = {}
    for name, options in _rules(schema).items():
        chosen = posted.get(FIELD + name, "")
        if options and chosen not in options:
            raise FormNotUsable(f"Nothing is chosen for {name}.", hint=f"Choose one of: {', '.join(options)}.")
        value[name] = _typed(properties[name], chosen, options)
    if value == _parsed(text):
        return text
    return _written_like(text, value)


def difference(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """By words: what stays, what went, what came; for `parts/diff.html`."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    parts: list[tuple[str, str]] = []
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, came = "".join(old[start:end]), "".join(new[new_start:new_end])
        if kind == "equal":
            parts.append(("same", gone))
        else:
            parts += [(name, text) for name, text in (("gone", gone), ("new", came)) if text]
    return tuple(parts)


def _rules(schema: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Each field's choices; none for a text. Nothing when one of them is of another kind."""
    properties = (schema or {}).get("properties")
    if not isinstance(properties, Mapping) or not 0 < len(properties) <= MAX_FIELDS:
        return {}
    rules = {}
    for name, rule in properties.items():
        found = _options(rule)
        if found is None:
            return {}
        rules[str(name)] = found
    return rules


def _options(rule: Any) -> list[str] | None:
    if not isinstance(rule, Mapping):
        return None
    if isinstance(rule.get("enum"), list):
        return [_shown(value) for value in rule["enum"]]
    if rule.get("type") == "boolean":
        return ["true", "false"]
    return [] if rule.get("type") in ("string", "integer", "number") else None


def _typed(rule: Mapping[str, Any], chosen: str, options: list[str]) -> Any:
    if "enum" in rule:
        return rule["enum"][options.index(chosen)]
    if rule.get("type") == "boolean":
        return chosen == "true"
    kind = _TYPES.get(str(rule.get("type")))
    if kind is None:
        return chosen
    try:
        return kind(chosen)
    except ValueError:
        raise FormNotUsable(f"“{chosen}” is not a number.", hint="Write digits.") from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _written_like(text: str, value: dict[str, Any]) -> str:
    is_tight = bool(_parsed(text)) and ", " not in text and '": ' not in text
    return json.dumps(value, ensure_ascii=False, separators=(",", ":") if is_tight else None)
