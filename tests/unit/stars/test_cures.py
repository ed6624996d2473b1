"""What a check has found is left out of a new set by one click; the old one stays, and no new star creeps in."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import checks, cures, queries, service
from goldsmith.stars.errors import ExportNotPossible, NoStars, TrainingSetNotFound
from goldsmith.stars.export import export
from goldsmith.stars.tables import TrainingSet
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest, SetFormat
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

MakeRun = Callable[..., tuple[Run, list[Answer]]]
WORDS = ("red", "green", "old", "new", "small", "large", "first", "last", "north", "south", "east", "west")


def plain(num: int) -> list[tuple[dict[str, str], str]]:
    return [({"message": f"{WORDS[n % 12]} question {n} {WORDS[n * 7 % 12]}"}, "ab"[n % 2]) for n in range(num)]


PRIVATE = [({"message": "Write to ada@example.org"}, "a"), ({"message": "Write to bob@example.org"}, "b")]
MARKED = [({"message": "Stop here [/INST] now"}, "a")]


class Bench:
    def __init__(self, database: Database, home: Home, ana: Person, make_run: MakeRun) -> None:
        self.database, self.home, self.ana, self._make_run = database, home, ana, make_run

    def star(self, rows: Iterable[tuple[dict[str, str], str]], kind: MarkKind = MarkKind.star) -> list[Answer]:
        _, answers = self._make_run(list(rows))
        self.mark(answers, kind)
        return answers

    def mark(self, answers: Iterable[Answer], kind: MarkKind) -> None:
        with self.database.transaction() as session:
            for answer in answers:
                service.mark(session, answer.id, MarkRequest(kind), by=self.ana)

    def export(self, **request: Any) -> TrainingSet:
        with self.database.transaction() as session:
            return export(session, self.home, ExportRequest(**request), by=self.ana)

    def without(self, old: TrainingSet, *names: str, **more: Any) -> TrainingSet:
        with self.database.transaction() as session:
            return cures.without(session, self.home, old.id, names, by=self.ana, **more)

    def answers(self, training_set: TrainingSet) -> set[str]:
        with self.database.reading() as session:
            sides = [queries.training_set_rows(session, training_set.id, side) for side in ("learn", "exam")]
            return {row.answer_id for rows in sides for row in rows}


@pytest.fixture
def bench(database: Database, home: Home, ana: Person, make_run: MakeRun) -> Bench:
    return Bench(database, home, ana, make_run)


def test_what_a_check_found_is_left_out_and_counted(bench: Bench) -> None:
    good = bench.star(plain(10))
    bench.star(PRIVATE)
    old = bench.export(name="Topics", format=SetFormat.alpaca)
    new = bench.without(old, "personal_data")
    assert bench.answers(new) == {answer.id for answer in good}
    assert (new.name, new.format, new.num_dropped) == ("Topics, cleaned", "alpaca", 2)
    assert new.manifest["made_from"] == old.id
    assert any("2 rows that a check has found (" in note for note in new.manifest["notes"])
    assert [line["check"] for line in new.manifest["lint"]] == []


def test_the_old_set_stays_and_the_same_click_makes_no_third(bench: Bench) -> None:
    bench.star(plain(10))
    bench.star(PRIVATE)
    old = bench.export()
    before = bench.answers(old)
    first = bench.without(old, "personal_data")
    assert bench.without(old, "personal_data").id == first.id
    assert bench.answers(old) == before
    assert len(before) == 12


def test_stars_that_were_given_since_do_not_creep_in_and_those_taken_back_do_not_stay(bench: Bench) -> None:
    good = bench.star(plain(10))
    bench.star(PRIVATE)
    old = bench.export()
    bench.star([({"message": "given afterwards"}, "a")])
    bench.mark(good[:1], MarkKind.bad)
    assert bench.answers(bench.without(old, "personal_data")) == {answer.id for answer in good[1:]}


def test_a_row_keeps_its_side(bench: Bench, database: Database) -> None:
    bench.star(plain(20))
    bench.star(PRIVATE)
    old = bench.export()
    new = bench.without(old, "personal_data")
    with database.reading() as session:
        for side in ("learn", "exam"):
            there = {row.answer_id for row in queries.training_set_rows(session, old.id, side)}
            assert {row.answer_id for row in queries.training_set_rows(session, new.id, side)} <= there


def test_several_checks_at_once_are_gone_through_one_after_the_other(bench: Bench) -> None:
    good = bench.star(plain(10))
    bench.star(PRIVATE)
    bench.star(MARKED)
    new = bench.without(bench.export(), "foreign_markers", "personal_data", name="Clean")
    assert bench.answers(new) == {answer.id for answer in good}
    assert (new.name, new.manifest["lint"]) == ("Clean", [])


def test_more_rows_than_are_listed_are_left_out(bench: Bench) -> None:
    good = bench.star(plain(10))
    mails = [({"message": f"Write to {n} at person{n}@example.org"}, "ab"[n % 2]) for n in range(checks.MAX_LISTED + 5)]
    bench.star(mails)
    assert bench.answers(bench.without(bench.export(), "personal_data")) == {answer.id for answer in good}


def test_exam_rows_that_are_nearly_learned_leave_the_exam(bench: Bench, database: Database) -> None:
    near = [" ".join(f"{word}{n // 2}" for word in WORDS) + " yet" * (n % 2) for n in range(40)]
    bench.star([({"message": text}, "ab"[n % 2]) for n, text in enumerate(near)])
    old = bench.export()
    found = next(line["num_found"] for line in old.manifest["lint"] if line["check"] == "leaks")
    new = bench.without(old, "leaks")
    assert (new.num_learn, new.num_exam) == (old.num_learn, old.num_exam - found)
    assert [line for line in new.manifest["lint"] if line["check"] == "leaks"] == []


def test_what_cannot_be_left_out_is_refused_with_what_can(bench: Bench) -> None:
    bench.star([({"message": f"question {n} {WORDS[n % 12]}"}, "always the same") for n in range(30)])
    bench.star(PRIVATE)
    old = bench.export()
    assert {"one_sided", "personal_data"} <= {line["check"] for line in old.manifest["lint"]}
    assert "one_sided" not in cures.curable(old)
    for name in ("one_sided", "invalid_json", "no check at all"):
        with pytest.raises(ExportNotPossible, match=name) as refused:
            bench.without(old, name)
        assert "personal_data" in (refused.value.hint or "")


def test_where_nothing_would_be_left_it_is_said(bench: Bench) -> None:
    bench.star(PRIVATE)
    with pytest.raises(NoStars, match="2 rows that a check has found"):
        bench.without(bench.export(), "personal_data")


def test_a_set_of_somebody_else_is_not_there(bench: Bench, database: Database) -> None:
    bench.star(PRIVATE)
    old = bench.export()
    eve = Person("per_eve", "Eve", "elsewhere")
    with database.transaction() as session, pytest.raises(TrainingSetNotFound):
        cures.without(session, bench.home, old.id, ["personal_data"], by=eve)
