"""Which answers stand as bad ones beside good ones, as training sets keep them."""

from collections.abc import Callable

import pytest
from sqlalchemy import orm

from goldsmith.data.tables import DatasetVersion
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import PromptDraft
from goldsmith.stars import importing, queries, service
from goldsmith.stars.export import export
from goldsmith.stars.pairs import is_worse
from goldsmith.stars.tables import TrainingSet
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

MakeRun = Callable[..., tuple[Run, list[Answer]]]
Export = Callable[[], tuple[TrainingSet, dict[str, str | None]]]
ROWS = [({"message": f"message {n}"}, f"answer {n}") for n in range(3)]


@pytest.fixture
def say(database: Database, ana: Person) -> Callable[..., None]:
    def say(answer: Answer, kind: MarkKind, text: str | None = None) -> None:
        with database.transaction() as session:
            service.mark(session, answer.id, MarkRequest(kind, text), by=ana)

    return say


@pytest.fixture
def exported(database: Database, home: Home, ana: Person) -> Export:
    """A set of all stars, with the bad answer of each good one."""

    def exported() -> tuple[TrainingSet, dict[str, str | None]]:
        with database.transaction() as session:
            made = export(session, home, ExportRequest(exam_share=0), by=ana)
            rows = queries.training_set_rows(session, made.id, "learn")
            return made, {row.expected: row.rejected for row in rows}

    return exported


@pytest.mark.parametrize(
    ("text", "is_usable"),
    [("something else", True), ("  ", False), ("the same", False), (" the \n same", False), ("The same", True)],
)
def test_a_bad_answer_differs_in_more_than_white_space(text: str, is_usable: bool) -> None:
    assert is_worse(text, "the same") is is_usable


def test_a_correction_is_a_pair_with_what_it_replaced(
    make_run: MakeRun, say: Callable[..., None], exported: Export
) -> None:
    _, answers = make_run(ROWS)
    say(answers[0], MarkKind.correction, "better")
    say(answers[1], MarkKind.star)
    say(answers[2], MarkKind.correction, "answer  2")
    made, pairs = exported()
    assert pairs == {"better": "answer 0", "answer 1": None, "answer  2": None}
    assert made.manifest["counts"]["num_pairs"] == 1


def test_a_star_is_a_pair_with_the_newest_bad_answer_to_the_same_row_and_wording(
    database: Database, make_run: MakeRun, say: Callable[..., None], exported: Export
) -> None:
    run, answers = make_run(ROWS)
    say(answers[0], MarkKind.star)
    with database.transaction() as session:
        others = [_again(session.get_one(Run, run.id), answers[0], number, session) for number in range(3)]
    for other in others:
        say(other, MarkKind.bad)
    say(others[2], MarkKind.unstar)
    assert exported()[1] == {"answer 0": "worse 1"}


def test_an_answer_to_another_wording_is_no_pair(make_run: MakeRun, say: Callable[..., None], exported: Export) -> None:
    _, answers = make_run(ROWS)
    _, others = make_run(ROWS, draft=PromptDraft("Which topic? {{message}}"))
    say(answers[0], MarkKind.star)
    say(others[0], MarkKind.bad)
    made, pairs = exported()
    assert pairs == {"answer 0": None}
    assert "num_pairs" not in made.manifest["counts"]


def test_a_new_bad_mark_makes_another_set(
    database: Database, make_run: MakeRun, say: Callable[..., None], exported: Export
) -> None:
    run, answers = make_run(ROWS)
    say(answers[0], MarkKind.star)
    first, _ = exported()
    assert exported()[0].id == first.id
    with database.transaction() as session:
        other = _again(session.get_one(Run, run.id), answers[0], 1, session)
    say(other, MarkKind.bad)
    assert exported()[0].id != first.id


def test_a_bad_answer_that_came_with_a_file_is_a_pair_and_no_part_of_the_question(
    database: Database, make_version: Callable[..., DatasetVersion], ana: Person, exported: Export
) -> None:
    rows = [{"question": "Where?", "answer": "Here.", "non_preferred_output": text} for text in ("There.", "Nowhere.")]
    version = make_version(rows, "answer")
    with database.transaction() as session:
        importing.import_answers(session, version.id, by=ana)
    made, pairs = exported()
    assert set(pairs) == {"Here."}
    assert pairs["Here."] in ("There.", "Nowhere.")
    assert made.num_dropped == 1, "the same question twice"


def _again(run: Run, answer: Answer, number: int, session: orm.Session) -> Answer:
    """Another run's answer to the same row."""
    other = Run(
        id=f"run_{number}", name="again", kind="model", dataset_version_id=run.dataset_version_id,
        prompt_version_id=run.prompt_version_id, options={}, num_rows=1, domain=run.domain, created_by=run.created_by,
    )  # fmt: skip
    session.add(other)
    session.flush()
    made = Answer(
        id=f"ans_{number}", run_id=other.id, row_id=answer.row_id, position=answer.position, state="answered",
        text=f"worse {number}", finish_reason="stop", at=clock.now(),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made
