"""Which bad answers a training set holds beside its stars, for a training that learns from single marks."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import service
from goldsmith.stars.export import export
from goldsmith.stars.tables import ExamSide, TrainingSet, TrainingSetRow
from goldsmith.stars.types import BAD, ExportRequest, MarkKind, MarkRequest
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

MakeRun = Callable[..., tuple[Run, list[Answer]]]
Say = Callable[..., None]
Made = tuple[TrainingSet, list[str]]
ROWS = [({"message": f"message {n}"}, f"answer {n}") for n in range(10)]


@pytest.fixture
def say(database: Database, ana: Person) -> Say:
    def say(answer: Answer, kind: MarkKind, text: str | None = None) -> None:
        with database.transaction() as session:
            service.mark(session, answer.id, MarkRequest(kind, text), by=ana)

    return say


@pytest.fixture
def exported(database: Database, home: Home, ana: Person) -> Callable[..., Made]:
    """A set, and its bad answers in their order."""

    def exported(**asked: object) -> Made:
        with database.transaction() as session:
            made = export(session, home, ExportRequest(**{"exam_share": 0.0, **asked}), by=ana)  # type: ignore[arg-type]
            query = select(TrainingSetRow).where(TrainingSetRow.training_set_id == made.id, TrainingSetRow.side == BAD)
            rows = list(session.scalars(query.order_by(TrainingSetRow.position)))
            assert all(row.messages[-1] == {"role": "assistant", "content": row.expected} for row in rows)
            return made, [row.expected for row in rows]

    return exported


def test_a_bad_mark_needs_no_star_on_its_row(make_run: MakeRun, say: Say, exported: Callable[..., Made]) -> None:
    _, answers = make_run(ROWS)
    say(answers[0], MarkKind.star)
    before, nothing = exported()
    assert (nothing, "num_bad" in before.manifest["counts"]) == ([], False)
    say(answers[1], MarkKind.bad)
    say(answers[2], MarkKind.bad)
    say(answers[3], MarkKind.bad)
    say(answers[3], MarkKind.unstar)
    say(answers[4], MarkKind.correction, "better")
    made, bad = exported()
    assert sorted(bad) == ["answer 1", "answer 2"], "neither what was taken back nor what stands as a pair already"
    assert (made.manifest["counts"]["num_bad"], made.num_learn, made.manifest.get("bad")) == (2, 2, None)
    assert exported()[0].id == made.id
    say(answers[2], MarkKind.correction, "better, too")
    assert exported()[1] == ["answer 1"]


def test_what_the_exam_asks_is_no_bad_answer_either(
    database: Database, make_run: MakeRun, say: Say, exported: Callable[..., Made]
) -> None:
    run, answers = make_run(ROWS)
    other, others = make_run(ROWS)
    for answer in answers[:5]:
        say(answer, MarkKind.star)
    for answer in others:
        say(answer, MarkKind.bad)
    made, bad = exported(exam_share=0.4)
    with database.reading() as session:
        query = select(TrainingSetRow).where(TrainingSetRow.training_set_id == made.id)
        rows = list(session.scalars(query))
        sides = list(session.scalars(select(ExamSide.side)))
    asked = {side: {row.messages[-2]["content"] for row in rows if row.side == side} for side in ("exam", BAD)}
    assert asked["exam"]
    assert not asked["exam"] & asked[BAD]
    assert (len(sides), sides.count("exam")) == (10, 4), "a row that was never starred has its side now too"
    assert 0 < len(bad) < 10 - made.num_exam
    assert exported(run_id=run.id, exam_share=0.4)[1] == []
    say(others[9], MarkKind.star)
    assert exported(run_id=run.id, exam_run_id=other.id)[1] == [], "a run that is the exam is not learned from"


def test_the_same_words_are_bad_once_and_never_where_somebody_starred_them(
    make_run: MakeRun, say: Say, exported: Callable[..., Made]
) -> None:
    runs = [make_run(ROWS)[1] for _ in range(3)]
    say(runs[0][0], MarkKind.star)
    for answers in runs[1:]:
        say(answers[0], MarkKind.bad)
        say(answers[1], MarkKind.bad)
    assert exported()[1] == ["answer 1"]
