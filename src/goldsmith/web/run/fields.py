"""The answer's JSON fields as people type them, one a line, and as a JSON schema; both ways. Pure.

>>> schema_of("topic: billing, delivery")["properties"]
{'topic': {'type': 'string', 'enum': ['billing', 'delivery']}}
"""

from collections.abc import Mapping
from typing import Any

MAX_FIELDS = 50


def schema_of(text: str) -> dict[str, Any]:
    """The schema of an object with these fields, all of them needed. Raises ValueError with a sentence."""
    properties: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, _, rest = (part.strip() for part in line.partition(":"))
        values = list(dict.fromkeys(value.strip() for value in rest.split(",") if value.strip()))
        if not name:
            raise ValueError(f"Line {number} has no name before the colon.")
        if name in properties:
            raise ValueError(f"Line {number}: the field {name} is there already.")
        properties[name] = {"type": "string", "enum": values} if values else {"type": "string"}
    if len(properties) > MAX_FIELDS:
        raise ValueError(f"These are {len(properties)} fields; at most {MAX_FIELDS} can be asked for.")
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text_of(schema: Mapping[str, Any]) -> str | None:
    """The lines that make this very schema, or None when it says more than lines can."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return None
    lines = []
    for name, rule in properties.items():
        values = rule.get("enum", []) if isinstance(rule, Mapping) else []
        if not all(isinstance(value, str) for value in values):
            return None
        lines.append(f"{name}: {', '.join(values)}" if values else str(name))
    text = "\n".join(lines)
    try:
        return text if schema_of(text) == schema else None
    except ValueError:
        return None
