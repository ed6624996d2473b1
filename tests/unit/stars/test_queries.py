from collections.abc import Callable

import pytest

from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import queries, service
from goldsmith.stars.types import AnswerCounts, AnswerFilter, AnswerQuery, AnswerSort, MarkKind, MarkRequest
from goldsmith.storage.database import Database

MakeRun = Callable[..., tuple[Run, list[Answer]]]


@pytest.fixture
def run(database: Database, ana: Person, make_run: MakeRun) -> Run:
    given = [({"message": f"message {number} 100% ä"}, f"Answer {number:03}") for number in range(1, 10)]
    run, answers = make_run([*given, ({"message": "last"}, None)])
    marks = [
        (0, MarkKind.star, None),
        (1, MarkKind.correction, "better"),
        (2, MarkKind.star, None),
        (2, MarkKind.bad, None),
    ]
    with database.transaction() as session:
        for index, kind, text in marks:
            service.mark(session, answers[index].id, MarkRequest(kind, text), by=ana)
        answer = session.get_one(Answer, answers[4].id)
        answer.finish_reason = "length"
        session.get_one(Answer, answers[5].id).parse_error = "no JSON"
    return run


def positions(database: Database, run: Run, **query: object) -> list[int]:
    with database.reading() as session:
        page = queries.answers_page(session, run.id, AnswerQuery(**query))  # type: ignore[arg-type]
        return [item.answer.position for item in page.items]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all", list(range(1, 11))),
        ("unread", [4, 5, 6, 7, 8, 9, 10]),
        ("starred", [1, 2]),
        ("corrected", [2]),
        ("bad", [3]),
        ("failed", [10]),
        ("cut_off", [5]),
        ("invalid", [6]),
    ],
)
def test_a_filter_shows_what_it_says(database: Database, run: Run, name: str, expected: list[int]) -> None:
    assert positions(database, run, filter=AnswerFilter(name)) == expected


def test_counts_are_what_the_filters_show(database: Database, run: Run) -> None:
    with database.reading() as session:
        assert queries.counts(session, run.id) == AnswerCounts(10, 7, 2, 1, 1, 1, 1, 1)


def test_an_answer_whose_mark_was_undone_is_to_be_read_again(database: Database, run: Run, ana: Person) -> None:
    with database.transaction() as session:
        answers = {item.answer.position: item.answer.id for item in queries.answers_page(session, run.id).items}
        service.undo(session, answers[1], by=ana)  # was starred
        service.undo(session, answers[3], by=ana)  # was starred, then bad: starred again
        service.mark(session, answers[2], MarkRequest(MarkKind.unstar), by=ana)  # somebody did read it
    assert positions(database, run, filter=AnswerFilter.unread) == [1, 4, 5, 6, 7, 8, 9, 10]
    with database.reading() as session:
        assert queries.counts(session, run.id).unread == 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("answer 007", [7]),
        ("MESSAGE 3", [3]),
        ("100% ä", list(range(1, 10))),
        ("100_", []),
        ("%", list(range(1, 10))),
    ],
)
def test_search_looks_into_answers_and_rows(database: Database, run: Run, text: str, expected: list[int]) -> None:
    assert positions(database, run, search=text) == expected


@pytest.mark.parametrize("sort", list(AnswerSort))
def test_pages_by_key_hold_every_answer_once(database: Database, run: Run, sort: AnswerSort) -> None:
    whole = positions(database, run, sort=sort)
    seen: list[int] = []
    after = None
    with database.reading() as session:
        while True:
            page = queries.answers_page(session, run.id, AnswerQuery(sort=sort, after=after, limit=3))
            seen += [item.answer.position for item in page.items]
            after = page.next_after
            if after is None:
                break
    assert seen == whole
    assert sorted(seen) == list(range(1, 11))


def test_the_slowest_come_first(database: Database, run: Run) -> None:
    assert positions(database, run, sort=AnswerSort.slowest)[:3] == [8, 5, 2]


def test_an_answer_comes_with_its_row_and_newest_mark(database: Database, run: Run) -> None:
    with database.reading() as session:
        third = queries.answers_page(session, run.id).items[2]
    assert third.content["message"].startswith("message 3")
    assert third.mark is not None
    assert third.mark.is_bad
