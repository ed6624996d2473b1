"""Answers while a model learns stand beside the good ones, each step once."""

from tests.unit.train.small_training import SAID, add_training

from goldsmith.jobs.tables import Job
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train.samples import sampled_rows


def test_answers_stand_beside_the_good_one_in_order(database: Database, home: Home) -> None:
    with database.transaction() as session:
        training = add_training(session, home, said=SAID)
        (row,) = sampled_rows(session, training)
    assert (row.position, row.expected, row.asked[0]["content"]) == (1, "on its way", "where is it")
    assert [(each.step, each.text, each.is_good, each.is_cut) for each in row.said] == [
        (0, "I do not", False, True),
        (4, "on its way", True, False),
        (8, "on the way", False, False),
    ]
    assert [each.step for each in row.shown(4)] == [0, 4, 8]
    assert [each.step for each in row.shown(None)] == [0, 8]


def test_a_step_that_was_done_again_counts_once_and_foreign_rows_are_passed_over(
    database: Database, home: Home
) -> None:
    again = (4, [{"row_id": "row_1", "text": "on its way again"}, {"row_id": "row_of_nobody", "text": "x"}])
    with database.transaction() as session:
        training = add_training(session, home, said=[*SAID, again])
        (row,) = sampled_rows(session, training)
        assert session.get_one(Job, training.id).id
    assert [each.text for each in row.said] == ["I do not", "on its way again", "on the way"]


def test_without_an_answer_there_is_nothing(database: Database, home: Home) -> None:
    with database.transaction() as session:
        assert sampled_rows(session, add_training(session, home, said=[])) == []
