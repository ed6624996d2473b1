"""The trainings of a learning curve: nested parts of the stars, and what is refused before anything starts."""

import pytest
from tests.unit.compare.test_curve_jobs import begin

from goldsmith.compare.errors import NoExam, TooFewStars
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import queries as train


def test_the_trainings_learn_from_nested_parts_and_more_rounds_the_smaller_the_part(
    database: Database, home: Home, person: Person
) -> None:
    with database.transaction() as session:
        curve = begin(session, home, person)
        rows = train.of_group(session, curve.group_id)
        assert [row.sample_count for row in rows] == [10, 20, 40]
        assert [row.differs for row in rows] == [{"share": 0.25}, {"share": 0.5}, {"share": 1.0}]
        epochs = [row.config["num_epochs"] for row in rows]
        assert epochs == sorted(epochs, reverse=True)
        assert epochs[0] > epochs[2]


@pytest.mark.parametrize(("num_rows", "exam", "error"), [(20, 0.5, TooFewStars), (4, 0.5, NoExam)])
def test_what_could_tell_nothing_is_refused_before_anything_starts(
    database: Database, home: Home, person: Person, num_rows: int, exam: float, error: type[Exception]
) -> None:
    with pytest.raises(error), database.transaction() as session:
        begin(session, home, person, num_rows=num_rows, exam=exam)
