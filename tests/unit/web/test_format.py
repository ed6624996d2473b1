"""Numbers, moments and sizes as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from goldsmith.storage import clock
from goldsmith.web import format as formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not measured"),
        (0, "0"),
        (14212, "14,212"),
        (0.1734, "0.173"),
        (1234.5, "1,234"),
        (0.00002, "2e-05"),
        (2.5, "2.5"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not measured"),
        (0.09, "0.09 s"),
        (3.14, "3.1 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (151, "2 min 31 s"),
        (3600, "1 h"),
        (7380, "2 h 3 min"),
        (187200, "2 d 4 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "about 5 s"), (42, "about 40 s"), (115, "about 2 min"), (3600, "about 1 h")]
)
def test_time_left_is_rounded(seconds: float, text: str) -> None:
    assert formats.about(seconds) == text


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(999, "999 bytes"), (1500, "2 KB"), (268_900_000, "269 MB"), (3_100_000_000, "3.1 GB")],
)
def test_sizes(num_bytes: int, text: str) -> None:
    assert formats.size(num_bytes) == text


def test_counts_know_one_from_many() -> None:
    assert [formats.tokens(n) for n in (0, 1, 2000)] == ["0 tokens", "1 token", "2,000 tokens"]
    assert formats.counted(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("usd", "text"), [(None, "not measured"), (0, "$0.00"), (0.0042, "$0.0042"), (1234.5, "$1,234.50")]
)
def test_money(usd: float | None, text: str) -> None:
    assert formats.money(usd) == text


def test_moments_say_only_as_much_as_is_needed() -> None:
    now = clock.now()
    assert formats.moment(now) == f"{now.astimezone():%H:%M}"
    assert formats.moment(datetime(2024, 11, 12, 12, tzinfo=UTC)) == "12 November 2024"
    assert formats.moment(None) == "not yet"
    assert str((now - timedelta(days=400)).year) in formats.moment(now - timedelta(days=400))


@pytest.mark.parametrize(("value", "text"), [(0.0416, "0.042"), (1.3, "1.300"), (2.0, "2.000"), (None, "not measured")])
def test_a_loss_has_three_decimals_everywhere(value: float | None, text: str) -> None:
    assert formats.loss(value) == text
