"""A search shows what a plain filter in Python shows, in the same order, whichever way it is made."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, update

from goldsmith.people.types import Person
from goldsmith.run.answers import write_answers
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import AnswerState, SentAnswer
from goldsmith.stars import queries, search, service
from goldsmith.stars.types import AnswerFilter, AnswerQuery, AnswerSort, MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.text import plain

MakeRun = Callable[..., tuple[Run, list[Answer]]]
WORDS = (
    "Paket",
    "P\u00e4ckchen",
    "STRASSE",
    "stra\u00dfe",
    "100%",
    "a_b",
    "gr\u00f6\u00dfer",
    "gro\u0308sser",
    "zwei\n Zeilen",
    "\u65e5\u672c",
)
SEARCHES = (*WORDS, "zwei zeilen", "e", "nowhere", " ", "Paket Paket", "PA", "message", "\\u00e4")
NUM_ROWS = 60


@pytest.fixture(params=[0, 12, 10_000], ids=["counts as many", "few are kept", "a short run"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FEW", request.param)


@pytest.fixture
def content(database: Database, ana: Person, make_run: MakeRun) -> tuple[Run, dict[int, tuple[str, ...]]]:
    """A run, and of each answer its texts."""
    dice = random.Random(3)  # noqa: S311 - the same rows every time
    given = [
        ({"message": " ".join(dice.choices(WORDS, k=2))}, dice.choice([None, "", *WORDS])) for _ in range(NUM_ROWS)
    ]
    run, answers = make_run(given)
    with database.transaction() as session:
        for answer in answers:
            figures: dict[str, Any] = {
                "answer_tokens": dice.choice([None, 0, 1, 2, 3]),
                "duration_ms": dice.choice([None, 0.0, 1.5, 7]),
            }
            session.execute(update(Answer).where(Answer.id == answer.id).values(figures))
        for answer in dice.sample(answers, 20):
            service.mark(session, answer.id, MarkRequest(dice.choice([MarkKind.star, MarkKind.bad])), by=ana)
    texts = zip(given, answers, strict=True)
    return run, {answer.position: (row["message"], text or "") for (row, text), answer in texts}


def everything(database: Database, run: Run, query: AnswerQuery) -> list[int]:
    """The positions on all pages."""
    found: list[int] = []
    with database.reading() as session:
        while True:
            page = queries.answers_page(session, run.id, query)
            found += [item.answer.position for item in page.items]
            if page.next_after is None:
                return found
            query = AnswerQuery(query.filter, query.search, query.sort, page.next_after, query.limit)


def sort_key(answer: Answer, sort: AnswerSort) -> tuple[float, ...]:
    if sort is AnswerSort.position:
        return (answer.position,)
    figure = answer.answer_tokens if sort is AnswerSort.longest else answer.duration_ms
    return (-(-1.0 if figure is None else figure), -answer.position)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("sort", list(AnswerSort))
def test_pages_hold_what_a_filter_in_python_lets_through(
    database: Database, content: tuple[Run, dict[int, tuple[str, ...]]], sort: AnswerSort
) -> None:
    run, texts = content
    with database.reading() as session:
        answers = {
            item.answer.position: item
            for item in queries.answers_page(session, run.id, AnswerQuery(limit=NUM_ROWS)).items
        }
    is_shown: dict[AnswerFilter, Callable[[queries.MarkedAnswer], bool]] = {
        AnswerFilter.all: lambda item: True,
        AnswerFilter.unread: lambda item: item.mark is None,
        AnswerFilter.starred: lambda item: item.mark is not None and item.mark.is_star,
        AnswerFilter.failed: lambda item: item.answer.state == "failed",
    }
    for name, is_so in is_shown.items():
        for text in SEARCHES:
            wanted = plain(text)
            places = [
                place
                for place, item in answers.items()
                if is_so(item) and any(wanted in plain(each) for each in texts[place])
            ]
            places.sort(key=lambda place: sort_key(answers[place].answer, sort))
            assert everything(database, run, AnswerQuery(name, text, sort, limit=7)) == places, (name, text)


def test_a_text_is_looked_for_once_and_again_when_there_are_more_answers(
    database: Database, content: tuple[Run, dict[int, tuple[str, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, texts = content
    monkeypatch.setattr(search, "FEW", 40)
    looks = [0]

    def count(*call: Any) -> None:
        looks[0] += "instr(" in call[2] or "strpos(" in call[2]

    event.listen(database.engine, "before_cursor_execute", count)
    query = AnswerQuery(search="Paket", limit=NUM_ROWS)
    before = everything(database, run, query)
    everything(database, run, AnswerQuery(search="paket", sort=AnswerSort.longest))
    assert looks == [2], "one look at the rows, one at the answers"

    failed = next(position for position, (_, text) in texts.items() if not text and position not in before)
    with database.transaction() as session:
        item = queries.answers_page(session, run.id, AnswerQuery(after=str(failed - 1), limit=1)).items[0]
        session.execute(update(Answer).where(Answer.id == item.answer.id).values(state="failed"))
        session.flush()
        session.expire_all()
        new = SentAnswer(item.answer.row_id, failed, AnswerState.ANSWERED, clock.now(), text="ein PAKET")
        assert before == everything(database, run, query)
        write_answers(session, run.id, [new], schema=None)
    assert everything(database, run, query) == sorted([*before, failed])


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    search._kept._values.clear()
    yield
    search._kept._values.clear()
