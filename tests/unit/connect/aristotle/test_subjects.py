"""Eidos and candidates are found where they live, of the scope alone, in a table or by a query."""

import pytest
from sqlalchemy.engine import Connection
from tests.aristotle import MakeSynthetic, url_of

from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.aristotle.connection import Place, reading
from goldsmith.connect.aristotle.subjects import CANDIDATE, EIDOS, Kind, Origin
from goldsmith.connect.conquests import Subject, Wanted
from goldsmith.connect.errors import (
    SchemaNotKnown,
    SourceNotConnected,
    SubjectNotFound,
    WhoseNotSaid,
    WishNotPossible,
)
from goldsmith.connect.types import Scope
from goldsmith.testing.aristotle import SyntheticAristotle

pytestmark = pytest.mark.postgresql
ADA = {"philosopher": "ada@acme.example", "domain": "acme.example"}
BOB = {"philosopher": "bob@acme.example", "domain": "acme.example"}
EVE = {"philosopher": "eve@evil.example", "domain": "evil.example"}
EVIL = ("' OR '1'='1", '"; DROP TABLE eidos; --', "%", "\u202e", ":domain", "x" * 300)


@pytest.fixture
def filled(synthetic: SyntheticAristotle) -> SyntheticAristotle:
    synthetic.make_subjects()
    for number, whose in ((1, ADA), (2, BOB), (3, EVE)):
        synthetic.add_eidos(number, **whose)
        synthetic.add_candidate(number, **whose)
    return synthetic


@pytest.fixture
def aristotle(filled: SyntheticAristotle) -> Aristotle:
    return Aristotle.at(url_of(filled))


def eidos(aristotle: Aristotle, number: int) -> str:
    """The id of the eidos with this number."""
    with reading(aristotle.place) as connection:
        is_uuid = Origin(EIDOS, connection).found().types["id"] == "uuid"
    return f"00000000-0000-0000-0000-{number:012}" if is_uuid else f"eidos_{number}"


def fetch(aristotle: Aristotle, kind: Kind, whose: dict[str, str], *ids: str, told: str | None = None) -> set[str]:
    def look(connection: Connection) -> dict[str, Subject]:
        return Origin(kind, connection, told).fetch(Scope(**whose), ids)

    with reading(aristotle.place) as connection:
        return set(look(connection))


def test_everybody_finds_their_own_and_nobody_else_s(aristotle: Aristotle) -> None:
    ids = [eidos(aristotle, number) for number in (1, 2, 3)]
    for number, whose in enumerate((ADA, BOB, EVE), start=1):
        assert fetch(aristotle, EIDOS, whose, *ids, "nobody") == {ids[number - 1]}
    assert "candidate_3" not in fetch(aristotle, CANDIDATE, ADA, "candidate_1", "candidate_2", "candidate_3")
    assert fetch(aristotle, CANDIDATE, EVE, "candidate_1", "candidate_2", "candidate_3") == {"candidate_3"}


def test_a_candidate_has_two_ids_and_gives_only_columns_that_are_known(
    aristotle: Aristotle, filled: SyntheticAristotle
) -> None:
    row = filled.add_candidate(9, **ADA)
    with reading(aristotle.place) as connection:
        found = Origin(CANDIDATE, connection).fetch(Scope(**ADA), [row, "candidate_9"])
    first = {"name": "Candidate 9", "title": "Engineer"}
    assert found == {
        row: Subject(row, first, "candidate_9"),
        "candidate_9": Subject("candidate_9", first, "candidate_9"),
    }, "an e-mail address is no business of a prompt"


def test_the_eidos_says_whose_it_is(aristotle: Aristotle) -> None:
    found = aristotle.look_up(Wanted(eidos(aristotle, 1), ["candidate_1"]))
    assert (found.scope, found.first.id) == (Scope(**ADA), "candidate_1")
    with pytest.raises(SubjectNotFound, match="There is no eidos"):
        aristotle.look_up(Wanted(eidos(aristotle, 3), ["candidate_1"], domain="acme.example"))


def test_all_that_is_missing_is_named_and_whose_it_would_have_to_be(aristotle: Aristotle) -> None:
    with pytest.raises(SubjectNotFound) as caught:
        aristotle.look_up(Wanted(eidos(aristotle, 1), ["candidate_1", "candidate_3", "nobody"], *ADA.values()))
    assert caught.value.message == "There is no candidate candidate_3, nobody of ada@acme.example at acme.example."
    with pytest.raises(SubjectNotFound) as caught:
        aristotle.look_up(Wanted("nothing", [f"nobody {number}" for number in range(700)], *ADA.values()))
    assert caught.value.message.startswith("There is no eidos nothing and no candidate nobody 0, nobody 1, ")
    assert "nobody 19 and 680 more of ada@acme.example" in caught.value.message


@pytest.mark.parametrize("evil", EVIL)
def test_no_id_and_no_scope_is_ever_sql(aristotle: Aristotle, evil: str) -> None:
    for wanted in (
        Wanted(evil, ["candidate_1"]),
        Wanted(evil, ["candidate_1"], *ADA.values()),
        Wanted(eidos(aristotle, 1), [evil], *ADA.values()),
        Wanted(eidos(aristotle, 1), ["candidate_1"], evil, ADA["domain"]),
        Wanted(eidos(aristotle, 1), ["candidate_1"], ADA["philosopher"], evil),
    ):
        with pytest.raises((SubjectNotFound, WishNotPossible)):
            aristotle.look_up(wanted)
    assert fetch(aristotle, CANDIDATE, ADA, "candidate_1") == {"candidate_1"}


