from collections.abc import Callable

import pytest

from goldsmith.data.errors import ColumnUnknown
from goldsmith.people.types import Person
from goldsmith.run.errors import AnswerNotFound
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import queries, service
from goldsmith.stars.errors import MarkNotPossible, NoMarkToUndo, StarConflict
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import AnswerFilter, BulkRequest, BulkRule, MarkKind, MarkRequest
from goldsmith.storage.database import Database

MakeRun = Callable[..., tuple[Run, list[Answer]]]
STAR = MarkRequest(MarkKind.star)


@pytest.fixture
def run(make_run: MakeRun) -> tuple[Run, list[Answer]]:
    return make_run(
        [
            ({"message": "one", "topic": "a"}, "a"),
            ({"message": "two", "topic": "b"}, " b\n"),
            ({"message": "three", "topic": "c"}, "x"),
            ({"message": "four", "topic": ""}, "y"),
            ({"message": "five", "topic": "e"}, None),
        ]
    )


def state(database: Database, answer: Answer) -> tuple[bool, bool, str | None, str | None]:
    with database.reading() as session:
        mark = queries.state_of(session, [answer.id])[answer.id]
    return mark.is_star, mark.is_bad, mark.correction, mark.note


def say(database: Database, answer: Answer, by: Person, kind: MarkKind, text: str | None = None) -> Mark:
    with database.transaction() as session:
        return service.mark(session, answer.id, MarkRequest(kind, text), by=by)


def test_each_mark_is_the_whole_state_after_it(database: Database, ana: Person, run: tuple[Run, list[Answer]]) -> None:
    answer = run[1][0]
    say(database, answer, ana, MarkKind.star)
    assert state(database, answer) == (True, False, None, None)
    say(database, answer, ana, MarkKind.note, "why?")
    assert state(database, answer) == (True, False, None, "why?")
    say(database, answer, ana, MarkKind.bad)
    assert state(database, answer) == (False, True, None, "why?")
    say(database, answer, ana, MarkKind.correction, "A")
    assert state(database, answer) == (True, False, "A", "why?")
    say(database, answer, ana, MarkKind.unstar)
    assert state(database, answer) == (False, False, "A", "why?")
    say(database, answer, ana, MarkKind.note, " ")
    assert state(database, answer) == (False, False, "A", None)


def test_undo_goes_back_mark_by_mark(database: Database, ana: Person, run: tuple[Run, list[Answer]]) -> None:
    answer = run[1][0]
    say(database, answer, ana, MarkKind.star)
    say(database, answer, ana, MarkKind.correction, "A")
    say(database, answer, ana, MarkKind.undo)
    assert state(database, answer) == (True, False, None, None)
    say(database, answer, ana, MarkKind.bad)
    say(database, answer, ana, MarkKind.undo)
    assert state(database, answer) == (True, False, None, None)
    undone = say(database, answer, ana, MarkKind.undo)
    assert state(database, answer) == (False, False, None, None)
    with database.reading() as session:
        marks = queries.history(session, answer.id)
    assert [mark.kind for mark in marks] == ["star", "correction", "undo", "bad", "undo", "undo"]
    assert undone.undone_id == marks[0].id
    with pytest.raises(NoMarkToUndo):
        say(database, answer, ana, MarkKind.undo)


def test_saying_the_same_twice_changes_nothing(database: Database, ana: Person, run: tuple[Run, list[Answer]]) -> None:
    first = say(database, run[1][0], ana, MarkKind.star)
    assert say(database, run[1][0], ana, MarkKind.star).id == first.id


def test_a_failed_answer_can_be_corrected_but_not_starred(
    database: Database, ana: Person, run: tuple[Run, list[Answer]]
) -> None:
    with pytest.raises(MarkNotPossible):
        say(database, run[1][4], ana, MarkKind.star)
    say(database, run[1][4], ana, MarkKind.correction, "e")
    assert state(database, run[1][4])[0]


@pytest.mark.parametrize("text", [None, " ", "x" * 70_000, "a\x00"])
def test_a_correction_needs_a_usable_text(
    database: Database, ana: Person, run: tuple[Run, list[Answer]], text: str | None
) -> None:
    with pytest.raises(MarkNotPossible):
        say(database, run[1][0], ana, MarkKind.correction, text)


