"""What a log says in words that are not the program's."""

import pytest

from goldsmith.jobs.tables import JobEvent
from goldsmith.web.log_lines import log_line


@pytest.mark.parametrize(("slot", "words"), [("cpu", "on the processor"), ("gpu1", "on the graphics card 1")])
def test_where_a_job_runs_is_said_in_words(slot: str, words: str) -> None:
    event = JobEvent(kind="starting", data={"machine": "desk", "slot": slot, "by": "per_1"})
    assert log_line(event).text == f"machine desk, {words}"


def test_a_reason_stands_without_its_name() -> None:
    assert log_line(JobEvent(kind="paused", data={"because": "somebody asked for it"})).text == "somebody asked for it"


def test_a_loss_is_written_as_on_the_pages() -> None:
    assert log_line(JobEvent(kind="evaluated", data={"exam_loss": 0.41237})).text == "exam loss 0.412"
