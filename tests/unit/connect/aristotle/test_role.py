"""The role that the how-to makes may do what an export needs, and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.aristotle import MakeSynthetic, url_of

from goldsmith.connect.aristotle import Aristotle, checking, migrating
from goldsmith.connect.aristotle.connection import Place, writing
from goldsmith.connect.conquests import Conquest, Wanted
from goldsmith.connect.errors import RoleMayNot
from goldsmith.connect.types import Said, Scope, Wish, WriteState
from goldsmith.storage import clock
from goldsmith.testing.aristotle import SyntheticAristotle

pytestmark = pytest.mark.postgresql
HOWTOS = Path(__file__).parents[4] / "docs" / "howto"
HOWTO, EXECUTING = HOWTOS / "bring-stars-from-aristotle.md", HOWTOS / "run-a-conquest-on-your-model.md"
SCOPE = Scope("ada@acme.example", "acme.example")


@pytest.fixture
def synthetic(make_synthetic: MakeSynthetic) -> SyntheticAristotle:
    return make_synthetic("V2")


def role_of(synthetic: SyntheticAristotle, name: str) -> str:
    return f"{name}_{synthetic.url.database}"


def made_role(synthetic: SyntheticAristotle, name: str) -> Iterator[Place]:
    """As a role, made by the very statements of the how-to; only its name is this test's own."""
    role = role_of(synthetic, name)
    shown = re.findall(r"```sql\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.DOTALL)
    [block] = [each for each in shown if f"CREATE ROLE goldsmith_{name} " in each]
    with synthetic.engine.begin() as connection:
        for statement in filter(str.strip, block.replace(f"goldsmith_{name}", role).split(";")):
            connection.execute(text(statement))
    yield Place(Place.of(url_of(synthetic)).url.set(username=role))
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")


@pytest.fixture
def reader(synthetic: SyntheticAristotle) -> Iterator[Place]:
    yield from made_role(synthetic, "reader")


@pytest.fixture
def writer(synthetic: SyntheticAristotle) -> Iterator[Place]:
    yield from made_role(synthetic, "writer")


def test_it_can_export_and_check(synthetic: SyntheticAristotle, reader: Place) -> None:
    synthetic.fill(5, philosopher=SCOPE.philosopher, domain=SCOPE.domain)
    assert len(Aristotle(reader).fetch(Wish(SCOPE)).items) == 5
    assert {facts.rights for facts in checking.check(reader).tables.values()} == {("SELECT",)}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ml_analysis_rating SET is_gold_star = false",
        'DELETE FROM "Conquest"',
        "INSERT INTO conquest_response (conquest_analysis_id) VALUES ('x')",
        "DROP TABLE conquest_prompt",
        "CREATE TABLE mine (x int)",
        "SELECT * FROM other_secrets",
    ],
)
def test_it_can_do_nothing_else(synthetic: SyntheticAristotle, reader: Place, statement: str) -> None:
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE other_secrets (x int)")
    with pytest.raises(RoleMayNot), writing(reader) as connection:
        connection.exec_driver_sql(statement)


def test_it_cannot_migrate(reader: Place) -> None:
    with pytest.raises(RoleMayNot):
        migrating.migrate(reader)


def test_the_writer_can_write_stars_back_and_nothing_else(synthetic: SyntheticAristotle, writer: Place) -> None:
    [conquest] = synthetic.fill(1, philosopher=SCOPE.philosopher, domain=SCOPE.domain)
    aristotle = Aristotle(writer)
    before = aristotle.standing(SCOPE, conquest)
    assert before is not None
    said = Said(conquest, True, "Ada", clock.now(), correction="Better.")
    after = aristotle.wanted(before, said, None)
    assert aristotle.put(SCOPE, conquest, before, after) is WriteState.done
    assert aristotle.put(SCOPE, conquest, after, before) is WriteState.done
    for statement in ('UPDATE "Conquest" SET title = NULL', 'DELETE FROM "Conquest"', "DELETE FROM conquest_prompt"):
        with pytest.raises(RoleMayNot), writing(writer) as connection:
            connection.exec_driver_sql(statement)
    with pytest.raises(RoleMayNot):
        migrating.migrate(writer)


def granted(synthetic: SyntheticAristotle, words: str) -> None:
    """Have the rights that the how-to on conquests adds, by its own statements."""
    shown = re.findall(r"```sql\n(.*?)```", EXECUTING.read_text(encoding="utf-8"), re.DOTALL)
    [block] = [each for each in shown if words in each]
    with synthetic.engine.begin() as connection:
        for statement in filter(str.strip, block.replace("goldsmith_writer", role_of(synthetic, "writer")).split(";")):
            connection.execute(text(statement))


def test_the_writer_can_add_conquests_with_the_rights_that_the_how_to_adds(
    synthetic: SyntheticAristotle, writer: Place
) -> None:
    synthetic.make_subjects()
    owner = {"philosopher": SCOPE.philosopher, "domain": SCOPE.domain}
    wanted = Wanted(synthetic.add_eidos(1, **owner), [synthetic.add_candidate(1, **owner)], is_tuned=True)
    with pytest.raises(RoleMayNot):
        Aristotle(writer).look_up(wanted)
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f'GRANT SELECT ON "Eidos", "Candidate" TO {role_of(synthetic, "writer")}')
    with pytest.raises(RoleMayNot, match="may not add rows to Conquest"):
        Aristotle(writer).look_up(wanted)
    granted(synthetic, '"Eidos"')
    found = Aristotle(writer).look_up(wanted)
    assert "goldsmith aristotle migrate" in found.notes[0]
    at = clock.now()
    conquest = Conquest(
        "cres_1", SCOPE, "eidos_1", "candidate_1", "CANDIDATE", {"prompt": "?"}, {"response": "!"}, at, at
    )
    Aristotle(writer).store(replace(conquest, tuned_model_id="ftm_1", title="Ada", execution_ms=5))
    migrating.migrate(Place.of(url_of(synthetic)))
    granted(synthetic, "fine_tuned_model_id")
    Aristotle(writer).store(replace(conquest, key="cres_2", tuned_model_id="ftm_1"))
    for statement in (
        'DELETE FROM "Conquest"',
        "UPDATE conquest_prompt SET data = NULL",
        "UPDATE \"Conquest\" SET status = 'FAILED'",
        "INSERT INTO \"Conquest\" (id, description) VALUES ('x', 'y')",
        "INSERT INTO \"Candidate\" (id) VALUES ('x')",
        'UPDATE "Eidos" SET name = NULL',
    ):
        with pytest.raises(RoleMayNot), writing(writer) as connection:
            connection.exec_driver_sql(statement)
