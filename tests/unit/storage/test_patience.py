"""Finished work waits for a database that is away, and only for that."""

import pytest
from sqlalchemy.exc import OperationalError

from goldsmith.storage.patience import until_it_answers


class Away:
    """Work that finds no database a few times."""

    def __init__(self, num_times: int) -> None:
        self.num_left, self.num_tries = num_times, 0

    def __call__(self) -> str:
        self.num_tries += 1
        if self.num_left:
            self.num_left -= 1
            raise OperationalError("SELECT 1", {}, Exception("connection refused"))
        return "written"


def test_work_is_done_as_soon_as_the_database_is_back() -> None:
    work = Away(3)
    assert until_it_answers(work, again_after_s=0.001) == "written"
    assert work.num_tries == 4


def test_a_database_that_stays_away_is_said() -> None:
    with pytest.raises(OperationalError, match="connection refused"):
        until_it_answers(Away(10**9), within_s=0.02, again_after_s=0.001)


def test_any_other_trouble_is_told_at_once() -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        raise ValueError("this is wrong")

    with pytest.raises(ValueError, match="this is wrong"):
        until_it_answers(work)
    assert len(calls) == 1
