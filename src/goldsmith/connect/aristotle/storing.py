"""Writes a conquest that was executed here, with its prompt and its answer, in one transaction and once.

It writes into the tables of conquests, prompts and answers alone, and only adds rows. What has no column is not kept,
and that is said before anything is asked.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, select, text

from goldsmith.connect.aristotle.columns import Named, Tables
from goldsmith.connect.aristotle.names import MODEL_COLUMN, Found, Layout
from goldsmith.connect.aristotle.statements import dated, insert
from goldsmith.connect.conquests import Conquest
from goldsmith.connect.errors import RoleMayNot, SchemaNotKnown
from goldsmith.connect.types import Scope

COMPLETED, PENDING = "COMPLETED", "PENDING"
_KEPT = {
    "aristotle_id": "the candidate",
    "conquest_type": "the type",
    "eidos_id": "the eidos",
    "completed_at": "the moment",
    "execution_time_ms": "the time that the answer took",
}
"""What people miss where a conquest has no column for it."""
_WORDS = (
    *("id", *_KEPT, MODEL_COLUMN, "title", "system", "status", "result", "use_as_example", "started_at"),
    *("philosopher", "domain", "created_at", "updated_at"),
)
_OF_DATA = ("id", "key", "data", "updated_at")
_MUST_BE_GIVEN = text(
    "SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass(quote_ident(:table))"
    " AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''"
)
_MAY_ADD = text("SELECT has_any_column_privilege(to_regclass(quote_ident(:table)), 'INSERT')")


def plan(connection: Connection, layout: Layout, *, is_tuned: bool) -> tuple[str, ...]:
    """What would not be kept, in sentences. Raises SchemaNotKnown and RoleMayNot where nothing can be written."""
    for found, words in ((layout.conquest, _WORDS), (layout.prompt, _OF_DATA), (layout.answer, _OF_DATA)):
        if not connection.scalar(_MAY_ADD, {"table": found.name}):
            raise RoleMayNot(
                f"The database's role may not add rows to {found.name}, so no conquest can be kept.",
                hint="Give it what docs/howto/run-a-conquest-on-your-model.md lists.",
            )
        known = {found.columns[word] for word in words if found.has(word)}
        needed = _must_be_given(connection, found)
        unknown = sorted(needed - known)
        if unknown:
            raise SchemaNotKnown(
                f"{found.name} has {', '.join(unknown)}, which must be filled, and which Goldsmith knows nothing of.",
                hint="Give these columns a default in Aristotle's database.",
            )
        is_number = found.has("id") and found.types["id"] in ("integer", "bigint", "smallint")
        if is_number and (found is layout.conquest or found.columns["id"] in needed):
            raise SchemaNotKnown(
                f"The ids of {found.name} are numbers, and Goldsmith cannot give one that stays the same."
            )
    notes = [
        f"{layout.conquest.name} has no column {word}, so {what} is not kept there."
        for word, what in _KEPT.items()
        if not layout.conquest.has(word)
    ]
    if is_tuned and not layout.conquest.has(MODEL_COLUMN):
        notes.append(
            f"{layout.conquest.name} has no column {MODEL_COLUMN}, so the model's id stands in the answer's data "
            "alone. To add the column: goldsmith aristotle migrate"
        )
    return tuple(notes)


def store(connection: Connection, layout: Layout, conquest: Conquest) -> str:
    """Write it, unless it is there; returns its id."""
    named = Named(layout.conquest, "c")
    conquest_id = _id_of(layout.conquest, "conquest", conquest.key)
    if _is_there(connection, layout, conquest.scope, conquest_id):
        return conquest_id
    insert(connection, named, _only(layout.conquest, dated(named, _values(conquest, conquest_id), is_new=True)))
    for found, word, data in (
        (layout.prompt, "prompt", conquest.prompt),
        (layout.answer, "response", conquest.answer),
    ):
        values = {"key": conquest_id, "data": json.dumps(data, ensure_ascii=False)}
        if found.has("id") and found.columns["id"] in _must_be_given(connection, found):
            values["id"] = _id_of(found, word, conquest.key)
        part = Named(found, "p")
        insert(connection, part, dated(part, values))
    return conquest_id


def _values(conquest: Conquest, conquest_id: str) -> dict[str, Any]:
    return {
        "id": conquest_id,
        "aristotle_id": conquest.subject_id,
        "conquest_type": conquest.kind,
        "title": conquest.title,
        "eidos_id": conquest.eidos_id,
        MODEL_COLUMN: conquest.tuned_model_id,
        "system": conquest.system_text,
        "status": COMPLETED,
        "result": PENDING,
        "use_as_example": False,
        "started_at": conquest.started_at,
        "completed_at": conquest.completed_at,
        "execution_time_ms": conquest.execution_ms,
        "philosopher": conquest.scope.philosopher,
        "domain": conquest.scope.domain,
    }


def _only(found: Found, values: Mapping[str, Any]) -> dict[str, Any]:
    """What has a column. What is null is left out: a role may lack the right to a column that only some need."""
    return {word: value for word, value in values.items() if found.has(word) and value is not None}


def _is_there(connection: Connection, layout: Layout, scope: Scope, conquest_id: str) -> bool:
    conquest = Tables(layout).conquest
    query = select(conquest.text("id")).where(conquest.among("id", [conquest_id]), conquest.is_of(scope))
    return connection.execute(query).first() is not None


def _id_of(found: Found, word: str, key: str) -> str:
    """The same for the same key, so that a conquest can be written only once."""
    if found.types["id"] == "uuid":
        return str(uuid5(NAMESPACE_URL, f"goldsmith:{word}:{key}"))
    return f"{word}_{sha256(key.encode()).hexdigest()[:24]}"


def _must_be_given(connection: Connection, found: Found) -> set[str]:
    return set(connection.scalars(_MUST_BE_GIVEN, {"table": found.name}))
