"""The pace of a reader: measured from the last marks in a row, and not said before there are some."""

from datetime import UTC, datetime, timedelta

from goldsmith.web.stars.views import pace_of

BEGAN = datetime(2026, 11, 12, 14, 0, tzinfo=UTC)


def moments(*seconds: float) -> list[datetime]:
    """Newest first."""
    return [BEGAN + timedelta(seconds=second) for second in sorted(seconds, reverse=True)]


def test_the_pace_is_that_of_the_marks_in_a_row_and_a_pause_does_not_count() -> None:
    assert pace_of(63, moments(0, 8, 17, 26, 3000, 3009)) == "63 left, about 9 min at your pace (9.0 s an answer)"


def test_nothing_is_said_of_a_pace_that_nobody_knows_yet() -> None:
    assert pace_of(63, []) == "63 left"
    assert pace_of(63, moments(0, 8, 17)) == "63 left"
    assert pace_of(63, moments(0, 0.01, 0.02, 0.03, 0.04)) == "63 left"
    assert pace_of(0, moments(0, 8, 17, 26, 35)) == "all read"