def test_whoever_comes_late_is_told_who_was_there(
    database: Database, ana: Person, ben: Person, run: tuple[Run, list[Answer]]
) -> None:
    answer = run[1][0]
    bad = MarkRequest(MarkKind.bad, expected_mark_id=0)
    seen = say(database, answer, ben, MarkKind.star)
    with database.transaction() as session, pytest.raises(StarConflict, match=r"Ben marked this answer \(star\) on 2"):
        service.mark(session, answer.id, bad, by=ana)
    with database.transaction() as session:
        service.mark(session, answer.id, MarkRequest(MarkKind.bad, expected_mark_id=seen.id), by=ana)
    assert state(database, answer)[1]


def test_strangers_find_no_answer(database: Database, run: tuple[Run, list[Answer]]) -> None:
    with pytest.raises(AnswerNotFound):
        say(database, run[1][0], Person("per_x", "X", domain="elsewhere"), MarkKind.star)


def test_bulk_stars_what_equals_a_column_and_corrects_the_others(
    database: Database, ana: Person, run: tuple[Run, list[Answer]]
) -> None:
    equal = BulkRequest(run[0].id, BulkRule.star_equal, "topic")
    others = BulkRequest(run[0].id, BulkRule.correct_others, "topic")
    with database.reading() as session:
        preview = service.bulk_preview(session, equal, by=ana)
        assert (preview.num_touched, preview.num_not_matching, preview.num_without_expected) == (2, 2, 1)
        assert [example.position for example in preview.examples] == [1, 2]
        assert queries.counts(session, run[0].id).starred == 0
    with database.transaction() as session:
        assert service.bulk_apply(session, equal, by=ana) == preview
        corrected = service.bulk_apply(session, others, by=ana)
        again = service.bulk_apply(session, equal, by=ana)
    assert (corrected.num_touched, corrected.num_marked_already) == (2, 2)
    assert (again.num_touched, again.num_marked_already) == (0, 4)
    assert state(database, run[1][2]) == (True, False, "c", None)
    assert state(database, run[1][4]) == (True, False, "e", None)


def test_bulk_leaves_alone_what_a_person_has_marked(
    database: Database, ana: Person, run: tuple[Run, list[Answer]]
) -> None:
    say(database, run[1][0], ana, MarkKind.bad)
    with database.transaction() as session:
        done = service.bulk_apply(session, BulkRequest(run[0].id, BulkRule.star_equal, "topic"), by=ana)
    assert (done.num_touched, done.num_marked_already) == (1, 1)
    assert state(database, run[1][0])[1]


def test_bulk_touches_only_what_the_filter_shows(
    database: Database, ana: Person, run: tuple[Run, list[Answer]]
) -> None:
    request = BulkRequest(run[0].id, BulkRule.correct_others, "topic", AnswerFilter.unread, "three")
    with database.transaction() as session:
        assert service.bulk_apply(session, request, by=ana).num_touched == 1


def test_the_last_rule_is_taken_back_but_not_what_somebody_has_said_since(
    database: Database, ana: Person, ben: Person, run: tuple[Run, list[Answer]]
) -> None:
    equal = BulkRequest(run[0].id, BulkRule.star_equal, "topic")
    with database.transaction() as session:
        service.bulk_apply(session, equal, by=ana)
        service.bulk_apply(session, BulkRequest(run[0].id, BulkRule.correct_others, "topic"), by=ana)
    say(database, run[1][2], ben, MarkKind.bad)
    with database.transaction() as session, pytest.raises(NoMarkToUndo):
        service.undo_bulk(session, run[0].id, by=ben)
    with database.transaction() as session:
        assert service.undo_bulk(session, run[0].id, by=ana) == 1
    assert state(database, run[1][2])[1]
    assert state(database, run[1][4]) == (False, False, None, None)
    assert state(database, run[1][0])[0]
    with database.transaction() as session:
        assert service.undo_bulk(session, run[0].id, by=ana) == 2
        assert service.bulk_apply(session, equal, by=ana).num_touched == 2
        assert [mark.undone_id is not None for mark in queries.history(session, run[1][0].id)] == [False, True, False]


def test_bulk_over_an_unknown_column_is_refused(database: Database, ana: Person, run: tuple[Run, list[Answer]]) -> None:
    with database.reading() as session, pytest.raises(ColumnUnknown, match="message, topic"):
        service.bulk_preview(session, BulkRequest(run[0].id, BulkRule.star_equal, "label"), by=ana)
