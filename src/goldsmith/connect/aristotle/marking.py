"""Gives and takes stars in Aristotle's tables: rating and conquest in one transaction, and back to what they were.

How a conquest stands is a flat mapping, `table.word` → value, of those columns that are there; so it can be kept,
compared and put again, whatever the generation.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, select, text

from goldsmith.connect.aristotle.columns import STAR, Named, Tables
from goldsmith.connect.aristotle.gold import STAR_RATING
from goldsmith.connect.aristotle.names import Layout
from goldsmith.connect.aristotle.shapes import CORRECTED_KEY
from goldsmith.connect.aristotle.statements import dated, delete, insert, quoted, update
from goldsmith.connect.types import Said, Scope, WriteState

VICTORY, PENDING = "VICTORY", "PENDING"
_RATING = ("rating", "feedback", "is_gold_star", "use_as_sample_response")
_CONQUEST = ("result", "result_notes", "use_as_example", "evaluated_by", "evaluated_at")
CORRECTION = f"answer.{CORRECTED_KEY}"
NOTES = "Gold star in Goldsmith."


def standing(connection: Connection, layout: Layout, scope: Scope, external_id: str) -> dict[str, Any] | None:
    """How a conquest of the scope stands; None when it is gone."""
    tables = Tables(layout)
    conquest = _one(connection, tables.conquest, "id", scope, external_id, _CONQUEST)
    if conquest is None:
        return None
    rating = _one(connection, tables.rating, "key", scope, external_id, _RATING)
    found = {f"conquest.{word}": value for word, value in conquest.items()}
    found["rating.exists"] = rating is not None
    found.update({f"rating.{word}": (rating or {}).get(word) for word in _RATING if layout.rating.has(word)})
    if layout.answer.types["data"] == "jsonb":
        found[CORRECTION] = _correction(connection, tables, scope, external_id)
    return found


def wanted(before: Mapping[str, Any], said: Said, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """How it should stand after what was said. Taking back leads to `earlier`, where that is known."""
    is_corrected = said.is_star and said.correction not in (None, before.get(CORRECTION))
    stands = dict(before) if earlier is None or is_corrected else {**before, **earlier}
    is_over = _is_star(stands) if said.is_star else earlier is not None or not before["rating.is_gold_star"]
    if is_over and not is_corrected:
        return stands
    changes = _changes_of_star(said) if said.is_star else _changes_of_unstar(said, before)
    return {**stands, **{word: value for word, value in changes.items() if word in before}}


def _is_star(stands: Mapping[str, Any]) -> bool:
    """A gold star and a victory are the same thing."""
    is_victory = stands.get("conquest.result", VICTORY) == VICTORY
    return bool(stands["rating.is_gold_star"] and stands["rating.use_as_sample_response"] and is_victory)


def _changes_of_star(said: Said) -> dict[str, Any]:
    return {
        "rating.exists": True,
        "rating.rating": STAR_RATING,
        "rating.is_gold_star": True,
        "rating.use_as_sample_response": True,
        "conquest.result": VICTORY,
        "conquest.result_notes": said.note or NOTES,
        "conquest.use_as_example": True,
        **_evaluated(said),
        **({"rating.feedback": said.note} if said.note else {}),
        **({CORRECTION: said.correction} if said.correction is not None else {}),
    }


def _changes_of_unstar(said: Said, before: Mapping[str, Any]) -> dict[str, Any]:
    """What was there before the star is not known: the points stay, and a victory is open again."""
    is_victory = before.get("conquest.result") == VICTORY
    return {
        "rating.is_gold_star": False,
        "rating.use_as_sample_response": False,
        "conquest.result": PENDING if is_victory else before.get("conquest.result"),
        "conquest.use_as_example": False,
        **_evaluated(said),
    }


def _evaluated(said: Said) -> dict[str, Any]:
    return {"conquest.evaluated_by": said.by, "conquest.evaluated_at": _to_the_millisecond(said.at)}


def put(
    connection: Connection, layout: Layout, scope: Scope, external_id: str, change: tuple[Mapping[str, Any], ...]
) -> WriteState:
    """Change it from the first to the second of `change`, holding the conquest against others."""
    before, after = change
    conquest = Tables(layout).conquest
    held = select(conquest.text("id")).where(conquest.among("id", [external_id]), conquest.is_of(scope))
    connection.execute(held.with_for_update())
    now = standing(connection, layout, scope, external_id)
    if now is None:
        return WriteState.gone
    if now == after:
        return WriteState.done
    if now != before:
        return WriteState.conflict
    _change_conquest(connection, layout, scope, external_id, _changed(before, after, "conquest"))
    of_rating = {"key": external_id, **_of(scope), "analysis_type": STAR}
    _change_rating(connection, Named(layout.rating, "r"), of_rating, before, after)
    if before.get(CORRECTION) != after.get(CORRECTION):
        _change_answer(connection, layout, external_id, after.get(CORRECTION))
    return WriteState.done


def _one(
    connection: Connection, part: Named, key: str, scope: Scope, external_id: str, words: tuple[str, ...]
) -> dict[str, Any] | None:
    there = [word for word in words if part.found.has(word)]
    columns = [part.moment(word) if word.endswith("_at") else _plain(part, word) for word in there]
    query = select(*columns, part.text(key)).where(part.among(key, [external_id]), part.is_of(scope))
    if key == "key":
        query = query.where(part.text("analysis_type") == STAR)
    row = connection.execute(query.limit(1)).first()
    return {word: _kept(value) for word, value in zip(there, row, strict=False)} if row is not None else None


def _plain(part: Named, word: str) -> Any:
    """Enums as texts; numbers and truths as they are."""
    return part[word] if part.found.types[word] in ("boolean", "integer", "bigint", "smallint") else part.text(word)


def _kept(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _to_the_millisecond(at: datetime) -> str:
    """As every generation keeps it; the second keeps no more."""
    whole = at.astimezone(UTC)
    return whole.replace(microsecond=whole.microsecond // 1000 * 1000).isoformat(timespec="microseconds")


def _correction(connection: Connection, tables: Tables, scope: Scope, external_id: str) -> str | None:
    answer, conquest = tables.answer, tables.conquest
    query = (
        select(answer["data"])
        .join_from(answer.table, conquest.table, tables.belongs(answer))
        .where(answer.among("key", [external_id]), conquest.among("id", [external_id]), conquest.is_of(scope))
        .order_by(answer.moment("updated_at").desc().nulls_last(), answer.text("id").desc())
    )
    data = connection.scalar(query.limit(1))
    found = data.get(CORRECTED_KEY) if isinstance(data, Mapping) else None
    return found if isinstance(found, str) else None


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], table: str) -> dict[str, Any]:
    words = [word for word in after if word.startswith(f"{table}.") and after[word] != before.get(word)]
    return {word.partition(".")[2]: after[word] for word in words}


def _change_conquest(
    connection: Connection, layout: Layout, scope: Scope, external_id: str, values: Mapping[str, Any]
) -> None:
    if values:
        named, where = Named(layout.conquest, "c"), {"id": external_id, **_of(scope)}
        update(connection, named, dated(named, values), where)


def _change_rating(
    connection: Connection,
    named: Named,
    where: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    if before["rating.exists"] and not after["rating.exists"]:
        delete(connection, named, where)
    elif before["rating.exists"]:
        values = {word: value for word, value in _changed(before, after, "rating").items() if word != "exists"}
        if values:
            update(connection, named, dated(named, values), where)
    elif after["rating.exists"]:
        values = {word: after[f"rating.{word}"] for word in _RATING if named.found.has(word)}
        if named.found.has("id"):
            values["id"] = str(uuid4()) if named.found.types["id"] == "uuid" else f"rating_{token_hex(6)}"
        insert(connection, named, {**dated(named, values, is_new=True), **where})


def _change_answer(connection: Connection, layout: Layout, external_id: str, correction: str | None) -> None:
    """The correction beside the original, which is never touched."""
    named = Named(layout.answer, "a")
    data, table = quoted(named.found.columns["data"]), quoted(named.found.name)
    new = (
        f"{data} - CAST(:word AS text)"
        if correction is None
        else (f"{data} || jsonb_build_object(CAST(:word AS text), CAST(:correction AS text))")
    )
    where = f"{quoted(named.found.columns['key'])} = :id AND jsonb_typeof({data}) = 'object'"
    values = {"word": CORRECTED_KEY, "id": external_id}
    values |= {} if correction is None else {"correction": correction}
    connection.execute(text(f"UPDATE {table} SET {data} = {new} WHERE {where}"), values)  # noqa: S608  # quoted names


def _of(scope: Scope) -> dict[str, str]:
    return {"philosopher": scope.philosopher, "domain": scope.domain}
