from typing import Any

import pytest

from goldsmith.gateway.errors import ValueNotAllowed
from goldsmith.gateway.schema import MAX_DEPTH, schema


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        found = {"type": "array", "items": found}
    return found


def test_an_everyday_schema_passes_as_it_is() -> None:
    given = {
        "$defs": {"tag": {"type": "string", "pattern": "^[a-z]{1,20}$"}},
        "type": "object",
        "properties": {"pattern": {"type": "string"}, "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}}},
        "required": ["pattern"],
    }
    assert schema(given, "schema") == given
    assert schema(deep(10), "schema") == deep(10)


@pytest.mark.parametrize(
    "bad",
    [
        "text",
        deep(MAX_DEPTH),
        {"enum": list(range(5000))},
        {"type": "string", "pattern": "a" * 513},
        {"type": "string", "pattern": "(a{1000}){1000}"},
        {"type": "string", "pattern": 7},
        {"patternProperties": {"a{99999}": {}}},
        {"type": "string", "maxLength": 10**9},
        {"type": "array", "minItems": -1},
        {"$ref": "http://127.0.0.1/schema.json"},
        {"anyOf": [{"properties": {"a": {"$ref": "file:///etc/passwd"}}}]},
    ],
)
def test_a_schema_on_which_an_engine_would_choke_is_refused(bad: Any) -> None:
    with pytest.raises(ValueNotAllowed):
        schema(bad, "schema")
