"""Stars of a source become a training set, the same ones the same set, and what people say here is kept."""

from dataclasses import replace

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tests.unit.connect.stars import SCOPE, SYSTEM, WISH, FakeSource, bring, item

from goldsmith.connect import queries, service
from goldsmith.connect.errors import NotYourScope, SystemMessageNotChosen
from goldsmith.connect.types import Fetched, LeftOut, Wish
from goldsmith.data.tables import DatasetVersion
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, PromptVersion
from goldsmith.stars import queries as star_queries
from goldsmith.stars import service as stars
from goldsmith.stars.errors import NoStars
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.stars.types import MarkKind, MarkRequest, SetFormat
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


@pytest.fixture
def source() -> FakeSource:
    return FakeSource([item(number) for number in range(12)])


def starred_texts(session: Session, domain: str) -> set[str]:
    ids = list(session.scalars(select(Answer.id)))
    marks = star_queries.state_of(session, ids)
    return {
        session.get_one(Answer, each).text for each, mark in marks.items() if mark.is_star and mark.domain == domain
    }


def test_stars_become_a_set_that_leads_back(database: Database, home: Home, person: Person, source: FakeSource) -> None:
    made = bring(database, home, source, person).training_set
    assert (made.num_learn + made.num_exam, made.philosopher) == (12, SCOPE.philosopher)
    with database.reading() as session:
        rows = list(session.scalars(select(TrainingSetRow).where(TrainingSetRow.training_set_id == made.id)))
        origins = [queries.origin(session, row.row_id, domain=person.domain) for row in rows]
        assert {found[0].external_id for found in origins if found} == {f"conquest_{n}" for n in range(12)}
        assert queries.origin(session, rows[0].row_id, domain="other.example") is None
        wording = session.get_one(PromptVersion, made.prompt_version_id)
        assert wording.system_text == SYSTEM
    line = orjson.loads((home.root / made.folder / "learn.jsonl").read_bytes().splitlines()[0])
    assert [turn["role"] for turn in line["messages"]] == ["system", "user", "assistant"]
    assert line["messages"][0]["content"] == SYSTEM


def test_the_same_stars_are_the_same_set(database: Database, home: Home, person: Person, source: FakeSource) -> None:
    first = bring(database, home, source, person).training_set
    source.items.reverse()
    again = bring(database, home, source, person, Wish(SCOPE)).training_set
    assert (again.id, again.content_hash) == (first.id, first.content_hash)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DatasetVersion)) == 1


