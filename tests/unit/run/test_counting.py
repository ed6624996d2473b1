"""Counts are what is in the table, and nothing is counted again that cannot have changed."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, update
from tests.factories import make_answer, make_dataset_version, make_prompt_version, make_run

from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.run import counting
from goldsmith.run.answers import write_answers
from goldsmith.run.tables import Answer, PromptVersion, Run
from goldsmith.run.types import AnswerState, RunProgress, SentAnswer
from goldsmith.storage import clock
from goldsmith.storage.database import Database


@pytest.fixture
def rows(database: Database) -> tuple[Run, list[Row]]:
    with database.transaction() as session:
        version = make_dataset_version(session, [{"message": str(number)} for number in range(4)])
        run = make_run(session, version, make_prompt_version(session))
        return run, list(session.query(Row).filter_by(dataset_version_id=version.id).order_by(Row.position))


@pytest.fixture
def counts(database: Database) -> Iterator[list[str]]:
    """Every statement that counts answers."""
    seen: list[str] = []

    def note(*call: Any) -> None:
        if "count(*)" in call[2] and "FROM answers" in call[2]:
            seen.append(call[2])

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def progress(database: Database, run: Run) -> RunProgress:
    with database.reading() as session:
        return counting.progress_of(session, [run.id])[run.id]


def test_new_answers_count_at_once(database: Database, rows: tuple[Run, list[Row]]) -> None:
    run, asked = rows
    assert progress(database, run) == RunProgress(4, 0, 0, 0, 0)
    for number, row in enumerate(asked, start=1):
        with database.transaction() as session:
            make_answer(session, run, row)
        assert progress(database, run) == RunProgress(4, number, 0, 0, 0)


def test_a_run_that_has_all_its_answers_is_not_counted_again(
    database: Database, rows: tuple[Run, list[Row]], counts: list[str]
) -> None:
    run, asked = rows
    with database.transaction() as session:
        for row in asked:
            make_answer(session, run, row)
    first = progress(database, run)
    counts.clear()
    assert progress(database, run) == first
    assert len(counts) == 1, "only whether fewer have failed"
    assert "state" in counts[0]


def test_a_failed_answer_that_comes_after_all_is_counted(database: Database, rows: tuple[Run, list[Row]]) -> None:
    run, asked = rows
    with database.transaction() as session:
        answers = [make_answer(session, run, row) for row in asked]
        session.execute(update(Answer).where(Answer.id == answers[0].id).values(state="failed", text=""))
    assert progress(database, run) == RunProgress(4, 3, 1, 0, 0)
    cut_off = SentAnswer(asked[0].id, 1, AnswerState.ANSWERED, clock.now(), text="a long", finish_reason="length")
    with database.transaction() as session:
        write_answers(session, run.id, [cut_off], schema=None)
    assert progress(database, run) == RunProgress(4, 4, 0, 1, 0)


def test_several_runs_are_counted_together(database: Database, rows: tuple[Run, list[Row]], counts: list[str]) -> None:
    run, asked = rows
    with database.transaction() as session:
        version = session.get_one(DatasetVersion, run.dataset_version_id)
        wording = session.get_one(PromptVersion, run.prompt_version_id)
        others = [make_run(session, version, wording) for _ in range(5)]
        for other in others:
            make_answer(session, other, asked[0])
    counts.clear()
    with database.reading() as session:
        found = counting.progress_of(session, [run.id, *(other.id for other in others), "run_unknown"])
    assert [one.num_answered for one in found.values()] == [0, 1, 1, 1, 1, 1, 0]
    assert len(counts) == 4