@pytest.mark.parametrize("evil", ["x\x00y", "\ud800"])
def test_what_is_no_text_is_refused_before_anybody_is_asked(evil: str) -> None:
    nowhere = Aristotle.at("postgresql://nobody@127.0.0.1:1/nothing")
    for wanted in (Wanted(evil, ["a"]), Wanted("a", [evil])):
        with pytest.raises(WishNotPossible, match="no text"):
            nowhere.look_up(wanted)


QUERY = "SELECT name, 'In ' || :domain AS place, email FROM {table} WHERE {id} = :id AND domain = :domain"


def queried(filled: SyntheticAristotle, more: str = "") -> str:
    table = {"V1": "candidate", "V2": '"Candidate"', "V3": "candidates"}[filled.generation]
    key = '"aristotleId"' if filled.generation == "V2" else "aristotle_id"
    return QUERY.format(table=table, id=key) + more


def test_a_query_gives_what_it_returns_and_finds_nobody_else_s(filled: SyntheticAristotle) -> None:
    aristotle = Aristotle.at(url_of(filled), candidate_from=queried(filled))
    found = aristotle.subjects(Scope(**ADA), eidos(aristotle, 1), ["candidate_1", "candidate_3", "nobody"])
    said = {"name": "Candidate 1", "place": "In acme.example", "email": "c1@mail.example"}
    assert found.candidates == {"candidate_1": Subject("candidate_1", said, "candidate_1")}
    with pytest.raises(SubjectNotFound, match="no candidate candidate_3"):
        aristotle.look_up(Wanted(eidos(aristotle, 1), ["candidate_3"]))


def test_a_row_that_says_itself_that_it_is_another_s_is_not_used(filled: SyntheticAristotle) -> None:
    careless = "SELECT name, domain FROM {table} WHERE :domain <> '' AND {id} = :id"
    table = {"V1": "candidate", "V2": '"Candidate"', "V3": "candidates"}[filled.generation]
    key = '"aristotleId"' if filled.generation == "V2" else "aristotle_id"
    told = careless.format(table=table, id=key)
    aristotle = Aristotle.at(url_of(filled))
    assert fetch(aristotle, CANDIDATE, ADA, "candidate_1", "candidate_3", told=told) == {"candidate_1"}


def test_an_id_that_cannot_be_one_is_nobody_s(aristotle: Aristotle) -> None:
    told = "SELECT 'x' AS name WHERE :domain <> '' AND CAST(:id AS uuid) IS NOT NULL"
    one = "00000000-0000-0000-0000-000000000001"
    assert fetch(aristotle, CANDIDATE, ADA, "no uuid", one, told=told) == {one}


@pytest.mark.parametrize("told", ["SELECT name FROM candidates WHERE id = :id", "SELECT :id, :domain, :password"])
def test_a_query_that_does_not_ask_whose_is_refused(aristotle: Aristotle, told: str) -> None:
    with pytest.raises(SourceNotConnected, match="ARISTOTLE_CANDIDATE_FROM is a query, and takes"):
        fetch(aristotle, CANDIDATE, ADA, "x", told=told)


def test_a_query_for_eidos_does_not_say_whose_they_are(filled: SyntheticAristotle) -> None:
    told = "SELECT 'Right?' AS prompt WHERE :id <> '' AND :domain <> ''"
    aristotle = Aristotle.at(url_of(filled), eidos_from=told)
    with pytest.raises(WhoseNotSaid, match="whose the eidos any is"):
        aristotle.look_up(Wanted("any", ["candidate_1"]))
    assert aristotle.look_up(Wanted("any", ["candidate_1"], *ADA.values())).eidos.values == {"prompt": "Right?"}


def test_a_table_may_be_named(filled: SyntheticAristotle) -> None:
    with filled.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (id text, name text, domain text)")
        connection.exec_driver_sql("INSERT INTO people VALUES ('p1', 'Ada', 'acme.example'), ('p2', 'Eve', 'evil')")
    aristotle = Aristotle.at(url_of(filled))
    assert fetch(aristotle, CANDIDATE, ADA, "p1", "p2", told="people") == {"p1"}


@pytest.mark.parametrize(
    ("columns", "lacks"),
    [
        ("id text, name text", "the column domain in people, which says whose a row is"),
        ("name text, domain text", "the column aristotle_id or id in people"),
        ("id text, domain text, salary int", "any column in people that a prompt could use"),
    ],
)
def test_what_a_table_lacks_is_said(make_synthetic: MakeSynthetic, columns: str, lacks: str) -> None:
    synthetic = make_synthetic("V3")
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE people ({columns})")
    with pytest.raises(SchemaNotKnown, match=lacks) as caught, reading(Place.of(url_of(synthetic))) as connection:
        Origin(CANDIDATE, connection, "people").found()
    assert "ARISTOTLE_CANDIDATE_FROM" in caught.value.hint


def test_where_nothing_is_found_the_setting_is_named(synthetic: SyntheticAristotle) -> None:
    with pytest.raises(SchemaNotKnown, match=r"a table with the eidos \(eidos, Eidos") as caught:
        Aristotle.at(url_of(synthetic)).look_up(Wanted("e", ["c"], *ADA.values()))
    assert "ARISTOTLE_EIDOS_FROM" in caught.value.hint