def test_the_system_message_is_chosen_once_and_never_invented(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    with pytest.raises(SystemMessageNotChosen, match="12 of the 12"):
        bring(database, home, source, person, Wish(SCOPE))
    with database.reading() as session:
        assert queries.scope_row(session, source.name, SCOPE, domain=person.domain) is None, "nothing is half done"
    bring(database, home, source, person, replace(WISH, system_text=""))
    made = bring(database, home, source, person, Wish(SCOPE)).training_set
    line = orjson.loads((home.root / made.folder / "learn.jsonl").read_bytes().splitlines()[0])
    assert [turn["role"] for turn in line["messages"]] == ["user", "assistant"]


def test_a_kept_system_message_goes_before_the_chosen_one(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    source.items[0] = item(0, system_text="Its own {{words}}.")
    made = bring(database, home, source, person, replace(WISH, system_text="Look {{here}}.")).training_set
    lines = [
        orjson.loads(line)
        for side in ("learn", "exam")
        for line in (home.root / made.folder / f"{side}.jsonl").read_bytes().splitlines()
    ]
    said = {line["messages"][1]["content"]: line["messages"][0]["content"] for line in lines}
    assert (said["Right 0?"], said["Right 1?"]) == ("Its own {{words}}.", "Look {{here}}.")


def test_a_star_that_is_gone_there_is_gone_here(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    bring(database, home, source, person)
    lost = source.items.pop(3)
    bring(database, home, source, person)
    with database.reading() as session:
        assert starred_texts(session, person.domain) == {each.answer for each in source.items}
    source.items.append(lost)
    bring(database, home, source, person)
    with database.reading() as session:
        assert lost.answer in starred_texts(session, person.domain)
        assert sum(star_queries.num_stars(session, domain=person.domain).values()) == 12, "each conquest once"


def test_a_smaller_wish_takes_no_star_from_the_others(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    bring(database, home, source, person)
    few = bring(database, home, source, person, replace(WISH, limit=4)).training_set
    assert few.num_learn + few.num_exam == 4
    with database.reading() as session:
        assert sum(star_queries.num_stars(session, domain=person.domain).values()) == 12


def test_what_somebody_says_here_stays(database: Database, home: Home, person: Person, source: FakeSource) -> None:
    bring(database, home, source, person)
    with database.transaction() as session:
        by_text = {answer.text: answer.id for answer in session.scalars(select(Answer))}
        stars.mark(session, by_text["Yes, 1."], MarkRequest(MarkKind.unstar), by=person)
        stars.mark(session, by_text["Yes, 2."], MarkRequest(MarkKind.correction, "No, 2."), by=person)
    source.items.append(item(99))
    brought = bring(database, home, source, person)
    assert brought.training_set.num_learn + brought.training_set.num_exam == 12
    assert "1 of the stars of Aristotle were taken back or marked otherwise here, and stay so." in brought.notes
    with database.reading() as session:
        rows = session.scalars(select(TrainingSetRow).where(TrainingSetRow.training_set_id == brought.training_set.id))
        said = {row.expected for row in rows}
    assert {"No, 2.", "Yes, 99."} < said
    assert not {"Yes, 1.", "Yes, 2."} & said


def test_what_is_left_out_is_counted_and_listed(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    source.left_out += [LeftOut("conquest_77", "no_answer")]
    brought = bring(database, home, source, person)
    assert brought.left_out == {"no_answer": 1}
    assert brought.notes == ("Left out: 1 gold star on conquests without an answer.",)
    with database.reading() as session:
        [version] = session.scalars(select(DatasetVersion))
        assert version.bad_rows == [
            {"row": 1, "column": None, "reason": "the conquest conquest_77 is without an answer"}
        ]


def test_none_at_all_says_why(database: Database, home: Home, person: Person) -> None:
    with pytest.raises(NoStars, match="None is starred"):
        bring(database, home, FakeSource([]), person)


def test_nobody_waits_here_while_the_source_is_asked(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    class Slow(FakeSource):
        def fetch(self, wish: Wish) -> Fetched:
            with database.transaction() as other:  # would wait for ever, if the export had begun to write
                people.known_by_name(other, "Bob")
            return super().fetch(wish)

    assert bring(database, home, Slow(source.items), person).training_set.philosopher == SCOPE.philosopher


def test_only_who_runs_goldsmith_sees_the_whole_of_a_source(person: Person) -> None:
    service.check_operator(person)
    with pytest.raises(NotYourScope, match=r"you are of evil\.example"):
        service.check_operator(Person("per_eve", "Eve", "evil.example"))


def test_another_organisations_stars_are_not_given(database: Database, home: Home, source: FakeSource) -> None:
    eve = Person("per_eve", "Eve", "evil.example")
    with pytest.raises(NotYourScope, match=r"you belong to evil\.example"):
        bring(database, home, source, eve)
    with database.reading() as session, pytest.raises(NotYourScope):
        service.examples(session, source, Wish(SCOPE), SetFormat.openai, by=eve)


@pytest.mark.parametrize(("set_format", "key"), [("chatml", "messages"), ("openai", "messages"), ("alpaca", "output")])
def test_examples_for_a_prompt(
    database: Database, home: Home, person: Person, source: FakeSource, set_format: str, key: str
) -> None:
    bring(database, home, source, person)
    with database.reading() as session:
        found = service.examples(session, source, Wish(SCOPE, limit=3), SetFormat(set_format), by=person)
    assert len(found) == 3
    assert all(key in each for each in found)
    assert SYSTEM in orjson.dumps(found).decode()
