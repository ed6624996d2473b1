"""`goldsmith stars`: what was said about an answer, and by whom."""

import pytest
from tests.factories import make_answer, make_dataset_version, make_prompt_version, make_run
from tests.unit.cli.conftest import Line

from goldsmith.data import queries as data
from goldsmith.run.tables import Answer


@pytest.fixture
def answer(line: Line) -> str:
    with line.filling() as (session, ada):
        version = make_dataset_version(session, by=ada)
        run = make_run(session, version, make_prompt_version(session, by=ada), by=ada)
        return make_answer(session, run, data.rows(session, version.id)[0]).id


def test_everything_that_was_said_stays_in_the_history(line: Line, answer: str) -> None:
    assert line.json("stars", "history", answer) == []
    line.json("stars", "give", answer)
    line.json("stars", "correct", answer, "better")
    line.json("stars", "undo", answer)
    said = line.json("stars", "history", answer)
    assert sorted(mark["kind"] for mark in said) == ["correction", "star", "undo"]
    assert {(mark["person"], mark["via"]) for mark in said} == {("Ada", "cli")}
    assert [mark["text"] for mark in said if mark["kind"] == "correction"] == ["better"]


def test_answers_are_listed_and_marked_in_bulk_by_filter(line: Line, answer: str) -> None:
    line.json("stars", "bad", answer)
    with line.parts.database.reading() as session:
        run = session.get_one(Answer, answer).run_id
    assert [row["mark"] for row in line.json("stars", "list", run, "--filter", "bad")] == ["bad"]
    assert line.json("stars", "list", run, "--search", "nowhere") == []
    line.json("stars", "unstar", answer)
    assert line.json("stars", "list", run, "--filter", "bad") == []
    done = line.json("stars", "bulk", run, "star_equal", "question", "--filter", "unread", "--dry-run")
    assert (done["touched"], done["is_preview"]) == (0, True)
    line.json("stars", "undo", answer)
    assert line.error("stars", "undo-bulk", run)[0] != 0
    assert line.error("stars", "list", "run_none")[0] == 4


def test_an_answer_that_is_not_there_is_said(line: Line) -> None:
    assert line.error("stars", "history", "ans_none")[0] == 4
