"""A conquest that was executed is written once, whole, in UTC, and where a column lacks that is said before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text
from tests.aristotle import MakeSynthetic, url_of

from goldsmith.connect.aristotle import Aristotle, migrating, storing
from goldsmith.connect.aristotle.connection import layout_of, reading
from goldsmith.connect.conquests import Conquest
from goldsmith.connect.errors import SchemaNotKnown, WishNotPossible
from goldsmith.connect.types import Scope, Wish
from goldsmith.testing.aristotle import SyntheticAristotle

pytestmark = pytest.mark.postgresql
SCOPE = Scope("ada@acme.example", "acme.example")
AT = datetime(2026, 3, 1, 8, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=9)))
ID = "00000000-0000-0000-0000-000000000001"
CONQUEST = Conquest(
    key="cres_1",
    scope=SCOPE,
    eidos_id=ID,
    subject_id="candidate_1",
    kind="CANDIDATE",
    prompt={"prompt": "Right?", "system": "You judge."},
    answer={"response": "Yes.", "model": "ftm_1"},
    started_at=AT - timedelta(seconds=2),
    completed_at=AT,
    execution_ms=2000,
    tuned_model_id="ftm_1",
    title="Ada",
)


def rows(synthetic: SyntheticAristotle, table: str) -> list[dict[str, Any]]:
    with synthetic.engine.begin() as connection:
        found = connection.execute(text(f"SELECT * FROM {getattr(synthetic.names, table)}"))  # noqa: S608
        return [{name.replace("_", "").lower(): value for name, value in row._mapping.items()} for row in found]


def plan(aristotle: Aristotle, *, is_tuned: bool = True) -> tuple[str, ...]:
    with reading(aristotle.place) as connection:
        return storing.plan(connection, layout_of(connection), is_tuned=is_tuned)


def test_it_is_written_once_with_prompt_and_answer(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    migrating.migrate(aristotle.place)
    assert plan(aristotle) == ()
    stored = aristotle.store(CONQUEST)
    assert aristotle.store(CONQUEST) == stored, "asked again it is there already"
    assert stored.startswith("conquest_") == (synthetic.generation != "V3")
    [conquest], [prompt], [answer] = (rows(synthetic, table) for table in ("conquest", "prompt", "answer"))
    said = {"status": "COMPLETED", "result": "PENDING", "aristotleid": "candidate_1", "title": "Ada"}
    said |= {"conquesttype": "CANDIDATE", "finetunedmodelid": "ftm_1", "philosopher": SCOPE.philosopher}
    assert {name: conquest[name] for name in said} == said
    assert (conquest["executiontimems"], str(conquest["eidosid"])) == (2000, ID)
    assert (prompt["data"], answer["data"]) == (CONQUEST.prompt, CONQUEST.answer)
    assert aristotle.store(replace(CONQUEST, key="cres_2")) != stored
    assert rows(synthetic, "rating") == [], "what people say of it is theirs to say"


def test_moments_are_utc_whatever_the_server_s_zone(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    with synthetic.engine.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET timezone TO 'America/New_York'")
    aristotle.store(CONQUEST)
    [conquest] = rows(synthetic, "conquest")
    at = conquest["completedat"]
    assert (at.replace(tzinfo=UTC) if at.tzinfo is None else at) == AT
    assert conquest["completedat"] - conquest["startedat"] == timedelta(seconds=2)


def test_a_starred_one_comes_back_as_a_good_answer(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    long = "é" * 500_000 + ' "the end" \\u0000'
    stored = aristotle.store(replace(CONQUEST, answer={"response": long}))
    with synthetic.engine.begin() as connection:
        columns = f"id, {synthetic.names.key}, rating, is_gold_star, use_as_sample_response, philosopher, domain"
        values = {"id": ID, "key": stored, "who": SCOPE.philosopher, "domain": SCOPE.domain}
        star = f"INSERT INTO {synthetic.names.rating} ({columns}) VALUES (:id, :key, 5, true, true, :who, :domain)"  # noqa: S608
        connection.execute(text(star), values)
    [item] = aristotle.fetch(Wish(SCOPE)).items
    assert (item.external_id, item.prompt, item.answer) == (stored, "Right?", long)
    assert (item.system_text, item.subject_id) == ("You judge.", "candidate_1")


def test_without_the_model_s_column_that_is_said_and_the_rest_is_kept(
    synthetic: SyntheticAristotle, aristotle: Aristotle
) -> None:
    [note] = plan(aristotle)
    assert "has no column fine_tuned_model_id" in note
    assert "goldsmith aristotle migrate" in note
    assert plan(aristotle, is_tuned=False) == ()
    aristotle.store(CONQUEST)
    assert rows(synthetic, "answer")[0]["data"]["model"] == "ftm_1"


def test_what_else_lacks_is_said(synthetic: SyntheticAristotle, aristotle: Aristotle) -> None:
    column = '"executionTimeMs"' if synthetic.generation == "V2" else "execution_time_ms"
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {synthetic.names.conquest} DROP COLUMN {column}")
    [note] = plan(aristotle, is_tuned=False)
    assert note.endswith("has no column execution_time_ms, so the time that the answer took is not kept there.")
    aristotle.store(CONQUEST)
    assert rows(synthetic, "conquest")[0]["title"] == "Ada"


def test_a_column_that_must_be_filled_and_nobody_knows_is_named(
    synthetic: SyntheticAristotle, aristotle: Aristotle
) -> None:
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {synthetic.names.conquest} ADD COLUMN tribute int NOT NULL")
    with pytest.raises(SchemaNotKnown, match="has tribute, which must be filled"):
        plan(aristotle)


def test_ids_that_are_texts_or_uuids_without_a_default_are_given(make_synthetic: MakeSynthetic) -> None:
    synthetic = make_synthetic("V2")
    with synthetic.engine.begin() as connection:
        for table, kind in (("conquest_prompt", "text"), ("conquest_response", "uuid")):
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN id")
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN id {kind} PRIMARY KEY")
    aristotle = Aristotle.at(url_of(synthetic))
    plan(aristotle)
    aristotle.store(CONQUEST)
    assert rows(synthetic, "prompt")[0]["id"].startswith("prompt_")
    assert len(str(rows(synthetic, "answer")[0]["id"])) == 36


def test_ids_that_are_numbers_nobody_counts_are_refused(make_synthetic: MakeSynthetic) -> None:
    synthetic = make_synthetic("V2")
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE conquest_prompt ALTER COLUMN id DROP DEFAULT")
    with pytest.raises(SchemaNotKnown, match="The ids of conquest_prompt are numbers"):
        plan(Aristotle.at(url_of(synthetic)))


def test_what_the_database_refuses_is_told_and_leaves_nothing(make_synthetic: MakeSynthetic) -> None:
    synthetic = make_synthetic("V2")
    aristotle = Aristotle.at(url_of(synthetic))
    with pytest.raises(WishNotPossible, match="POETRY"):
        aristotle.store(replace(CONQUEST, kind="POETRY"))
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE conquest_response ADD CHECK (data->>'response' <> 'Yes.')")
    with pytest.raises(WishNotPossible, match="cannot take this value"):
        aristotle.store(CONQUEST)
    assert [rows(synthetic, table) for table in ("conquest", "prompt", "answer")] == [[], [], []]
